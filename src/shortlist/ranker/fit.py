"""From a view of the log to a trained ranker's artefacts; a killed run goes on where it stood."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Ints, TrainingView
from shortlist.errors import InputError
from shortlist.files import staged_directory
from shortlist.progress import interactive
from shortlist.ranker.artefacts import CURVES, Note
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.company import Companion
from shortlist.ranker.curves import Curves
from shortlist.ranker.export import export
from shortlist.ranker.features import ItemFeatures, item_features, video_age
from shortlist.ranker.profile import declared, summed_events
from shortlist.ranker.training import EpochOrder, Training, in_order, loader
from shortlist.ranker.windows import Rows, Windows, cut, rows_of
from shortlist.settings.ranker import RankerSettings

_LAST: Final = "last.ckpt"
MONITORED: Final = "validation/outcome"


@dataclass(frozen=True)
class Fitted:
    """A trained cascade and how it came about."""

    cascade: Cascade
    features: ItemFeatures
    note: Note
    age: np.ndarray[tuple[int], np.dtype[np.float32]]
    curves: Curves


def train_ranker(
    view: TrainingView,
    recalled: Ints,
    settings: RankerSettings,
    into: Path,
    scratch: Path,
) -> None:
    """Train the cascade and write its artefacts.

    Under torchrun every process trains its share and the first one writes.

    Args:
        view: what may be seen; its seed is the training's.
        recalled: what the recall tables find for each user, int64 [n_users, r]; r may be 0.
        settings: size, losses, training.
        into: directory of the artefacts; replaced whole at the end.
        scratch: directory of checkpoints and TensorBoard's logs, kept while training goes on.

    Raises:
        InputError: the log knows nothing of the target.
        StorageError: the disk refused.
    """
    fitted = fit(view, recalled, settings, scratch)
    if fitted is None:
        return
    with staged_directory(into) as aside:
        export(fitted.cascade, fitted.features, fitted.note, fitted.age, aside)
        fitted.curves.save(aside / CURVES)


def fit(
    view: TrainingView, recalled: Ints, settings: RankerSettings, scratch: Path
) -> Fitted | None:
    """Train the cascade; None on every process but the first.

    Args and errors as of `train_ranker`.
    """
    features = item_features(view, settings.content_components)
    rows = rows_of(view, features.tags)
    if len(rows) == 0 or bool(rows.target.isnan().all()):
        raise InputError(
            f"the history knows the {view.target} of no row, so the ranker cannot learn it; "
            "choose another with evaluation.target"
        )
    torch.manual_seed(view.seed)
    torch.set_num_threads(settings.threads)
    said, described = declared(view.users, view.catalogue), features.described
    histories = Histories.from_log(view.log, len(view.users))
    events = [histories.of(user) for user in range(len(histories))]
    profile = np.concatenate([said, summed_events(events, described)], axis=1)
    cascade = Cascade(features, profile.shape[1], settings)
    live = np.flatnonzero(view.catalogue.uploaded_before(view.as_of))
    age = video_age(view.catalogue.upload_day, float(view.as_of_day))
    companion = Companion(
        events,
        torch.from_numpy(profile),
        float(view.as_of_day),
        recalled,
        live,
        age,
        nearest=settings.list_nearest,
    )
    learned, tuned = _divided(rows, settings, view.seed)

    def profiles_of(windows: Windows) -> torch.Tensor:
        before = windows.before(rows, described)
        return torch.from_numpy(np.concatenate([said[windows.user], before], axis=1))

    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    order = EpochOrder(learned, settings.batch_windows, view.seed, rank, ranks)
    training = Training(
        cascade,
        rows,
        companion,
        settings,
        steps=len(order) * settings.epochs,
        seed=view.seed,
    )
    curves = Curves()
    checkpoints = ModelCheckpoint(
        scratch / "checkpoints",
        filename="best",
        monitor=MONITORED,
        save_last=True,
        # After every other callback, so that whoever resumes finds the epoch whole.
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = _trainer(settings, scratch, ranks, [curves, checkpoints])
    last = scratch / "checkpoints" / _LAST
    with warnings.catch_warnings():
        # Batches come ready made from memory: there is nothing for workers to do.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        trainer.fit(
            training,
            loader(learned, profiles_of(learned), order),
            in_order(tuned, profiles_of(tuned), settings.batch_windows, rank, ranks),
            ckpt_path=str(last) if last.is_file() else None,
            weights_only=False,
        )
    if trainer.global_rank != 0:
        return None
    best = torch.load(checkpoints.best_model_path, weights_only=False)
    training.load_state_dict(best["state_dict"])
    note = Note(
        target=view.target,
        history=settings.history,
        list_size=settings.list_size,
        profile_width=profile.shape[1],
        policy_lift=float(cascade.policy_lift.detach()),
    )
    return Fitted(cascade, features, note, age, curves)


def _divided(rows: Rows, settings: RankerSettings, seed: int) -> tuple[Windows, Windows]:
    """Windows to learn from, and the last events of some users to stop by.

    Both kinds of log are divided alike: one of days, and one whose whole history bears one day.
    """
    users = len(rows.borders) - 1
    held = np.random.default_rng([seed, users]).random(users) < settings.validation_users
    counts = np.diff(rows.borders)
    tails = np.where(held, np.floor(counts * settings.validation_tail), 0).astype(np.int64)
    if tails.sum() == 0:
        # Too few events for a tail: the busiest user gives his last one.
        tails[counts.argmax()] = 1
    ends = rows.borders[1:] - tails
    learned = cut(rows.borders[:-1], ends, settings.history, settings.window)
    tuned = cut(ends, rows.borders[1:], settings.history, settings.window, first=rows.borders[:-1])
    return learned, tuned


def _trainer(
    settings: RankerSettings, scratch: Path, ranks: int, collected: list[pl.Callback]
) -> pl.Trainer:
    callbacks = [EarlyStopping(MONITORED, patience=settings.patience), *collected]
    terminal = interactive()
    if terminal:
        callbacks.append(RichProgressBar())
    return pl.Trainer(
        accelerator="cpu",
        strategy="ddp" if ranks > 1 else "auto",
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        num_nodes=ranks // int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        max_epochs=settings.epochs,
        gradient_clip_val=settings.gradient_clip,
        callbacks=callbacks,
        logger=TensorBoardLogger(scratch, name="tensorboard", version=""),
        deterministic=True,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=20,
        enable_progress_bar=terminal,
        enable_model_summary=False,
    )
