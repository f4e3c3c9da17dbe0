"""The order of the sources, and refusals that name setting, value and source."""

from pathlib import Path

import pytest

from shortlist.errors import NotFoundError, SettingsError
from shortlist.settings import Settings, load, preset_settings
from shortlist.settings.presets import LOGS, PRESETS, Preset
from shortlist.settings.tree import value_of

NO_FILE = {"SHORTLIST_CONFIG": ""}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_source_gives_way_to_the_one_above_it() -> None:
    Path("s.yaml").write_text("preset: tiny\nevaluation:\n  users: 3\n")
    environ = {"SHORTLIST_CONFIG": "s.yaml"}
    name = "evaluation.users"

    def in_force(assignments: tuple[str, ...] = (), **variables: str) -> tuple[object, str]:
        state = load(assignments=assignments, environ={**environ, **variables})
        return value_of(state.settings, name), state.origins[name]

    assert in_force([f"{name}=5"], SHORTLIST_EVALUATION__USERS="4") == (5, "command line")
    assert in_force(SHORTLIST_EVALUATION__USERS="4") == (
        4,
        "environment SHORTLIST_EVALUATION__USERS",
    )
    assert in_force() == (3, "file s.yaml")
    Path("s.yaml").write_text("preset: tiny\n")
    assert in_force() == (PRESETS["tiny"][name], "preset tiny")
    Path("s.yaml").write_text("")
    assert in_force() == (Settings().evaluation.users, "default")


def test_the_kind_of_log_stands_between_a_preset_and_what_somebody_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "slate.trade_off"
    monkeypatch.setattr("shortlist.settings.sources.PRESETS", {**PRESETS, "tiny": {name: 0.7}})

    def in_force(*assignments: str, **variables: str) -> tuple[object, str]:
        environ = {**NO_FILE, **variables}
        state = load(preset="tiny", assignments=assignments, environ=environ)
        return value_of(state.settings, name), state.origins[name]

    log = "datasets.source=kuairand:/logs"
    assert in_force() == (0.7, "preset tiny")
    assert in_force(log) == (0.0, "log kuairand")
    assert in_force(SHORTLIST_DATASETS__SOURCE="kuairand:/logs") == (0.0, "log kuairand")
    # The last word on the log is the command line's.
    worlds = {"SHORTLIST_DATASETS__SOURCE": "kuairand:/logs"}
    assert in_force("datasets.source=world", **worlds) == (0.7, "preset tiny")
    written = (0.3, "environment SHORTLIST_SLATE__TRADE_OFF")
    assert in_force(log, SHORTLIST_SLATE__TRADE_OFF="0.3") == written
    assert in_force(log, f"{name}=0.2") == (0.2, "command line")


def test_every_kind_of_log_has_valid_differences() -> None:
    for kind, differences in LOGS.items():
        state = load(assignments=[f"datasets.source={_place(kind)}"], environ=NO_FILE)
        for name, value in differences.items():
            assert value_of(state.settings, name) == value
            assert state.origins[name] == f"log {kind}"


def _place(kind: str) -> str:
    return kind if kind == "world" else f"{kind}:/logs"


def test_on_a_real_log_nothing_is_limited_that_its_judge_does_not_know() -> None:
    slate = load(assignments=["datasets.source=kuairand:/logs"], environ=NO_FILE).settings.slate
    assert slate.trade_off == 0
    assert slate.tag_limit >= slate.size


def test_what_nobody_said_was_not_told() -> None:
    state = load(
        assignments=["datasets.source=kuairand:/logs"],
        environ={**NO_FILE, "SHORTLIST_SLATE__SIZE": "7"},
        preset="tiny",
    )
    assert state.told("datasets.source")
    assert state.told("slate.size")
    by_origin = {"slate.trade_off": "log", "slate.more_tags": "preset", "slate.epsilon": "default"}
    for name, origin in by_origin.items():
        assert state.origins[name].startswith(origin)
        assert not state.told(name)


def test_sources_that_set_different_names_of_one_branch_are_merged() -> None:
    state = load(
        assignments=["evaluation.k=5"],
        environ={**NO_FILE, "SHORTLIST_EVALUATION__BOOTSTRAP": "300"},
        preset="tiny",
    )
    evaluation = state.settings.evaluation
    assert (evaluation.k, evaluation.bootstrap, evaluation.users) == (5, 300, 100)


def test_the_file_of_the_command_line_wins_over_the_variable_and_the_local_one() -> None:
    for name, seed in {"shortlist.yaml": 1, "variable.yaml": 2, "option.yaml": 3}.items():
        Path(name).write_text(f"seed: {seed}\n")
    assert load(environ={}).settings.seed == 1
    assert load(environ={"SHORTLIST_CONFIG": "variable.yaml"}).settings.seed == 2
    both = load(environ={"SHORTLIST_CONFIG": "variable.yaml"}, config=Path("option.yaml"))
    assert both.settings.seed == 3
    assert load(environ=NO_FILE).settings == Settings()


def test_a_file_that_was_asked_for_must_exist() -> None:
    with pytest.raises(NotFoundError, match=r"no settings file nope\.yaml"):
        load(environ={"SHORTLIST_CONFIG": "nope.yaml"})


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_may_come_from_any_source(preset: Preset) -> None:
    Path("s.yaml").write_text(f"preset: {preset}\n")
    expected = preset_settings(preset)
    assert load(preset=preset, environ={}).settings == expected
    assert load(assignments=[f"preset={preset}"], environ={}).settings == expected
    assert load(environ={"SHORTLIST_PRESET": preset}).settings == expected
    assert load(config=Path("s.yaml"), environ={}).settings == expected
    assert load(default_preset=preset, environ={}).settings == expected
    assert expected.preset == preset


def test_every_preset_is_valid_and_typed() -> None:
    for preset, differences in PRESETS.items():
        for name, value in differences.items():
            assert value_of(preset_settings(preset), name) == value


def test_a_misspelt_preset_is_refused_with_its_source_and_the_nearest_one() -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={**NO_FILE, "SHORTLIST_PRESET": "dmeo"})
    assert str(caught.value) == (
        "environment SHORTLIST_PRESET: no preset 'dmeo'; did you mean demo?"
    )


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        (
            "world.users=many",
            "world.users cannot be 'many' (command line): input should be a valid integer, "
            "unable to parse string as an integer",
        ),
        (
            "world.users=0",
            "world.users cannot be '0' (command line): input should be greater than or equal to 2",
        ),
        (
            "encoders.kind=hasing",
            "encoders.kind cannot be 'hasing' (command line): input should be 'hashing' or "
            "'transformers'",
        ),
        (
            "datasets.source=kuairand",
            "datasets.source cannot be 'kuairand' (command line): write world, or kuairand:PATH "
            "with the directory of KuaiRand's files",
        ),
        (
            "online.url=redis://h:6379/abc",
            "online.url cannot be 'redis://h:6379/abc' (command line): a database is a number: "
            "write redis://HOST:PORT/0",
        ),
        (
            "serving.budget_ms=10",
            "serving: reserve_ms (15) leaves the predictor nothing of budget_ms (10); lower the "
            "one or raise the other",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_setting_value_and_source(
    assignment: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(assignments=[assignment], environ=NO_FILE)
    assert str(caught.value) == sentence


def test_a_list_where_one_value_belongs_is_refused() -> None:
    Path("s.yaml").write_text("seed: [1, 2]\n")
    with pytest.raises(SettingsError, match=r"^seed cannot be \['1', '2'\] \(file s.yaml\): "):
        load(config=Path("s.yaml"), environ={})


def test_further_wrong_values_are_counted() -> None:
    with pytest.raises(SettingsError, match=r"^seed cannot be 'x' .* \(and 1 more\)$"):
        load(assignments=["seed=x", "evaluation.k=y"], environ=NO_FILE)


def test_the_tree_itself_reads_nothing_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHORTLIST_SEED", "99")
    assert Settings().seed != 99
    assert load().settings.seed == 99
