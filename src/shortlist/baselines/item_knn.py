"""ItemKNN: videos liked by the same people as the videos in a user's history."""

from typing import Final, Self

import numpy as np
import scipy.sparse as sp

from shortlist.baselines.histories import rank_below
from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.signals import positives, user_video, video_sums

_BLOCK: Final = 512  # videos whose co-counts are held at once


class ItemKNN:
    """Item-based top-N recommendation (Deshpande and Karypis, TOIS 2004) on positives.

    Two videos liked by ``n_i`` and ``n_j`` users, ``n_ij`` of them by both, are alike by the shrunk
    cosine ``n_ij / (sqrt(n_i n_j) + shrinkage)``. Each video keeps its ``neighbours`` most alike;
    a candidate's score is the sum of its likeness to the user's positives. What no neighbour
    reaches follows by popularity.
    """

    name = "item-knn"

    def __init__(self, neighbours: int, shrinkage: float) -> None:
        self.neighbours = neighbours
        self.shrinkage = shrinkage

    def fit(self, view: TrainingView) -> Self:
        """Find the neighbours of every video."""
        rows = positives(view)
        self._history = user_video(view, rows)
        self._popularity = video_sums(view, rows)
        self._likeness = nearest_neighbours(self._history, self.neighbours, self.shrinkage)
        return self

    def score(self, users: Ints) -> Floats:
        """Summed likeness to each user's positives, float32 [m, n_videos]."""
        scores: Floats = (self._history[users] @ self._likeness).toarray()
        return rank_below(scores, scores > 0, self._popularity)


def nearest_neighbours(history: sp.csr_array, neighbours: int, shrinkage: float) -> sp.csr_array:
    """The most alike videos of each video, without itself, float32 CSR [n_videos, n_videos].

    Args:
        history: users by videos, ones where a user liked a video.
        neighbours: how many to keep in a row, at most.
        shrinkage: added to the denominator of the cosine.
    """
    by_video = history.T.tocsr()
    norms = np.sqrt(np.diff(by_video.indptr))
    columns, values, borders = [], [], [0]
    for start in range(0, by_video.shape[0], _BLOCK):
        block = (by_video[start : start + _BLOCK] @ history).tocsr()
        for row in range(block.shape[0]):
            part = slice(block.indptr[row], block.indptr[row + 1])
            other = block.indices[part]
            alike = block.data[part] / (norms[start + row] * norms[other] + shrinkage)
            alike[other == start + row] = 0
            if len(other) > neighbours:
                # Equal likeness is settled by the video's row, whatever order the product gave.
                best = np.lexsort((other, -alike))[:neighbours]
                other, alike = other[best], alike[best]
            order = np.argsort(other)
            columns.append(other[order])
            values.append(alike[order].astype(np.float32))
            borders.append(borders[-1] + len(other))
    likeness = sp.csr_array(
        (
            np.concatenate(values) if values else np.zeros(0, np.float32),
            np.concatenate(columns) if columns else np.zeros(0, np.int32),
            np.array(borders),
        ),
        shape=(by_video.shape[0], by_video.shape[0]),
    )
    likeness.eliminate_zeros()
    return likeness
