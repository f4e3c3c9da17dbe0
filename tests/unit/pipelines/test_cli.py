"""`shortlist pipeline` is brought by its package, and says what to install where kfp is missing."""

import sys
from pathlib import Path

import pytest

from shortlist.cli import main as cli

GOLDEN = Path(__file__).parents[3] / "pipelines/shortlist.yaml"


def test_the_verb_comes_by_its_entry_point():
    (verb,) = [verb for verb in cli.brought() if verb.name == "pipeline"]
    assert verb.module == "pipelines.cli"
    assert "pipeline" not in {verb.name for verb in cli.VERBS}


def test_compile_writes_the_file_where_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "deep/pipeline.yaml"
    assert cli.run(["pipeline", "compile", "--output", str(target)]) == 0
    assert capsys.readouterr().out == f"pipeline: {target}\n"
    assert target.read_bytes() == GOLDEN.read_bytes()
    assert cli.run(["pipeline", "compile", "--output", str(target), "--node", "pool"]) == 65


@pytest.mark.parametrize(
    "arguments",
    [
        ["pipeline", "compile", "--preset", "tiny"],
        ["pipeline", "compile", "--set", "seed=7"],
        ["--preset", "tiny", "pipeline", "compile"],
    ],
)
def test_compile_refuses_settings_that_it_would_not_heed(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "pipeline.yaml"
    assert cli.run([*arguments, "--output", str(target)]) == 65
    assert "compile takes no settings" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    "arguments",
    [["compile"], ["run"], ["submit", "--host", "http://h"], ["schedule", "--host=h", "--cron=0"]],
)
def test_without_kfp_the_extra_is_named(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in [name for name in sys.modules if name.split(".")[0] in ("kfp", "pipelines")]:
        if name not in ("pipelines", "pipelines.cli"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kfp", None)
    assert cli.run(["pipeline", *arguments]) == 1
    assert capsys.readouterr().err == (
        "error: Kubeflow Pipelines' client is not installed here; install `shortlist[pipelines]`\n"
    )
