"""The chart's README and its schema, written from the comments of values.yaml: `make chart`.

A comment that begins with ``# --`` describes the key below it, ``# @schema`` narrows what that may
be; a type is that of the default. What ``settings`` may hold is asked of Shortlist itself.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from shortlist.settings.tree import Settings

CHART: Final = Path(__file__).parent / "shortlist"
DESCRIBED: Final = "# -- "
NARROWED: Final = "# @schema "
DECIDED_BY_THE_CHART: Final = {
    "": ("preset", "paths"),
    "DatasetsSettings": ("live",),
    "RemoteSettings": ("endpoint", "region", "tls_ca", "url"),
    "ServingSettings": (
        "bundle",
        "clock",
        "drain_seconds",
        "java",
        "keys",
        "lame_duck_seconds",
        "predictor_address",
        "predictor_endpoints",
        "predictor_management_port",
        "predictor_metrics_port",
        "predictor_port",
        "predictor_start_seconds",
        "predictor_url",
        "predictor_workers",
        "transformer_address",
        "transformer_port",
    ),
    "OnlineSettings": (
        "cluster",
        "embedded_port",
        "password",
        "tls_ca",
        "tls_certificate",
        "tls_key",
        "url",
        "username",
    ),
}
"""Settings, by their class, that the chart's own values or Kubernetes decide."""

_TYPES: Final = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


@dataclass(frozen=True)
class Value:
    """One value of the chart.

    Attributes:
        path: its keys, from the outermost.
        default: of values.yaml.
        description: of the comment.
        narrowed: what `@schema` adds to the type of the default.
    """

    path: tuple[str, ...]
    default: Any
    description: str
    narrowed: Mapping[str, Any]


def values(text: str) -> Iterator[Value]:
    """The values that a values.yaml describes, in its order.

    Args:
        text: of the file: two spaces a level, and no comment that is not above a key.

    Raises:
        ValueError: a value has no description.
    """
    defaults = yaml.safe_load(text)
    path: list[str] = []
    comments: list[str] = []
    described: set[tuple[str, ...]] = set()
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comments.append(bare)
            continue
        key = bare.partition(":")[0]
        depth = (len(line) - len(line.lstrip())) // 2
        if bare and path[:depth] not in map(list, described):
            path[depth:] = [key]
            description, narrowed = _read(comments)
            if description:
                described.add(tuple(path))
                yield Value(tuple(path), _at(defaults, path), description, narrowed)
        comments = []
    missing = sorted(set(_leaves(defaults)) - described)
    missing = [one for one in missing if not any(one[: len(of)] == of for of in described)]
    if missing:
        raise ValueError(f"values.yaml does not describe {', '.join(map('.'.join, missing))}")


def _read(comments: list[str]) -> tuple[str, dict[str, Any]]:
    description: list[str] = []
    narrowed: dict[str, Any] = {}
    for comment in comments:
        if comment.startswith(DESCRIBED):
            description = [comment.removeprefix(DESCRIBED)]
        elif comment.startswith(NARROWED):
            narrowed = yaml.safe_load(comment.removeprefix(NARROWED))
        elif description:
            description.append(comment.removeprefix("# "))
    return " ".join(description), narrowed


def _at(tree: Any, path: list[str]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def schema(text: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of the values, closed at every level.

    Args:
        text: of values.yaml.
        definitions: what `$ref` in it may name.
    """
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by `make chart` from values.yaml and its comments.",
        **_closed(),
        "$defs": {**definitions, **_settings()},
    }
    # What Helm itself adds for a chart that is a part of another one.
    root["properties"]["global"] = {"type": "object", "description": "Of a parent chart."}
    for value in values(text):
        branch = root
        for key in value.path[:-1]:
            _require(branch, key)
            branch = branch["properties"].setdefault(key, _closed())
        _require(branch, value.path[-1])
        branch["properties"][value.path[-1]] = {
            "description": value.description,
            "type": _TYPES[type(value.default)],
            **value.narrowed,
        }
    return root


def _require(branch: dict[str, Any], key: str) -> None:
    """Null takes a default away, and templates read every value."""
    if key not in branch["required"]:
        branch["required"].append(key)


def _closed() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


def _settings() -> dict[str, Any]:
    """The tree of settings, without what the chart decides, and every class of it."""
    tree = deepcopy(Settings.model_json_schema())
    classes: dict[str, Any] = {"settings": tree, **tree.pop("$defs")}
    for name, decided in DECIDED_BY_THE_CHART.items():
        for field in decided:
            del classes[name or "settings"]["properties"][field]
    classes.pop("PathsSettings")
    for one in classes.values():
        for told in one["properties"].values():
            # A default here would be that of `full`, whatever the preset.
            for word in ("default", "title", "format"):
                told.pop(word, None)
        one.pop("title", None)
        one["additionalProperties"] = False
    return classes


def readme(head: str, text: str) -> str:
    """The chart's README: what stands in ``head``, and the table of values."""
    rows = [head.rstrip(), "", "| value | default | what it is |", "| --- | --- | --- |"]
    for value in values(text):
        default = json.dumps(value.default)
        rows.append(f"| `{'.'.join(value.path)}` | `{default}` | {value.description} |")
    return "\n".join(rows).replace("||", "\\|\\|") + "\n"


def pages() -> dict[Path, str]:
    """Every page, by the file it belongs in."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    definitions = yaml.safe_load((CHART.parent / "definitions.yaml").read_text(encoding="utf-8"))
    head = (CHART.parent / "README.head.md").read_text(encoding="utf-8")
    return {
        CHART / "values.schema.json": json.dumps(schema(text, definitions), indent=2) + "\n",
        CHART / "README.md": readme(head, text),
    }


def main() -> int:
    """Write them."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
