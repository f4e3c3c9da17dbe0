"""Logs of a training outlive its scratch, and a kill leaves no bend in a curve."""

import shutil
from pathlib import Path

import pytest

from shortlist.steps.logs import keep_logs

torch = pytest.importorskip("torch")


def trained(scratch: Path, first: int, last: int) -> None:
    """Logs as a run of training does, and is killed before it can say goodbye."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(scratch / "tensorboard"))
    for step in range(first, last):
        writer.add_scalar("loss", 1 / (1 + step), step)
    writer.flush()


def saved(scratch: Path, steps: int) -> None:
    (scratch / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save({"global_step": steps}, scratch / "checkpoints/last.ckpt")


def logged(logs: Path) -> list[int]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(logs))
    found.Reload()
    return [event.step for event in found.Scalars("loss")]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_killed_and_resumed_training_has_one_curve(scratch: Path, tmp_path: Path):
    logs = tmp_path / "tensorboard/key"
    keep_logs(scratch, logs)
    trained(scratch, 0, 9)
    saved(scratch, 6)
    keep_logs(scratch, logs)
    trained(scratch, 6, 12)
    shutil.rmtree(scratch)
    assert logged(logs) == list(range(12))


@pytest.mark.parametrize("torn", [True, False])
def test_a_training_that_begins_anew_has_a_new_curve(scratch: Path, tmp_path: Path, torn: bool):
    logs = tmp_path / "tensorboard/key"
    keep_logs(scratch, logs)
    trained(scratch, 0, 9)
    if torn:
        saved(scratch, 6)
        (scratch / "checkpoints/last.ckpt").write_bytes(b"torn")
    keep_logs(scratch, logs)
    trained(scratch, 0, 3)
    assert logged(logs) == [0, 1, 2]
