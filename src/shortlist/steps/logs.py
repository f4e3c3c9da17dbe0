"""TensorBoard's logs of a training lie outside its step, outlive it and go on after a kill."""

import shutil
from pathlib import Path
from typing import Final

from shortlist.files import make_directory, storage_errors

FOLDER: Final = "tensorboard"
_CHECKPOINT: Final = "checkpoints/last.ckpt"


def keep_logs(scratch: Path, logs: Path) -> None:
    """Let what a training logs below ``scratch`` land in ``logs``.

    A training that goes on goes on there: what it had logged after its last checkpoint is logged
    again, and TensorBoard is told to forget the first time. One that begins, begins there anew.

    Args:
        scratch: of the step.
        logs: directory of this training's logs.

    Raises:
        StorageError: the disk refused.
    """
    step, place = _steps_done(scratch / _CHECKPOINT), scratch / FOLDER
    with storage_errors(logs):
        if step is None:
            shutil.rmtree(logs, ignore_errors=True)
        make_directory(logs)
        if place.is_symlink():
            place.unlink()
        shutil.rmtree(place, ignore_errors=True)
        place.symlink_to(logs.absolute(), target_is_directory=True)
    if step is not None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        SummaryWriter(str(logs), purge_step=step).close()


def _steps_done(checkpoint: Path) -> int | None:
    """How many steps of training a checkpoint holds; None where training begins anew."""
    if not checkpoint.is_file():
        return None
    import torch  # noqa: PLC0415

    try:
        return int(torch.load(checkpoint, weights_only=True)["global_step"])
    except Exception:
        return None
