"""Outputs that were used last stay; nothing goes from under a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shortlist.cli import main as cli
from shortlist.errors import RefusedError
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps.engine import Engine
from shortlist.steps.prune import in_use, prune
from shortlist.steps.step import Step


def output(steps: Path, name: str, used: int) -> Path:
    path = steps / name
    (path / "finished/output").mkdir(parents=True)
    (path / "finished/output/table").write_text("a table")
    (path / ".lock").touch()
    os.utime(path / ".lock", (used, used))
    return path


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    for at in range(5):
        output(tmp_path / "steps", f"train/{at}", used=100 + at)
    output(tmp_path / "steps", "gate/0", used=1)
    return tmp_path / "steps"


def test_of_each_step_those_that_were_used_last_stay(steps: Path):
    os.utime(steps / "train/0/.lock", (500, 500))  # Found again.
    told = prune(steps, 2, dry_run=True)
    assert [(old.step, old.path.name, old.size) for old in told] == [
        ("train", name, 7) for name in ("3", "2", "1")
    ]
    assert len(list(steps.glob("train/*"))) == 5
    assert prune(steps, 2) == told
    assert sorted(path.name for path in steps.glob("*/*")) == ["0", "0", "4"]
    assert prune(steps, 2) == []
    assert prune(steps / "nowhere", 1) == []


def test_what_a_killed_prune_left_goes_with_the_next(steps: Path):
    (steps / "train/0").rename(steps / ".staging-train-0")
    prune(steps, 9)
    assert not (steps / ".staging-train-0").exists()
    assert len(list(steps.glob("train/*"))) == 4


def test_nothing_goes_while_a_run_is_at_work(steps: Path):
    with in_use(steps), in_use(steps), pytest.raises(RefusedError, match="prune when it has ended"):
        prune(steps, 1)
    assert len(prune(steps, 1)) == 4


RUN = """
import sys
from pathlib import Path
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps.engine import Engine
from shortlist.steps.step import Step

engine = Engine(Settings(paths=PathsSettings(work=Path(sys.argv[1]))), Stages(say=str))
engine.run(Step("items", ("errors.py",)), {}, lambda into, scratch: "")
print("found", flush=True)
sys.stdin.read()
"""


def test_a_run_holds_what_it_found_until_its_process_ends(
    steps: Path, capsys: pytest.CaptureFixture[str]
):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(steps.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "found\n"
    pruned = ["steps", "prune", "--keep", "1", "--set", f"paths.work={steps.parent}"]
    assert cli.run(pruned) == RefusedError.exit_code
    assert "a run is at work" in capsys.readouterr().err
    run.communicate("")
    assert cli.run(pruned) == 0
    assert "freed 28 B" in capsys.readouterr().out
    assert [path.name for path in (steps / "train").iterdir()] == ["4"]


def test_an_output_that_is_found_again_counts_as_used(tmp_path: Path):
    settings = Settings(paths=PathsSettings(work=tmp_path))
    engine = Engine(settings, Stages(say=lambda line: None))
    step = Step("items", ("errors.py",))

    def run(data: str) -> None:
        engine.run(step, {"data": data}, lambda into, scratch: "")

    for data in ("old", "new"):
        run(data)
    homes = list((tmp_path / "steps/items").iterdir())
    for home in homes:
        os.utime(home / ".lock", (100, 100))
    run("old")
    assert sum((home / ".lock").stat().st_mtime > 100 for home in homes) == 1
