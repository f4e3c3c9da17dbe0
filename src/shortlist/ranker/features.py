"""What the ranker knows of videos, users and moments besides who met what, in numpy.

Training and serving compute these with the same functions, so that neither sees what the other
does not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.datasets.tags import listed_tags

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

WEARY: Final = (0.6, 0.95)
"""Share of weariness of a tag that is left after each further video, fast and slow."""
MOMENT_WIDTH: Final = 1 + len(WEARY)
"""Width of what changes with the moment: the video's age, and how weary the viewer is of it."""
SESSION_DAYS: Final = 0.5 / 24
"""A pause longer than this begins a new session."""


@dataclass(frozen=True)
class ItemFeatures:
    """What is known of each video when the history ends.

    Attributes:
        vectors: content vectors as the encoder gave them, rows of unit length, float32 [n, c].
        content: their principal components, whitened, float32 [n, k].
        projection: from vectors, less their mean, to components, float32 [c, k].
        mean: of the vectors, float32 [c].
        tags: weights of the listed tags, the first the heaviest, float32 [n, t].
        creator: 1 + index of the creator, 0 where unknown, int64 [n].
        language: 1 + index of the language, 0 where unknown, int64 [n].
        static: log duration and log impressions a day by the policy, standardised, float32 [n, 2].
        standard: mean and deviation of these two before, float32 [2, 2].
    """

    vectors: Floats
    content: Floats
    projection: Floats
    mean: Floats
    tags: Floats
    creator: Ints
    language: Ints
    static: Floats
    standard: Floats

    def __len__(self) -> int:
        return len(self.content)


def item_features(view: TrainingView, components: int) -> ItemFeatures:
    """Features of all videos from tables, content and exposure; outcomes are not read.

    Args:
        view: what may be seen.
        components: principal components of the content that are kept, at most.
    """
    catalogue, log = view.catalogue, view.log
    count = len(catalogue)
    shown = np.bincount(log.video[~log.random_exposure], minlength=count)
    first = int(log.day.min(initial=view.as_of_day))
    days = (view.as_of_day - np.maximum(catalogue.upload_day, first)).clip(1)
    duration = np.log(catalogue.duration_seconds.astype(np.float64).clip(1.0))
    static = np.stack([duration, np.log((shown + 0.5) / days)], axis=1)
    standard = _standard(static)
    mean, projection = _whitening(view.content, components)
    return ItemFeatures(
        vectors=view.content,
        content=((view.content - mean) @ projection).astype(np.float32),
        projection=projection,
        mean=mean,
        tags=listed_tags(catalogue).astype(np.float32).toarray(),
        creator=catalogue.creator + 1,
        language=catalogue.language + 1,
        # 0 is the mean: what is unknown says nothing.
        static=np.nan_to_num((static - standard[0]) / standard[1]).astype(np.float32),
        standard=standard.astype(np.float32),
    )


def video_age(upload_day: Ints, day: npt.NDArray[np.float64] | float) -> Floats:
    """``log(1 + age / 7 days)``, 0 for a video of the future, float32 of the common shape."""
    age = np.maximum(np.asarray(day, np.float64) - upload_day, 0.0)
    return np.log1p(age / 7.0).astype(np.float32)


def session_weariness(rows: Interactions, tags: Floats) -> Floats:
    """How weary of each row's tags its session has made the viewer, float32 [n, 2].

    For each pace of `WEARY`: the sum over earlier videos of the session of the overlap of tags,
    fading with every video in between.

    Args:
        rows: impressions in any order, sessions and positions where known.
        tags: weights of tags, float32 [n_videos, t].
    """
    result = np.zeros((len(rows), len(WEARY)), np.float32)
    known = np.flatnonzero(rows.session >= 0)
    order = known[np.lexsort((rows.position[known], rows.session[known]))]
    session = rows.session[order]
    fresh = np.r_[True, session[1:] != session[:-1]][: len(order)]
    number = np.cumsum(fresh) - 1
    place = np.arange(len(order)) - np.flatnonzero(fresh)[number]
    state = np.zeros((len(WEARY), int(fresh.sum()), tags.shape[1]), np.float32)
    for step in range(int(place.max(initial=-1)) + 1):
        here = order[place == step]
        shown, at = tags[rows.video[here]], number[place == step]
        for pace, left in enumerate(WEARY):
            result[here, pace] = np.einsum("nt,nt->n", state[pace, at], shown)
            state[pace, at] = left * state[pace, at] + shown
    return result


def weariness(recent: Ints, candidates: Ints, tags: Floats) -> Floats:
    """The same for one viewer's candidates, float32 [n, 2].

    Args:
        recent: videos of the session so far, oldest first, int64 [s].
        candidates: int64 [n].
        tags: weights of tags, float32 [n_videos, t].
    """
    back = np.arange(len(recent))[::-1]
    held = np.stack([(left**back) @ tags[recent] for left in WEARY])
    return np.asarray(tags[candidates] @ held.T, np.float32)


def _whitening(content: Floats, components: int) -> tuple[Floats, Floats]:
    """Mean, and the projection to principal components of unit variance.

    A gradient moves all components alike then, where raw content is dominated by a few.
    """
    mean = content.mean(axis=0, dtype=np.float64)
    moved = content - mean.astype(np.float32)
    size, basis = np.linalg.eigh((moved.T @ moved).astype(np.float64) / max(len(moved), 1))
    kept = np.flatnonzero(size > 1e-6 * max(size.max(initial=0.0), 1e-12))[::-1][:components]
    projection = basis[:, kept] / np.sqrt(size[kept])
    return mean.astype(np.float32), projection.astype(np.float32)


def _standard(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean and deviation of each column over its known values, [2, k]; never a deviation of 0."""
    known = np.isfinite(values)
    count = known.sum(axis=0).clip(1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / count)
    return np.stack([mean, np.where(deviation > 0, deviation, 1.0)])
