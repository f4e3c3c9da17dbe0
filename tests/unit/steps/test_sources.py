"""Every step names all the code it runs: a room it imports and does not name would go unnoticed."""

import importlib
from functools import cache

import grimp
import pytest

from shortlist.steps.step import Step

# Code that every step stands on and that shapes no byte of what it puts out.
COMMON = (
    "shortlist.errors",
    "shortlist.evaluation.memory",
    "shortlist.evaluation.scorecard",
    "shortlist.evaluation.stages",
    "shortlist.files",
    "shortlist.libraries",
    "shortlist.progress",
    "shortlist.settings",
    "shortlist.source",
    "shortlist.spelling",
    "shortlist.steps.engine",
    "shortlist.steps.output",
    "shortlist.steps.prune",
    "shortlist.steps.step",
)
STEPS = {
    "shortlist.steps.evaluate": "EVALUATE",
    "shortlist.steps.gate": "GATE",
    "shortlist.steps.index": "INDEX",
    "shortlist.steps.items": "ITEMS",
    "shortlist.steps.recall": "RECALL",
    "shortlist.steps.reference": "REFERENCE",
    "shortlist.steps.slate": "SLATE",
    "shortlist.steps.train": "TRAIN",
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("shortlist", cache_dir=None)


def reached(module: str) -> set[str]:
    return {module} | graph().find_upstream_modules(module)


def named(step: Step) -> set[str]:
    return {f"shortlist.{name.removesuffix('.py').replace('/', '.')}" for name in step.sources}


def within(module: str, packages: set[str] | tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("module", STEPS)
def test_a_step_names_every_module_that_it_reaches(module: str) -> None:
    step: Step = getattr(importlib.import_module(module), STEPS[module])
    packages = {package for package in graph().modules if graph().find_children(package)}
    missing = {
        name
        for name in reached(module) - packages
        if not within(name, named(step)) and not within(name, COMMON)
    }
    assert missing == set()
    unreached = {
        name for name in named(step) if not any(within(m, {name}) for m in reached(module))
    }
    assert unreached == set()


def test_every_step_is_looked_at() -> None:
    found = {
        (module, name)
        for module in graph().find_children("shortlist.steps")
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, Step) and module == f"shortlist.steps.{value.name}"
    }
    assert found == set(STEPS.items())
