"""A step is done once: found again, redone where it must be, whole whatever kills it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

STEP = Step("slow", ("errors.py",), settings=("seed",), sidecars=("times.json",))
INPUTS = {"data": "digest of data"}


class Bench:
    """An engine over a directory, and what it said."""

    def __init__(self, work: Path, seed: int = 1) -> None:
        self.lines: list[str] = []
        self.engine = Engine(
            Settings(seed=seed, paths=PathsSettings(work=work)), Stages(say=self.lines.append)
        )
        self.calls = 0

    def run(self, text: str = "a", inputs: dict[str, str] = INPUTS) -> Output:
        def body(into: Path, scratch: Path) -> str:
            self.calls += 1
            (into / "deep").mkdir()
            (into / "deep/table").write_text(text)
            (into / "times.json").write_text(str(time.time_ns()))
            return "one table"

        return self.engine.run(STEP, inputs, body)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_finished_step_is_found_and_says_so(bench: Bench):
    first, second = bench.run(), bench.run()
    assert bench.calls == 1
    assert bench.lines[1] == "slow: one table (unchanged, reused)"
    assert (first.reused, second.reused) == (False, True)
    assert (first.path, first.digest) == (second.path, second.digest)
    assert (second.path / "deep/table").read_text() == "a"
    assert (second.path / "times.json").exists()


def test_another_engine_finds_it_too_and_other_settings_or_inputs_do_not(
    bench: Bench, tmp_path: Path
):
    bench.run()
    same, seeded = Bench(tmp_path), Bench(tmp_path, seed=2)
    same.run()
    seeded.run()
    same.run(inputs={"data": "other"})
    assert (same.calls, seeded.calls) == (1, 1)


def test_a_digest_tells_the_bytes_and_not_the_run(bench: Bench):
    one = bench.run("a")
    same = bench.run("a", {"data": "made otherwise, the same in the end"})
    other = bench.run("b", {"data": "other"})
    assert one.digest == same.digest != other.digest
    assert one.path != same.path


HURTS = (
    "edit",
    "same size",
    "delete",
    "add",
    "record",
    "run",
    "edit a sidecar",
    "delete a sidecar",
    "add a sidecar",
)


@pytest.mark.parametrize("hurt", HURTS)
def test_an_output_that_is_not_as_recorded_is_made_again(bench: Bench, hurt: str):
    whole = bench.run()
    table, home = whole.path / "deep/table", whole.path.parent
    match hurt:
        case "edit":
            table.write_text("longer")
        case "same size":
            table.write_text("b")
        case "delete":
            table.unlink()
        case "add":
            (whole.path / "foreign").touch()
        case "record":
            (home / "step.json").write_text("{}")
        case "run":
            (home / "run.json").unlink()
        case "edit a sidecar":
            (whole.path / "times.json").write_text("no time at all")
        case "delete a sidecar":
            (whole.path / "times.json").unlink()
        case "add a sidecar":
            (whole.path / "deep/times.json").touch()
    again = bench.run()
    assert (bench.calls, again.reused, again.digest) == (2, False, whole.digest)
    assert table.read_text() == "a"
    assert (whole.path / "times.json").read_text().isdigit()
    assert not (whole.path / "foreign").exists()
    assert not (whole.path / "deep/times.json").exists()


def test_a_copied_output_is_believed_by_its_bytes(bench: Bench):
    output = bench.run()
    for name in ("deep/table", "times.json"):
        os.utime(output.path / name)
    assert bench.run().reused


def test_a_step_that_fails_leaves_nothing_but_its_scratch(bench: Bench):
    def failing(into: Path, scratch: Path) -> str:
        (into / "half").touch()
        (scratch / "checkpoint").write_text("epoch 3")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.engine.run(STEP, INPUTS, failing)
    home = next(bench.engine.settings.paths.work.glob("steps/slow/*"))
    assert sorted(path.name for path in home.iterdir()) == [".lock", "scratch"]
    kept: list[str] = []

    def resuming(into: Path, scratch: Path) -> str:
        kept.append((scratch / "checkpoint").read_text())
        return ""

    bench.engine.run(STEP, INPUTS, resuming)
    assert kept == ["epoch 3"]
    assert sorted(path.name for path in home.iterdir()) == [".lock", "finished"]


def test_two_runs_at_once_do_the_work_once(bench: Bench, tmp_path: Path):
    entered, leave = threading.Event(), threading.Event()

    def slow(into: Path, scratch: Path) -> str:
        entered.set()
        assert leave.wait(10)
        (into / "table").touch()
        return "made"

    other = Bench(tmp_path)
    first = threading.Thread(target=bench.engine.run, args=(STEP, INPUTS, slow))
    second = threading.Thread(target=other.run)
    first.start()
    assert entered.wait(10)
    second.start()
    deadline = time.monotonic() + 10
    while not other.lines and time.monotonic() < deadline:
        time.sleep(0.005)
    assert other.lines == ["slow: another run is at it, waiting"]
    leave.set()
    first.join(10)
    second.join(10)
    assert other.calls == 0
    assert other.lines[-1] == "slow: made (unchanged, reused)"


SCRIPT = """
import sys, time
from pathlib import Path
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps.engine import Engine
from shortlist.steps.step import Step

def body(into, scratch):
    for part in range(3):
        checkpoint = scratch / str(part)
        if not checkpoint.exists():
            checkpoint.write_text(f"part {part}")
        (into / f"{part}").write_text(checkpoint.read_text())
        print("wrote", part, flush=True)
        time.sleep(float(sys.argv[2]))
    return "three parts"

engine = Engine(Settings(paths=PathsSettings(work=Path(sys.argv[1]))), Stages(say=print))
print(engine.run(Step("killed", ("errors.py",), ("seed",)), {}, body).digest)
"""


def started(work: Path, pause: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(work), str(pause)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_step_leaves_no_trace_in_what_the_next_run_makes(tmp_path: Path):
    killed = started(tmp_path / "killed", pause=60)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "wrote 0\n"
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    home = next((tmp_path / "killed/steps/killed").iterdir())
    assert any(path.name.startswith(".staging-") for path in home.iterdir())
    assert not (home / "finished").exists()

    again = started(tmp_path / "killed", pause=0).communicate()[0].splitlines()
    undisturbed = started(tmp_path / "whole", pause=0).communicate()[0].splitlines()
    assert again[-1] == undisturbed[-1]
    assert len(again[-1]) == 64
    whole = next((tmp_path / "whole/steps/killed").iterdir())
    assert whole.name == home.name
    for place in (home, whole):
        assert sorted(path.name for path in place.iterdir()) == [".lock", "finished"]
    records = [(place / "finished/step.json").read_bytes() for place in (home, whole)]
    assert records[0] == records[1]
