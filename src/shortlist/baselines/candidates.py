"""The union of what several recommenders would show, and how each of them sees a candidate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shortlist.baselines.protocol import Recommender
from shortlist.datasets.interactions import Floats, Ints

BLOCK: Final = 64
"""Users whose scores are held at once. Sources are always asked for so many, the last block being
filled up: a product of another shape may round otherwise, and a tree turns that into a step."""


@dataclass(frozen=True)
class Described:
    """Pairs of users and videos as the sources see them.

    Attributes:
        owner: place of the pair's user among the users asked for, int64 [n], ascending.
        video: row of the video, int64 [n].
        features: float32 [n, 3 * n_sources], by `source_features`.
    """

    owner: Ints
    video: Ints
    features: Floats


def source_features(sources: Sequence[Recommender]) -> list[str]:
    """Names of the columns: for each source its score, its lead and its rank.

    The lead puts the score on a scale on which the source's best video has 1 and the last that it
    would show has 0, so that two fits of a source can be compared; the rank is ``log(1 + place)``,
    alike for all videos that the source would not show.
    """
    return [f"{source.name} {part}" for source in sources for part in ("score", "lead", "rank")]


def candidates(sources: Sequence[Recommender], users: Ints, top: int) -> Iterator[Described]:
    """The union of each source's ``top`` best videos, a block of users at a time.

    A block's owners count from 0, pairs ascend by owner and video.
    """
    for block, real in _blocks(users):
        scores = [source.score(block) for source in sources]
        shown = [_best(score, top) for score in scores]
        union = np.zeros(scores[0].shape, np.bool_)
        for best in shown:
            np.put_along_axis(union, best, True, axis=1)
        owner, video = np.nonzero(union[:real])
        yield Described(owner, video, _features(scores, shown, owner, video))


def described(sources: Sequence[Recommender], users: Ints, videos: Ints, top: int) -> Floats:
    """How the sources see given pairs, float32 [n, 3 * n_sources], in the order of the pairs."""
    everybody, place = np.unique(users, return_inverse=True)
    order = np.argsort(place, kind="stable")
    features = np.empty((len(users), 3 * len(sources)), np.float32)
    start = 0
    for block, real in _blocks(everybody):
        rows = order[slice(*np.searchsorted(place[order], [start, start + real]))]
        scores = [source.score(block) for source in sources]
        shown = [_best(score, top) for score in scores]
        features[rows] = _features(scores, shown, place[rows] - start, videos[rows])
        start += real
    return features


def _blocks(users: Ints) -> Iterator[tuple[Ints, int]]:
    for start in range(0, len(users), BLOCK):
        part = users[start : start + BLOCK]
        yield np.concatenate([part, np.repeat(part[:1], BLOCK - len(part))]), len(part)


def _best(scores: Floats, top: int) -> Ints:
    """The ``top`` best videos of each row, best first; equal scores by the video's row."""
    top = min(top, scores.shape[1])
    best = np.argpartition(-scores, top - 1, axis=1)[:, :top] if top else np.zeros((len(scores), 0))
    best = np.sort(best.astype(np.int64), axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _features(scores: list[Floats], shown: list[Ints], owner: Ints, video: Ints) -> Floats:
    columns = []
    for score, best in zip(scores, shown, strict=True):
        top = best.shape[1]
        place = np.full(score.shape, top, np.int32)
        np.put_along_axis(place, best, np.arange(top, dtype=np.int32)[None, :], axis=1)
        own = score[owner, video]
        first, last = (np.take_along_axis(score, best[:, [i]], 1)[owner, 0] for i in (0, -1))
        spread = np.where(first > last, first - last, 1)
        rank = np.log1p(place[owner, video]).astype(np.float32)
        columns += [own, (own - last) / spread, rank]
    return np.stack(columns, axis=1)
