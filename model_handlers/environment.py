"""Settings handed to a child as variables, so that it finds the same whatever else is set."""

from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import SecretStr

from shortlist.settings import Settings
from shortlist.settings.sources import CONFIG_VARIABLE, ENVIRONMENT_PREFIX, variable_name
from shortlist.settings.tree import leaves, value_of


def environment(
    settings: Settings,
    branches: Collection[str],
    environ: Mapping[str, str],
    *,
    secrets: bool = False,
) -> dict[str, str]:
    """Variables by which a child reads what is in force here.

    Args:
        settings: in force.
        branches: of the tree, which are handed on.
        environ: what else it inherits; settings in it are not handed on.
        secrets: whether those are handed on as well, to a child that needs them.
    """
    told = {name: text for name, text in environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    told[CONFIG_VARIABLE] = ""
    for name, _ in leaves():
        if name.split(".")[0] not in branches:
            continue
        value = value_of(settings, name)
        if isinstance(value, SecretStr):
            if not secrets:
                continue
            value = value.get_secret_value()
        if isinstance(value, Path):
            value = value.absolute()
        told[variable_name(name)] = "" if value is None else str(value)
    return told
