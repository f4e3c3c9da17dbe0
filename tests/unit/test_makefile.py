"""The Makefile passes what it was given on to uv and to the demo; shown, not run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def shown(*arguments: str, **variables: str) -> str:
    """What `make` would run to set up afresh and go on."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("UV_", "PIP_", "MAKE", "MFLAGS"))
        and name
        not in {"FIND_LINKS", "INDEX_URL", "EXTRA_INDEX_URL", "TORCH_BACKEND", "PRESET", "DATA"}
    }
    ended = subprocess.run(
        ["make", "--dry-run", "--what-if=pyproject.toml", *arguments],
        cwd=ROOT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout


def test_the_cpu_build_of_torch_is_asked_for_first_and_the_indexes_own_after_it() -> None:
    installs = [line for line in shown("venv").splitlines() if "pip install --python" in line]
    assert ["--torch-backend cpu" in line for line in installs] == [True, False]


def test_a_cpu_wheel_at_hand_is_taken_without_asking_another_index(tmp_path: Path) -> None:
    (tmp_path / "torch-2.13.0+cpu-cp311.whl").touch()
    plan = shown("venv", f"FIND_LINKS={tmp_path}")
    assert f"--find-links {tmp_path}" in plan
    assert "--torch-backend" not in plan


@pytest.mark.parametrize("variable", ["UV_FIND_LINKS", "PIP_FIND_LINKS", "FIND_LINKS"])
def test_a_directory_of_wheels_that_does_not_exist_is_dropped(
    variable: str, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    places = f"{tmp_path}/wheels {tmp_path}/none"
    plan = shown("venv", **{variable: places})
    assert f"--find-links {tmp_path}/wheels" in plan
    assert "none" not in plan


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "PIP_INDEX_URL", "INDEX_URL"])
def test_another_index_is_passed_on(variable: str) -> None:
    plan = shown("venv", **{variable: "https://index.test/simple"})
    assert "--default-index https://index.test/simple" in plan


@pytest.mark.parametrize("variable", ["UV_INDEX", "PIP_EXTRA_INDEX_URL", "EXTRA_INDEX_URL"])
def test_a_further_index_is_passed_on(variable: str) -> None:
    plan = shown("venv", **{variable: "https://more.test/simple"})
    assert "--index https://more.test/simple" in plan
    assert "--default-index" not in plan


def test_what_needs_kubectl_is_tested_with_the_cluster() -> None:
    (line,) = (line for line in shown("e2e", "TAG=7").splitlines() if "pytest" in line)
    assert "SHORTLIST_E2E_TAG='7'" in line
    assert "tests/e2e tests/unit/chart/test_manifests.py" in line


def test_the_demo_gets_its_size_and_its_data() -> None:
    plan = shown("demo", "PRESET=tiny", "DATA=kuairand:/my logs")
    chosen = "--preset 'tiny' --set 'datasets.source=kuairand:/my logs'"
    assert f"shortlist demo {chosen}" in plan
    assert f"shortlist up --try {chosen}" in plan
    last = [line.strip() for line in shown("demo").splitlines()][-2:]
    assert last == [".venv/bin/shortlist demo", ".venv/bin/shortlist up --try"]


def test_the_tests_come_after_lint_types_and_contracts() -> None:
    plan = shown("test")
    steps = ["ruff check", "ruff format --check", "/mypy", "lint-imports", "-m pytest"]
    places = [plan.index(step) for step in steps]
    assert places == sorted(places)
