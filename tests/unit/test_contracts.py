"""The import contracts say what they mean: no chain of imports leads round them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest

WORLD = "shortlist.world"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("shortlist", include_external_packages=True, cache_dir=None)


def contract(name: str) -> dict[str, Any]:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    found: dict[str, Any] = next(entry for entry in contracts if entry["name"] == name)
    return found


def within(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def reaches_the_world(module: str) -> bool:
    return graph().chain_exists(importer=module, imported=WORLD, as_packages=False) or any(
        graph().chain_exists(importer=module, imported=below)
        for below in graph().find_descendants(WORLD)
    )


def insiders() -> list[str]:
    seal = contract("The truth stays sealed")
    return [WORLD, *seal["protected_modules"], *seal["allowed_importers"]]


def test_no_chain_of_imports_leads_from_an_outsider_to_the_world() -> None:
    outsiders = [
        module
        for module in graph().modules
        if within(module, ["shortlist"]) and not within(module, insiders())
    ]
    assert len(outsiders) > 20
    assert [module for module in outsiders if reaches_the_world(module)] == []


def test_only_the_judge_the_oracle_the_steps_and_who_calls_these_are_insiders() -> None:
    allowed = [
        WORLD,
        "shortlist.baselines.oracle",
        "shortlist.evaluation",
        "shortlist.steps",
        "shortlist.cli",
        "components",
    ]
    assert [module for module in insiders() if not within(module, allowed)] == []
    for room in ("shortlist.evaluation", "shortlist.steps"):
        assert room not in insiders(), "its truth-free modules would be insiders too"


def test_whoever_may_import_the_world_is_sealed_as_well() -> None:
    seal = contract("The truth stays sealed")
    assert set(seal["allowed_importers"]) - {"shortlist.cli", "components"} <= set(
        seal["protected_modules"]
    )


@pytest.mark.parametrize("heavy", ["torch", "transformers", "sklearn", "lightgbm", "implicit"])
def test_light_rooms_are_under_contract_against_each_model_library(heavy: str) -> None:
    assert heavy in contract("Light rooms load no model library")["forbidden_modules"]


def test_nobody_imports_the_command_line() -> None:
    verbs = graph().find_descendants("shortlist.cli") | {"shortlist.cli"}
    importers = {who for verb in verbs for who in graph().find_modules_that_directly_import(verb)}
    assert importers <= verbs
