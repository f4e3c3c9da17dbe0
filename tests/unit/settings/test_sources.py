"""What each source accepts, and what it refuses in one sentence."""

from pathlib import Path

import pytest

from shortlist.errors import NotFoundError, SettingsError
from shortlist.settings.presets import PRESETS, Preset
from shortlist.settings.sources import (
    from_assignments,
    from_environment,
    from_file,
    from_preset,
)
from shortlist.settings.tree import leaves


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return file


def test_the_last_assignment_of_a_name_wins() -> None:
    assert from_assignments(["seed=1", "seed=2"])() == {"seed": "2"}


def test_a_value_may_hold_an_equals_sign() -> None:
    assert from_assignments(["encoders.model=a=b"])() == {"encoders": {"model": "a=b"}}


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("world.usrs=5", "--set world.usrs names no setting; did you mean world.users?"),
        ("user=5", "--set user names no setting; did you mean world.users?"),
        ("world.users", "--set 'world.users' has no value; write --set NAME=VALUE"),
        (
            "world=5",
            "--set world is a branch, not a setting; set one of its settings, as in world.users",
        ),
        ("=5", "--set  names no setting; `shortlist settings` lists all names"),
    ],
)
def test_an_assignment_is_refused(assignment: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_assignments([assignment])
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SHORTLIST_WORLD__USRS", "SHORTLIST_WORLD__USERS"),
        ("SHORTLIST_WORLD_USERS", "SHORTLIST_WORLD__USERS"),
        ("SHORTLIST_SED", "SHORTLIST_SEED"),
        ("SHORTLIST_CONFG", "SHORTLIST_CONFIG"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_one(variable: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: "5"})
    assert str(caught.value) == f"environment {variable} names no setting; did you mean {meant}?"


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SHORTLST_SEED", "SHORTLIST_SEED"),
        ("SHORLTIST_SEED", "SHORTLIST_SEED"),
        ("SHORTLISTS_WORLD__USERS", "SHORTLIST_WORLD__USERS"),
        ("SHORT_LIST_RANKER__SEED", "SHORTLIST_RANKER__SEED"),
        ("SHORTLISTSEED", "SHORTLIST_SEED"),
        ("shortlist_seed", "SHORTLIST_SEED"),
        ("SHORTLST_CONFIG", "SHORTLIST_CONFIG"),
    ],
)
def test_a_variable_whose_prefix_is_misspelt_is_refused(variable: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: "5"})
    assert str(caught.value) == f"environment {variable} is not read; did you mean {meant}?"


def test_variables_of_others_are_left_alone() -> None:
    others = {
        "PATH": "/bin",
        "MY_SHORTLIST_SEED": "1",
        "_SHORTLIST_COMPLETE": "x",
        "SHORTLST_HOME": "near, but no setting follows",
        "SHELL_SEED": "a setting follows, but not near",
        "SEED": "2",
    }
    assert from_environment(others)() == {}


def test_a_branch_cannot_be_set_by_one_variable() -> None:
    with pytest.raises(SettingsError, match=r"is a branch, .* as in SHORTLIST_WORLD__USERS$"):
        from_environment({"SHORTLIST_WORLD": '{"users": 5}'})


def test_a_file_may_nest_names_or_write_them_with_dots(tmp_path: Path) -> None:
    nested = from_file(written(tmp_path, "world:\n  users: 5\nseed: 1\n"))()
    dotted = from_file(written(tmp_path, "world.users: 5\nseed: 1\n"))()
    assert nested == dotted == {"world": {"users": "5"}, "seed": "1"}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "world:\n", "{}"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert from_file(written(tmp_path, text))() == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("wrld:\n  users: 5\n", "wrld.users names no setting; did you mean world.users?"),
        ("world:\n  usrs: 5\n", "world.usrs names no setting; did you mean world.users?"),
        ("world: 5\n", "world is a branch, not a setting"),
        ("seed: 1\nseed: 2\n", "line 2, column 1: seed stands twice"),
        ("world.users: 1\nworld:\n  users: 2\n", "world.users is set twice"),
        ("seed: [1\n", "is not valid YAML: line 2, column 1"),
        ("just words\n", "must hold `name: value` lines, not 'just words'"),
        ("- seed\n", "must hold `name: value` lines, not ['seed']"),
    ],
)
def test_a_file_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        from_file(file)
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_runs_no_code(tmp_path: Path) -> None:
    assert from_file(written(tmp_path, "seed: !!python/object/apply:os.getcwd []\n"))() == {
        "seed": []
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no settings file .*nope\.yaml"):
        from_file(tmp_path / "nope.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path
    if content is not None:
        path = tmp_path / "s.yaml"
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read settings file"):
        from_file(path)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_name_settings_and_differ_from_the_defaults(preset: Preset) -> None:
    fields = dict(leaves())
    for name, value in from_preset(preset).values.items():
        assert fields[name].default != value, f"{name} in {preset} is the default: remove it"


def test_a_preset_that_names_no_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shortlist.settings.sources.PRESETS", {"tiny": {"world.usrs": 5}})
    with pytest.raises(SettingsError, match=r"preset tiny: world.usrs names no setting"):
        from_preset("tiny")
