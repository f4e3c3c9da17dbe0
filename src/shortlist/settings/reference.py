"""The reference page of all settings, written from their descriptions."""

import types
import typing
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from shortlist.settings.presets import LOGS, PRESETS
from shortlist.settings.sources import variable_name
from shortlist.settings.tree import Settings, leaves, value_of

_HEAD = """\
# Settings

Written by `shortlist settings --reference`; edit the descriptions in `src/shortlist/settings/`.

Each setting has one dotted name. The first source that names it wins:

1. the command line: `--set {name}={value}`, repeatable, on every verb;
2. the environment: `{variable}={value}`;
3. a YAML file: `--config FILE`, else `SHORTLIST_CONFIG`, else `./shortlist.yaml`;
4. the kind of log, by `datasets.source`: {logs};
5. a preset: `--preset`, else `SHORTLIST_PRESET`, else `preset:` in the file, else `demo`;
6. the default, which is the preset `full`.

A value means the same in each of them. A misspelt name is refused, with the nearest one.
`shortlist settings` prints what is in force and where it comes from.
"""


def reference_page() -> str:
    """All settings as one Markdown page: type, default, what the presets change, description."""
    name = "evaluation.users"
    logs = "; ".join(
        f"`{kind}` has {', '.join(f'`{key}={value}`' for key, value in values.items())}"
        for kind, values in LOGS.items()
        if values
    )
    parts = [_HEAD.format(name=name, variable=variable_name(name), value=500, logs=logs)]
    branches = groupby(leaves(), key=lambda leaf: leaf[0].rpartition(".")[0])
    for branch, fields in branches:
        parts.append(f"\n## {branch or 'Top level'}\n\n")
        parts.append("| setting | type | default (`full`) | `tiny` | `demo` | what it is |\n")
        parts.append("| --- | --- | --- | --- | --- | --- |\n")
        parts.extend(_row(name, field) for name, field in fields)
    return "".join(parts)


def _row(name: str, field: FieldInfo) -> str:
    default = _code(value_of(Settings(), name))
    cells = [
        _code(name),
        _type_name(field.annotation),
        default,
        _difference(PRESETS["tiny"], name),
        _difference(PRESETS["demo"], name),
        field.description or "",
    ]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _difference(preset: Mapping[str, object], name: str) -> str:
    return _code(preset[name]) if name in preset else ""


def _code(value: object) -> str:
    return f"`{value}`"


def _type_name(annotation: Any) -> str:
    """A type in a reader's words.

    >>> _type_name(tuple[float, ...]), _type_name(int | typing.Annotated[None, 0])
    ('list of float', 'int or none')
    """
    origin = typing.get_origin(annotation)
    inside = [option for option in typing.get_args(annotation) if option is not Ellipsis]
    if origin is typing.Literal:
        return " or ".join(_code(choice) for choice in inside)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_alternatives(inside))
    if origin in (tuple, list, set, frozenset):
        return f"list of {' or '.join(dict.fromkeys(_alternatives(inside)))}"
    if origin is not None:
        return str(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Path):
        return "path"
    return str(annotation.__name__)


def _alternatives(options: list[Any]) -> Iterator[str]:
    for option in options:
        # With bounds of its own, or bare.
        bare = option.__origin__ if typing.get_origin(option) is typing.Annotated else option
        yield "none" if bare is types.NoneType else _type_name(bare)
