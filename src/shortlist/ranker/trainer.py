"""A run of training: Lightning's trainer, its checkpoints, and going on where a kill left it.

Under torchrun every process takes part, and the first one writes.
"""

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader

from shortlist.errors import SettingsError
from shortlist.progress import interactive
from shortlist.ranker.collecting import Curves
from shortlist.ranker.together import Processes
from shortlist.ranker.training import MONITORED, Training
from shortlist.ranker.windows import Batch
from shortlist.settings.ranker import RankerSettings

_LOG_EVERY: Final = 20
_log = logging.getLogger(__name__)


class Stopping(EarlyStopping):
    """Early stopping that a resumed run remembers: Lightning's own would train an epoch more."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once where the run had stopped before it was killed."""
        super().on_train_start(trainer, pl_module)
        if self.wait_count >= self.patience:
            trainer.should_stop = True


def run(
    training: Training,
    learned: DataLoader[Batch],
    tuned: DataLoader[Batch],
    settings: RankerSettings,
    scratch: Path,
) -> Curves:
    """Train to the end, from the last epoch that a killed run finished.

    The first process ends with the weights of the epoch that was best on validation.

    Args:
        training: what is trained.
        learned: this process's batches of each epoch.
        tuned: its batches of validation.
        settings: of the training.
        scratch: directory of checkpoints and TensorBoard's logs.

    Raises:
        SettingsError: the losses are no numbers from the first epoch on.
        StorageError: the disk refused.
    """
    kept = scratch / "checkpoints"
    curves = Curves()
    # The best is written before the last, which knows of it: killed in between, a run does the
    # epoch again and writes the same best.
    best = _checkpoint(kept, "best", monitor=MONITORED)
    last = _checkpoint(kept, "last")
    callbacks = [Stopping(MONITORED, patience=settings.patience), curves, best, last]
    with _quiet():
        trainer = _trainer(settings, scratch, len(learned), callbacks)
        trainer.fit(training, learned, tuned, ckpt_path=_resumed_from(kept), weights_only=True)
    if best.best_model_score is None or not bool(best.best_model_score.isfinite()):
        raise SettingsError(
            "training diverged: the loss on validation is no number from the first epoch on; "
            "lower ranker.learning_rate or ranker.gradient_clip"
        )
    if trainer.global_rank == 0:
        training.load_state_dict(_opened(kept / "best.ckpt")["state_dict"])
    return curves


def _checkpoint(directory: Path, name: str, monitor: str | None = None) -> ModelCheckpoint:
    return ModelCheckpoint(
        directory,
        filename=name,
        monitor=monitor,
        # After every other callback, so that whoever resumes finds the epoch whole.
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )


def _resumed_from(kept: Path) -> str | None:
    """The last checkpoint, where both can be read; what a crash tore is thrown away."""
    last, best = kept / "last.ckpt", kept / "best.ckpt"
    if not last.is_file():
        return None
    for path in (last, best):
        try:
            _opened(path)
        except Exception as error:
            _log.warning("%s is damaged (%s); training begins anew", path, type(error).__name__)
            shutil.rmtree(kept, ignore_errors=True)
            return None
    return str(last)


def _opened(path: Path) -> dict[str, Any]:
    opened: dict[str, Any] = torch.load(path, weights_only=True)
    return opened


def _trainer(
    settings: RankerSettings, scratch: Path, steps: int, callbacks: list[pl.Callback]
) -> pl.Trainer:
    processes = Processes.found()
    terminal = interactive() and processes.rank == 0
    together = DDPStrategy(
        process_group_backend="gloo",
        # Tables of all videos are buffers; they never change.
        forward_sync_buffers=False,
    )
    return pl.Trainer(
        accelerator="cpu",
        strategy=together if processes.ranks > 1 else "auto",
        devices=processes.local,
        num_nodes=processes.ranks // processes.local,
        max_epochs=settings.epochs,
        gradient_clip_val=settings.gradient_clip,
        callbacks=[*callbacks, RichProgressBar()] if terminal else callbacks,
        logger=TensorBoardLogger(scratch, name="tensorboard", version=""),
        deterministic=True,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=min(_LOG_EVERY, steps),
        enable_progress_bar=terminal,
        enable_model_summary=False,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's remarks about the machine and itself."""
    logs = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Batches come ready made from memory: there is nothing for workers to do.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            # A run that goes on finds what it left.
            warnings.filterwarnings("ignore", ".*exists and is not empty.*")
            warnings.filterwarnings("ignore", ".*LeafSpec.*")
            yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)
