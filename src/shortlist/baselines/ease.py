"""EASE: one linear model per video that says how each other video in a history speaks for it."""

from typing import Final, Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from shortlist.baselines.histories import rank_below
from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.signals import Weights, positives, user_video, video_sums

_BLOCK: Final = 512  # rows of the Gram matrix that are dense and sparse at once


class EASE:
    """Embarrassingly shallow autoencoder (Steck, WWW 2019) on positives.

    Memory grows by the square and time by the cube of ``videos``, so it knows the ``videos`` most
    liked ones; the rest of the catalogue follows by popularity.
    """

    name = "ease"

    def __init__(self, videos: int, l2: float) -> None:
        self.videos = videos
        self.l2 = l2

    def fit(self, view: TrainingView) -> Self:
        """Solve for the weights between the most liked videos."""
        rows = positives(view)
        self._popularity = video_sums(view, rows)
        self._columns = most_popular(self._popularity, self.videos)
        self._history = user_video(view, rows)[:, self._columns]
        self._weights = ease_weights(self._history, self.l2)
        return self

    def score(self, users: Ints) -> Floats:
        """Sum of the weights from each user's positives, float32 [m, n_videos]."""
        history = self._history[users]
        scores = np.zeros((len(users), len(self._popularity)), np.float32)
        scores[:, self._columns] = history @ self._weights
        known = np.zeros(scores.shape, np.bool_)
        known[np.ix_(np.diff(history.indptr) > 0, self._columns)] = True
        return rank_below(scores, known, self._popularity)


def most_popular(popularity: Weights, number: int) -> Ints:
    """Rows of at most ``number`` videos with the largest popularity above 0, ascending.

    >>> most_popular(np.array([3.0, 0.0, 5.0, 4.0]), 2)
    array([2, 3])
    """
    best = np.argsort(-popularity, kind="stable")[:number]
    return np.sort(best[popularity[best] > 0])


def ease_weights(history: sp.csr_array, l2: float) -> Floats:
    """Item-item weights with a zero diagonal, float32 [n, n]; column ``j`` predicts video ``j``.

    ``B = -P / diag(P)`` with ``P = (X'X + l2 I)^-1`` (equation 8 of the paper). Solved in place in
    single precision: 144 MB for 6,000 videos.

    Args:
        history: users by videos, float32 [n_users, n].
        l2: ridge penalty, above 0, which makes the matrix positive definite.
    """
    number = history.shape[1]
    gram = np.zeros((number, number), np.float32, order="F")
    by_video = history.T.tocsr()
    for start in range(0, number, _BLOCK):
        stop = min(start + _BLOCK, number)
        gram[:, start:stop] = (by_video[start:stop] @ history).toarray().T
    gram[np.diag_indices(number)] += np.float32(l2)
    if number == 0:
        return gram
    factor, _ = lapack.spotrf(gram, lower=1, overwrite_a=1, clean=0)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    for start in range(0, number, _BLOCK):  # spotri fills the lower triangle only
        stop = min(start + _BLOCK, number)
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
        corner = np.tril(inverse[start:stop, start:stop])
        inverse[start:stop, start:stop] = corner + np.tril(corner, -1).T
    # The same by symmetry, in rows: a product with sparse rows would copy columns at every call.
    weights: Floats = inverse.T
    weights /= -np.diagonal(weights).copy()
    weights[np.diag_indices(number)] = 0.0
    return weights
