"""Override settings for the length of a test."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shortlist.settings.loading import load
from shortlist.settings.presets import Preset
from shortlist.settings.sources import (
    CONFIG_VARIABLE,
    ENVIRONMENT_PREFIX,
    variable_name,
    with_prefix_mended,
)
from shortlist.settings.tree import Settings


@contextmanager
def overridden(values: Mapping[str, str], preset: Preset = "tiny") -> Iterator[Settings]:
    """Put ``values`` in force, over ``preset``, for everything that loads settings in the block.

    Variables that were set before, and a `shortlist.yaml`, count for nothing inside, so that a
    test says the same on every machine; they return when the block ends.

    >>> with overridden({"encoders.width": "64"}) as settings:
    ...     settings.encoders.width
    64

    Raises:
        SettingsError: a name is misspelt, or a value has the wrong type or is out of range.
    """
    before = {name: text for name, text in os.environ.items() if _ours(name)}
    inside = {variable_name(name): text for name, text in values.items()}
    _replace({CONFIG_VARIABLE: "", variable_name("preset"): preset, **inside})
    try:
        yield load().settings
    finally:
        _replace(before)


def _ours(variable: str) -> bool:
    return variable.startswith(ENVIRONMENT_PREFIX) or with_prefix_mended(variable) is not None


def _replace(variables: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if _ours(name)]:
        del os.environ[name]
    os.environ.update(variables)
