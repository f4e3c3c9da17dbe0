"""Overriding settings for the length of a test."""

import os
from pathlib import Path

import pytest

from shortlist.errors import SettingsError
from shortlist.settings import load, overridden, preset_settings


def ours() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name.startswith("SHORTLIST_")}


def test_everything_that_loads_settings_in_the_block_sees_the_override() -> None:
    with overridden({"world.users": "5"}) as settings:
        assert settings.world.users == 5
        assert load().settings == settings
    assert load().settings.world.users != 5


def test_the_override_starts_from_a_preset() -> None:
    with overridden({}, preset="demo") as settings:
        assert settings == preset_settings("demo")


def test_what_was_set_before_counts_for_nothing_inside_and_returns_after(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shortlist.yaml").write_text("seed: 3\n")
    monkeypatch.delenv("SHORTLIST_CONFIG")
    monkeypatch.setenv("SHORTLIST_SEED", "4")
    monkeypatch.setenv("SHORTLST_SEED", "5")
    before = ours()
    with overridden({}) as settings:
        assert settings.seed == preset_settings("tiny").seed
    assert ours() == before
    assert os.environ["SHORTLST_SEED"] == "5"


def test_a_misspelt_override_is_refused_and_leaves_nothing_behind() -> None:
    before = ours()
    with (
        pytest.raises(SettingsError, match="SHORTLIST_WORLD__USERS"),
        overridden({"world.usrs": "5"}),
    ):
        pass
    assert ours() == before


def test_an_exception_in_the_block_leaves_nothing_behind() -> None:
    before = ours()
    with pytest.raises(ZeroDivisionError), overridden({"seed": "1"}):
        _ = 1 / 0
    assert ours() == before
