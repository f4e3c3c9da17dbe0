"""Where settings come from: command line, environment, a YAML file, the kind of log, a preset.

Each source is read into a flat mapping of dotted names first, because only then can a misspelt
name be told from a good one and every value carry its origin. Values stay text until the tree
types them (a YAML scalar as well), so the same words mean the same in every source.
"""

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from shortlist.errors import NotFoundError, SettingsError
from shortlist.settings.presets import LOGS, PRESETS, Preset
from shortlist.settings.tree import Settings, leaves
from shortlist.spelling import is_near, nearest

ENVIRONMENT_PREFIX = "SHORTLIST_"
CONFIG_VARIABLE = "SHORTLIST_CONFIG"


class Source(PydanticBaseSettingsSource):
    """Named values with their origins, as one source of the tree.

    Args:
        values: by dotted name; text, or whatever the preset has.
        origin: what to print as the origin of a dotted name.
    """

    def __init__(self, values: Mapping[str, object], origin: Callable[[str], str]) -> None:
        super().__init__(Settings)
        self.values = values
        self.origin = origin

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """The value of one top-level field: a setting, or a whole branch."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values as nested dictionaries."""
        tree: dict[str, Any] = {}
        for name, value in self.values.items():
            *branches, leaf = name.split(".")
            at = tree
            for branch in branches:
                at = at.setdefault(branch, {})
            at[leaf] = value
        return tree


def from_assignments(assignments: Iterable[str]) -> Source:
    """``NAME=VALUE`` as written after ``--set``; the last one wins.

    Raises:
        SettingsError: an assignment has no ``=`` or names no setting.
    """
    values: dict[str, object] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment!r} has no value; write --set NAME=VALUE")
        name = name.strip()
        _refuse_unknown(name, f"--set {name}", str)
        values[name] = _parsed(name, text)
    return Source(values, lambda _: "command line")


def from_environment(environ: Mapping[str, str]) -> Source:
    """Variables such as ``SHORTLIST_WORLD__USERS``.

    Raises:
        SettingsError: a variable with our prefix names no setting, or one that names a setting
            has our prefix misspelt.
    """
    values: dict[str, object] = {}
    for variable, text in environ.items():
        meant = with_prefix_mended(variable)
        if meant is not None:
            raise SettingsError(f"environment {variable} is not read; did you mean {meant}?")
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        _refuse_unknown(name, f"environment {variable}", variable_name, extra=[CONFIG_VARIABLE])
        values[name] = _parsed(name, text)
    return Source(values, lambda name: f"environment {variable_name(name)}")


def from_file(path: Path) -> Source:
    """A YAML file, branches nested as in the tree.

    Raises:
        NotFoundError: there is no such file.
        SettingsError: it cannot be read, is not a mapping, says a thing twice or names no setting.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _TextLoader)
    except FileNotFoundError as error:
        raise NotFoundError(f"no settings file {path}; check --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read settings file {path}: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"file {path} is not valid YAML: {_in_one_line(error)}") from error
    values: dict[str, object] = {}
    for name, value in _flattened(document, "", path):
        _refuse_unknown(name, f"file {path}: {name}", str)
        if name in values:
            raise SettingsError(f"file {path}: {name} is set twice")
        values[name] = _parsed(name, value) if isinstance(value, str) else value
    return Source(values, lambda _: f"file {path}")


def from_preset(preset: Preset) -> Source:
    """The differences of a preset.

    Raises:
        SettingsError: the preset names something that is no setting.
    """
    return _table(PRESETS[preset], f"preset {preset}")


def from_log(source: str) -> Source:
    """The differences of a kind of log, nothing for one that is unknown.

    Args:
        source: as of `datasets.source`.

    Raises:
        SettingsError: the differences name something that is no setting.
    """
    kind = source.partition(":")[0]
    return _table(LOGS.get(kind, {}), f"log {kind}")


def _table(values: Mapping[str, object], origin: str) -> Source:
    for name in values:
        _refuse_unknown(name, f"{origin}: {name}", str)
    return Source(values, lambda _: origin)


def variable_name(name: str) -> str:
    """The environment variable of a dotted name.

    >>> variable_name("world.users")
    'SHORTLIST_WORLD__USERS'
    """
    return ENVIRONMENT_PREFIX + name.upper().replace(".", "__")


def with_prefix_mended(variable: str) -> str | None:
    """The variable of ours that ``variable`` would be, were its beginning not misspelt.

    None for ours and for those of others: what follows must name a setting exactly.

    >>> with_prefix_mended("SHORTLST_WORLD__USERS")
    'SHORTLIST_WORLD__USERS'
    >>> with_prefix_mended("MY_SHORTLIST_SEED")
    """
    if variable.startswith(ENVIRONMENT_PREFIX):
        return None
    upper = variable.upper()
    for ours in (*map(variable_name, _fields()), CONFIG_VARIABLE):
        rest = ours.removeprefix(ENVIRONMENT_PREFIX)
        written = upper.removesuffix(rest)
        if written != upper and is_near(written, ENVIRONMENT_PREFIX):
            return ours
    return None


@cache
def _fields() -> dict[str, FieldInfo]:
    return dict(leaves())


def _refuse_unknown(
    name: str, where: str, spelling: Callable[[str], str], extra: Iterable[str] = ()
) -> None:
    """Raise if ``name`` is no setting; ``spelling`` writes names the way this source does."""
    if name in _fields():
        return
    below = [known for known in _fields() if known.startswith(f"{name}.")]
    if below:
        raise SettingsError(
            f"{where} is a branch, not a setting; set one of its settings, as in "
            f"{spelling(below[0])}"
        )
    known = [spelling(known) for known in _fields()] + list(extra)
    remedy = nearest(spelling(name), known, "`shortlist settings` lists all names")
    raise SettingsError(f"{where} names no setting{remedy}")


def _parsed(name: str, text: str) -> object:
    """Text as the tree can type it: a list where the field is one, None where it may be."""
    annotation = _fields()[name].annotation
    if types.NoneType in typing.get_args(annotation) and text in ("", "~", "null", "none"):
        return None
    if not _is_container(annotation):
        return text
    try:
        return yaml.load(text, _TextLoader)
    except yaml.YAMLError:
        return text


def _is_container(annotation: object) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(_is_container(option) for option in typing.get_args(annotation))
    return isinstance(origin, type) and issubclass(origin, Collection)


def _flattened(node: object, name: str, path: Path) -> Iterable[tuple[str, object]]:
    """Dotted names and values below ``node``; an empty branch says nothing."""
    if isinstance(node, dict) and name not in _fields():
        for key, value in node.items():
            yield from _flattened(value, f"{name}.{key}" if name else str(key), path)
    elif name:
        if node != "" or name in _fields():
            yield name, node
    elif node is not None and node != "":
        raise SettingsError(f"file {path} must hold `name: value` lines, not {node!r}")


def _in_one_line(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


class _TextLoader(yaml.BaseLoader):
    """Reads scalars as text and refuses a key that stands twice in one mapping."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[typing.Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", mark)
        return super().construct_mapping(node, deep)
