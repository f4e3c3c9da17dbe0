"""A step's key names its code, its settings and its inputs, and nothing else."""

from pathlib import Path

import pytest

from shortlist.settings import Settings
from shortlist.settings.loading import load
from shortlist.steps.step import Step, settings_of

STEP = Step("recall", ("room",), settings=("seed", "recall"), free=("recall.candidates",))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("room/one.py", "other/two.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("A = 1\n")
    return tmp_path


def under(*assignments: str) -> Settings:
    return load(assignments=assignments, environ={"SHORTLIST_CONFIG": ""}).settings


def key(package: Path, settings: Settings | None = None, **inputs: str) -> str:
    return STEP.dependencies(settings or Settings(), inputs or {"data": "d"}, package).key


def test_the_same_dependencies_give_the_same_key(package: Path):
    assert key(package) == key(package)
    assert key(package, a="1", b="2") == key(package, b="2", a="1")


def test_its_code_its_settings_and_its_inputs_change_the_key(package: Path):
    keys = [key(package), key(package, under("seed=7")), key(package, data="e")]
    (package / "room/one.py").write_text("A = 2\n")
    keys.append(key(package))
    keys.append(Step("other", ("room",)).dependencies(Settings(), {"data": "d"}, package).key)
    assert len(set(keys)) == 5


def test_other_code_other_settings_and_free_ones_do_not(package: Path):
    before = key(package)
    (package / "other/two.py").write_text("A = 2\n")
    assert key(package, under("ranker.history=3", "paths.work=x", "recall.candidates=7")) == before


def test_an_input_is_not_taken_for_another(package: Path):
    assert key(package, a="1", b="2") != key(package, a="2", b="1")


@pytest.mark.parametrize("name", ["reccall", "recall.candidate", "rec"])
def test_a_name_that_is_no_setting_is_an_error(name: str):
    with pytest.raises(ValueError, match=name):
        settings_of(Settings(), (name,))
    with pytest.raises(ValueError, match=name):
        settings_of(Settings(), ("seed",), without=(name,))


def test_settings_are_written_as_json_has_them():
    found = settings_of(Settings(), ("world.first_day", "paths.work", "seed"))
    assert found == {"seed": 20260101, "paths.work": "work", "world.first_day": "2026-01-05"}
