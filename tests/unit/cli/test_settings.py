"""`shortlist settings` prints what is in force and where it comes from."""

import json
from pathlib import Path

import pytest

from shortlist.cli.main import run
from shortlist.settings.reference import reference_page
from shortlist.settings.tree import leaves


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        printed(capsys, *arguments, "settings", "--json")
    )
    return found


def test_json_has_every_setting_with_typed_value_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = rows(capsys)
    assert list(found) == [name for name, _ in leaves()]
    assert found["preset"] == {"value": "demo", "source": "default"}
    assert found["encoders.width"] == {"value": 768, "source": "default"}


def test_options_count_before_the_verb_and_after_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("encoders:\n  width: 64\n")
    before = ["--preset", "tiny", "--config", str(file), "--set", "seed=1"]
    assert run([*before, "settings", "--json"]) == 0
    first = capsys.readouterr().out
    assert run(["settings", *before, "--json"]) == 0
    assert capsys.readouterr().out == first
    found = json.loads(first)
    assert found["seed"] == {"value": 1, "source": "command line"}
    assert found["encoders.width"] == {"value": 64, "source": f"file {file}"}
    assert found["evaluation.users"]["source"] == "preset tiny"


def test_an_option_after_the_verb_wins_over_one_before_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, after = ["--set", "seed=1", "--preset", "tiny"], ["--set", "seed=2", "--preset", "full"]
    assert run([*before, "settings", *after, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["seed"]["value"], found["preset"]["value"]) == (2, "full")


def test_the_environment_is_named_as_a_source(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHORTLIST_WORLD__USERS", "500")
    assert rows(capsys)["world.users"] == {
        "value": 500,
        "source": "environment SHORTLIST_WORLD__USERS",
    }


def test_the_table_is_not_clipped_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 100
    text = printed(capsys, "settings", "--set", f"encoders.model={long}")
    assert long in text
    assert all(name in text for name, _ in leaves())


def test_the_reference_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "settings", "--reference") == reference_page()


def test_a_missing_file_has_the_exit_code_of_things_not_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["settings", "--config", "nope.yaml"]) == 66
    assert capsys.readouterr().err == "error: no settings file nope.yaml; check --config\n"
