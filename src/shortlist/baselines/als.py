"""ALS: factors of users and videos whose product gives who likes what."""

from typing import Self

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from shortlist.baselines.histories import rank_below
from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.signals import positives, user_video, video_sums


class ALS:
    """Matrix factorisation for implicit feedback (Hu, Koren and Volinsky, ICDM 2008).

    Fitted by ``implicit`` to the positives. Users without positives, and videos that nobody
    liked, have no factors: they are ordered by popularity, below the rest.
    """

    name = "als"

    def __init__(self, factors: int, iterations: int, l2: float, confidence: float) -> None:
        self.factors = factors
        self.iterations = iterations
        self.l2 = l2
        self.confidence = confidence

    def fit(self, view: TrainingView) -> Self:
        """Factorise the positives of ``view``; the start is drawn from its seed."""
        rows = positives(view)
        history = user_video(view, rows)
        self._popularity = video_sums(view, rows)
        self._known_users = np.diff(history.indptr) > 0
        self._known_videos = self._popularity > 0
        # Its own threads and those of BLAS would fight over the cores: four times slower. Rows do
        # not depend on each other, so the number of its own threads leaves the factors alone.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.factors,
                iterations=self.iterations,
                regularization=self.l2,
                alpha=self.confidence,
                random_state=view.seed,
            )
            model.fit(sp.csr_matrix(history), show_progress=False)
        self._user_factors: Floats = np.asarray(model.user_factors)
        self._video_factors: Floats = np.asarray(model.item_factors)
        return self

    def score(self, users: Ints) -> Floats:
        """Products of the factors, float32 [m, n_videos]."""
        scores: Floats = self._user_factors[users] @ self._video_factors.T
        scored = self._known_users[users][:, None] & self._known_videos
        return rank_below(scores, scored, self._popularity)
