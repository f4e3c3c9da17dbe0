"""A room's row names every library that shapes what it computes."""

import ast
import importlib
import pkgutil
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions
from pathlib import Path

import pytest

import shortlist.steps
from shortlist import libraries
from shortlist.encoders.cache import encode_texts
from shortlist.encoders.hashing import HashingEncoder
from shortlist.libraries import versions_for
from shortlist.settings import Settings
from shortlist.steps.step import Step
from shortlist.world.generate import world_key

# Libraries that say what is asked or shown, or hold threads, and compute nothing.
SHAPELESS = {"huggingface_hub", "jinja2", "matplotlib", "pydantic", "pydantic_core", "rich"}
SHAPELESS |= {"aiohttp", "threadpoolctl", "yaml"}
# Files that compute nothing of a result, with whatever library.
BESIDE = ("steps/logs.py",)


def imported(room: str) -> set[str]:
    """Packages of others that a room's files import, anywhere in them."""
    base = Path(shortlist.__file__).parent
    names: set[str] = set()
    for file in set((base / room).rglob("*.py")) - {base / name for name in BESIDE}:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"shortlist"}


def rooms() -> set[str]:
    modules = [
        importlib.import_module(f"shortlist.steps.{found.name}")
        for found in pkgutil.iter_modules(shortlist.steps.__path__)
    ]
    steps = [each for module in modules for each in vars(module).values() if isinstance(each, Step)]
    return {source.partition("/")[0] for step in steps for source in step.sources}


def test_every_library_that_a_steps_room_computes_with_is_named() -> None:
    distributions = packages_distributions()
    for room in rooms():
        of_room = versions_for([room])
        missing = {
            package
            for package in imported(room) - SHAPELESS
            if not set(distributions[package]) & set(of_room)
        }
        assert (room, missing) == (room, set())


def test_the_version_of_a_library_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step("train", ("ranker",))
    other = Step("items", ("datasets",))

    def keys() -> tuple[str, str]:
        return (step.dependencies(Settings(), {}).key, other.dependencies(Settings(), {}).key)

    before = keys()
    assert keys() == before
    installed = libraries.version
    monkeypatch.setattr(
        libraries, "version", lambda name: "99" if name == "torch" else installed(name)
    )
    assert keys()[0] != before[0]
    assert keys()[1] == before[1]


def test_data_and_vectors_are_made_anew_by_other_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def made() -> tuple[str, int]:
        encoded = encode_texts(["tags: cats"], HashingEncoder(64), tmp_path, limit=1_000_000)
        return world_key(Settings().world, 1), encoded.reused

    before, _ = made()
    assert made() == (before, 1)
    installed = libraries.version
    monkeypatch.setattr(
        libraries, "version", lambda name: "99" if name == "numpy" else installed(name)
    )
    after, reused = made()
    assert after != before
    assert reused == 0


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(libraries, "version", none)
    assert versions_for(["ranker"]) == {}
