"""Settings in force: the sources merged in their order, every value with its origin.

The order, the first one winning: command line, environment, YAML file, kind of log, preset,
default.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shortlist.errors import SettingsError
from shortlist.settings.presets import PRESETS, Preset
from shortlist.settings.sources import (
    CONFIG_VARIABLE,
    Source,
    from_assignments,
    from_environment,
    from_file,
    from_log,
    from_preset,
)
from shortlist.settings.tree import Settings, is_secret, leaves
from shortlist.spelling import nearest

DEFAULT_FILE = Path("shortlist.yaml")
_LOG: Final = "datasets.source"
_ASSUMED: Final = ("default", "preset", "log")
"""First words of the origins that nobody named."""


@dataclass(frozen=True)
class InForce:
    """A tree, and where each of its values comes from.

    Attributes:
        settings: the tree.
        origins: by dotted name: ``default``, ``preset demo``, ``log kuairand``,
            ``file PATH``, ``environment NAME`` or ``command line``.
    """

    settings: Settings
    origins: Mapping[str, str]

    def told(self, name: str) -> bool:
        """Whether somebody said it, rather than a default, a preset or the kind of log.

        Args:
            name: dotted.
        """
        return self.origins[name].partition(" ")[0] not in _ASSUMED


def load(
    *,
    preset: str | None = None,
    config: Path | None = None,
    assignments: Sequence[str] = (),
    default_preset: Preset = "full",
    environ: Mapping[str, str] | None = None,
) -> InForce:
    """Read every source.

    Args:
        preset: as given on the command line.
        config: YAML file as given on the command line; else the variable ``SHORTLIST_CONFIG``
            (empty: no file), else ``./shortlist.yaml`` where there is one.
        assignments: ``NAME=VALUE``, as given on the command line.
        default_preset: the preset where no source names one.
        environ: environment variables; those of this process where None.

    Raises:
        NotFoundError: the YAML file was asked for and does not exist.
        SettingsError: a name is misspelt, or a value has the wrong type or is out of range.
    """
    environ = os.environ if environ is None else environ
    chosen = [] if preset is None else [f"preset={preset}"]
    sources = [from_assignments([*chosen, *assignments]), from_environment(environ)]
    path = _file(config, environ)
    if path is not None:
        sources.append(from_file(path))
    named = [source.values[_LOG] for source in sources if _LOG in source.values]
    sources.append(from_log(str(named[0]) if named else Settings().datasets.source))
    sources.append(from_preset(_preset(sources, default_preset)))
    sources.append(Source({"preset": default_preset}, lambda _: "default"))
    origins = {name: _origin(sources, name) for name, _ in leaves()}
    try:
        settings = Settings.from_sources(*sources)
    except ValidationError as error:
        raise SettingsError(_sentence(error, origins)) from error
    return InForce(settings, origins)


def preset_settings(preset: Preset) -> Settings:
    """The tree of a preset alone, whatever the environment says.

    >>> preset_settings("full") == Settings()
    True
    """
    return load(default_preset=preset, environ={CONFIG_VARIABLE: ""}).settings


def _file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is not None:
        return config
    named = environ.get(CONFIG_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _preset(sources: Sequence[Source], default: Preset) -> Preset:
    for source in sources:
        name = source.values.get("preset")
        if name is None:
            continue
        if name not in PRESETS:
            raise SettingsError(
                f"{source.origin('preset')}: no preset {name!r}{nearest(str(name), PRESETS)}"
            )
        return cast(Preset, name)
    return default


def _origin(sources: Sequence[Source], name: str) -> str:
    return next((source.origin(name) for source in sources if name in source.values), "default")


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    """The first violation in one sentence, and how many follow."""
    first, *others = error.errors()
    *place, last = first["loc"]
    # A value that may be of several types violates each of them, at a place below its name.
    several = isinstance(last, str) and ".".join(map(str, place)) in origins
    either = [other for other in others if several and list(other["loc"][:-1]) == place]
    said = ", or ".join([_violation(first, origins), *map(_reason, either)])
    more = len(others) - len(either)
    return said + (f" (and {more} more)" if more else "")


def _violation(detail: ErrorDetails, origins: Mapping[str, str]) -> str:
    location = [str(part) for part in detail["loc"]]
    names = [".".join(location[: end + 1]) for end in range(len(location))]
    name = next((name for name in names if name in origins), names[-1] if names else "settings")
    reason = _reason(detail)
    if name not in origins:
        return f"{name}: {reason}"
    field = dict(leaves())[name]
    value = "a hidden value" if is_secret(field) else repr(detail["input"])
    return f"{name} cannot be {value} ({origins[name]}): {reason}"


def _reason(detail: ErrorDetails) -> str:
    reason = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return reason[:1].lower() + reason[1:]
