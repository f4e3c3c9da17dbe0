"""EASE: one linear model per video that says how each other video in a history speaks for it."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from shortlist.baselines.histories import rank_below
from shortlist.datasets.gram import inverse_gram
from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.signals import most_popular, positives, user_video, video_sums


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


def ease_weights(history: sp.csr_array, l2: float) -> Floats:
    """Item-item weights with a zero diagonal, float32 [n, n]; column ``j`` predicts video ``j``.

    ``B = -P / diag(P)`` with ``P = (X'X + l2 I)^-1`` (equation 8 of the paper).

    Args:
        history: users by videos, float32 [n_users, n].
        l2: ridge penalty, above 0.
    """
    weights = inverse_gram(history, l2)
    weights /= -np.diagonal(weights).copy()
    weights[np.diag_indices(len(weights))] = 0.0
    return weights
