"""Popularity: the same order for everybody, by decayed positives or by their smoothed rate."""

from typing import Self

import numpy as np

from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.datasets.signals import decayed_positives, smoothed_rate


class Popularity:
    """Scores a video by its positives, those of ``half_life_days`` ago counting half.

    Where all of a log lies on one day this is the plain count of positives.
    """

    name = "popularity"

    def __init__(self, half_life_days: float) -> None:
        self.half_life_days = half_life_days

    def fit(self, view: TrainingView) -> Self:
        """Count the positives of ``view``."""
        self._scores = decayed_positives(view, self.half_life_days).astype(np.float32)
        return self

    def score(self, users: Ints) -> Floats:
        """Decayed counts, the same for every user, float32 [m, n_videos]."""
        return np.tile(self._scores, (len(users), 1))


class PopularityRate:
    """Scores a video by the rate of positives among its impressions, decayed and smoothed.

    With ``p`` decayed positives in ``n`` decayed impressions, and the log's mean rate ``r``, the
    score is ``(p + prior * r) / (n + prior)``: the posterior mean under a Beta prior that is worth
    ``prior`` impressions. It is a probability, so the model predicts rows too.
    """

    name = "popularity-rate"

    def __init__(self, half_life_days: float, prior_impressions: float) -> None:
        self.half_life_days = half_life_days
        self.prior_impressions = prior_impressions

    def fit(self, view: TrainingView) -> Self:
        """Estimate the rates from the rows of ``view`` whose outcome is known."""
        self._rates = smoothed_rate(view, self.half_life_days, self.prior_impressions).astype(
            np.float32
        )
        return self

    def score(self, users: Ints) -> Floats:
        """Rates, the same for every user, float32 [m, n_videos]."""
        return np.tile(self._rates, (len(users), 1))

    def predict(self, rows: Interactions) -> Floats:
        """The rate of each row's video, float32 [n]."""
        return self._rates[rows.video]
