"""The chart's README and schema are those of values.yaml, and leave nothing open."""

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import lint

HELM = Path(__file__).parents[3] / "helm"
CHART = HELM / "shortlist"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(HELM / "values_pages.py"))


def branches(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        for part in schema.values():
            yield from branches(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from branches(part)


def test_readme_and_schema_are_current(program: dict[str, Any]) -> None:
    for path, text in program["pages"]().items():
        assert path.read_text(encoding="utf-8") == text, f"run `make chart`: {path.name}"


def test_the_schema_is_closed_at_every_level() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    found = list(branches(schema))
    assert len(found) > 40
    assert all(one["additionalProperties"] is False for one in found)


def test_a_value_without_a_description_is_named(program: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"does not describe b\.c"):
        list(program["values"]("# -- A.\na: 1\nb:\n  c: 2\n"))


def test_comments_become_description_type_and_bounds(program: dict[str, Any]) -> None:
    text = "a:\n  # -- How many\n  # of them.\n  # @schema {minimum: 1}\n  b: 2\n"
    found = program["schema"](text, {})["properties"]["a"]
    assert found["properties"]["b"] == {
        "description": "How many of them.",
        "type": "integer",
        "minimum": 1,
    }


def test_what_the_chart_decides_is_no_setting() -> None:
    settings = json.loads((CHART / "values.schema.json").read_text())["$defs"]
    assert "paths" not in settings["settings"]["properties"]
    assert "keys" not in settings["ServingSettings"]["properties"]
    assert "budget_ms" in settings["ServingSettings"]["properties"]


@pytest.mark.parametrize("path", [None, *sorted((CHART / "ci").glob("*-values.yaml"))], ids=str)
def test_helm_lints_it_without_a_complaint(path: Path | None) -> None:
    values = {} if path is None else yaml.safe_load(path.read_text())
    report = lint(CHART, values, strict=True)
    complaints = [one for one in report["messages"] if one["severity"] > 1]
    assert (complaints, report["errors"]) == ([], [])
