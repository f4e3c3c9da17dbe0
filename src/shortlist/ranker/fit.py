"""From a view of the log to a trained ranker's artefacts; a killed run goes on where it stood."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Ints, TrainingView
from shortlist.errors import InputError, SettingsError
from shortlist.files import staged_directory
from shortlist.ranker.artefacts import CURVES, Note
from shortlist.ranker.batching import EpochOrder, in_order, loader
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.collecting import Curves
from shortlist.ranker.company import Companion
from shortlist.ranker.export import export
from shortlist.ranker.features import ItemFeatures, item_features, video_age
from shortlist.ranker.lists import Pools
from shortlist.ranker.next_video import NextVideoTraining
from shortlist.ranker.outcomes import OutcomeTraining
from shortlist.ranker.precision import measure_precision
from shortlist.ranker.profile import tallies
from shortlist.ranker.refit import Asked
from shortlist.ranker.start import RECENT, Start
from shortlist.ranker.together import Processes
from shortlist.ranker.trainer import run
from shortlist.ranker.training import Training
from shortlist.ranker.windows import Batch, Rows, Windows, cut, rows_of
from shortlist.settings.ranker import RankerSettings


@dataclass(frozen=True)
class Fitted:
    """A trained cascade and how it came about.

    Attributes:
        cascade: with the weights of the best epoch.
        features: of the videos.
        note: for serving.
        age: what `video_age` says of every video when the history ends, float32 [n_videos].
        asked: whom the pre-rank is asked for, to refit the vectors; None leaves them.
        curves: losses by epoch.
        rows: the log.
        held_out: windows of the rows that were not learned.
        pools: company of the last epoch.
    """

    cascade: Cascade
    features: ItemFeatures
    note: Note
    age: np.ndarray[tuple[int], np.dtype[np.float32]]
    asked: Asked | None
    curves: Curves
    rows: Rows
    held_out: DataLoader[Batch]
    pools: Pools


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
        view: what may be seen; its seed is the training's, where the settings have none.
        recalled: what the recall tables find for each user, int64 [n_users, r]; r may be 0.
        settings: size, losses, training.
        into: directory of the artefacts; replaced whole at the end.
        scratch: directory of checkpoints and TensorBoard's logs, kept while training goes on.

    Raises:
        InputError: the log knows nothing of the target.
        SettingsError: other than `ranker.processes` processes train, or training diverged.
        StorageError: the disk refused.
    """
    fitted = fit(view, recalled, settings, scratch)
    if fitted is not None:
        write(fitted, settings, into)


def write(fitted: Fitted, settings: RankerSettings, into: Path) -> None:
    """Write the artefacts of a trained cascade; ``into`` is replaced whole.

    Raises:
        StorageError: the disk refused.
    """
    with staged_directory(into) as aside:
        export(fitted.cascade, fitted.features, fitted.note, fitted.age, aside, asked=fitted.asked)
        fitted.curves.save(aside / CURVES)
        measured = measure_precision(
            fitted.cascade, fitted.rows, fitted.held_out, fitted.pools, size=settings.list_size
        )
        measured.save(aside)


def fit(
    view: TrainingView, recalled: Ints, settings: RankerSettings, scratch: Path
) -> Fitted | None:
    """Train the cascade; None on every process but the first.

    Args and errors as of `train_ranker`.
    """
    prepared = prepare(view, recalled, settings)
    training = prepared.training
    curves = run(training, prepared.learned, prepared.tuned, settings, scratch)
    if Processes.found().rank != 0:
        return None
    leads = training.finish(prepared.held_out)
    served = training.served
    note = Note(
        target=view.target,
        history=settings.history,
        list_size=settings.list_size,
        profile_width=prepared.profile_width,
        policy_lift=float(served.policy_lift.detach()),
        leads=tuple(leads),
    )
    return Fitted(
        cascade=served,
        features=prepared.features,
        note=note,
        age=prepared.age,
        asked=prepared.asked,
        curves=curves,
        rows=training.rows,
        held_out=prepared.held_out,
        pools=training.companion.pools,
    )


@dataclass(frozen=True)
class Prepared:
    """A training about to begin.

    Attributes:
        training: what is trained.
        learned: this process's batches of an epoch; their order follows from its number.
        tuned: its batches of validation.
        held_out: the batches of validation of all processes.
        features: of the videos.
        profile_width: of what the history encoder is told of a user.
        age, asked: as of `Fitted`.
    """

    training: Training
    learned: DataLoader[Batch]
    tuned: DataLoader[Batch]
    held_out: DataLoader[Batch]
    features: ItemFeatures
    profile_width: int
    age: np.ndarray[tuple[int], np.dtype[np.float32]]
    asked: Asked | None


def prepare(view: TrainingView, recalled: Ints, settings: RankerSettings) -> Prepared:
    """Make ready what is trained, from the same seed always the same.

    Args and errors as of `train_ranker`.
    """
    features = item_features(view, settings.content_components)
    rows = rows_of(view, features.tags)
    if len(rows) == 0 or bool(rows.target.isnan().all()):
        raise InputError(
            f"the history knows the {view.target} of no row, so the ranker cannot learn it; "
            "choose another with evaluation.target"
        )
    seed = view.seed if settings.seed is None else settings.seed
    torch.manual_seed(seed)
    torch.set_num_threads(settings.threads)
    histories = Histories.from_log(view.log, len(view.users))
    events = [histories.of(user) for user in range(len(histories))]
    profiles = np.concatenate([rows.profile.numpy(), tallies(events)], axis=1)
    next_video = learns_next_video(view, settings)
    cascade = Cascade(features, profiles.shape[1], settings, co_watch=next_video)
    companion = Companion(
        events,
        torch.from_numpy(profiles),
        float(view.as_of_day),
        Pools(
            recalled,
            np.flatnonzero(view.catalogue.uploaded_before(view.as_of)),
            view.catalogue.upload_day - view.log.day.min(),
            features.tags,
        ),
        nearest=settings.list_nearest,
    )
    age = video_age(view.catalogue.upload_day, float(view.as_of_day))
    learned, tuned = _divided(rows, settings, seed, RECENT if next_video else None)
    processes = Processes.found()
    processes.expect(settings.processes)
    rank, ranks, size = processes.rank, processes.ranks, settings.batch_windows
    order = EpochOrder(learned, size, seed, rank, ranks)
    if len(order) == 0:
        raise SettingsError(
            f"{len(learned)} windows in batches of {size} are too few for {ranks} processes; "
            "lower ranker.batch_windows, or ranker.processes"
        )
    steps = len(order) * settings.epochs
    training: Training
    if next_video:
        start = Start.of(view, features, cascade.items.width, np.unique(tuned.user))
        training = NextVideoTraining(
            cascade, rows, companion, age, settings, start, steps=steps, seed=seed
        )
    else:
        training = OutcomeTraining(cascade, rows, companion, settings, steps=steps, seed=seed)
    return Prepared(
        training=training,
        learned=loader(learned, order),
        tuned=in_order(tuned, size, rank, ranks),
        held_out=in_order(tuned, size, 0, 1),
        features=features,
        profile_width=profiles.shape[1],
        # Vectors of the next video are those of the towers, on which the pre-rank does not bear.
        age=age,
        asked=None if next_video else Asked.drawn(events, profiles, view, settings, seed),
    )


def learns_next_video(view: TrainingView, settings: RankerSettings) -> bool:
    """Whether the next video is learned, and not outcomes."""
    if settings.objective == "auto":
        return not bool(view.log.random_exposure.any())
    return settings.objective == "next"


def _divided(
    rows: Rows, settings: RankerSettings, seed: int, recent: int | None
) -> tuple[Windows, Windows]:
    """Windows to learn from, and the last events of some users to stop by.

    Both kinds of log are divided alike: one of days, and one whose whole history bears one day.

    Args:
        rows: the log.
        settings: of the training.
        seed: of the draw of users.
        recent: of how many of each user's latest events something is learned; None for all.
    """
    users = len(rows.borders) - 1
    held = np.random.default_rng([seed, users]).random(users) < settings.validation_users
    counts = np.diff(rows.borders)
    tails = np.where(held, np.floor(counts * settings.validation_tail), 0).astype(np.int64)
    if tails.sum() == 0:
        # Too few events for a tail: the busiest user gives his last one.
        tails[counts.argmax()] = 1
    ends = rows.borders[1:] - tails
    starts = rows.borders[:-1]
    low = starts if recent is None else np.clip(rows.borders[1:] - recent, starts, ends)
    learned = cut(low, ends, settings.history, settings.window, first=starts)
    tuned = cut(ends, rows.borders[1:], settings.history, settings.window, first=starts)
    return learned, tuned
