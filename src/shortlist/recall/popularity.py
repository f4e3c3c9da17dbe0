"""Popularity: what is liked most of late, the same for everybody who has not seen it."""

import numpy as np

from shortlist.datasets.interactions import Bools, Floats, TrainingView
from shortlist.datasets.signals import decayed_positives, smoothed_rate
from shortlist.recall.query import Candidates, Query, first_allowed
from shortlist.settings.recall import RecallSettings


class Popularity:
    """Live videos in the order of one score; always has an answer, so it fills what others leave.

    The order is made once, when the source is, so that a request only reads its head.
    """

    name = "popularity"

    def __init__(self, scores: Floats, live: Bools) -> None:
        """Sort the live videos.

        Args:
            scores: of every video, float32 [n].
            live: which videos may be returned, bool [n].
        """
        rows = np.flatnonzero(live)
        self._order = rows[np.argsort(-scores[rows], kind="stable")]
        self._scores = np.asarray(scores[self._order], np.float32)

    def recall(self, query: Query, count: int) -> Candidates:
        """The head of the order without what is excluded."""
        places = first_allowed(self._order, query.excluded, count)
        return Candidates(self._order[places], self._scores[places])


def popularity_scores(view: TrainingView, settings: RecallSettings) -> Floats:
    """What popularity orders by, float32 [n_videos]: smoothed rates or decayed counts."""
    if settings.popularity_score == "count":
        scores = decayed_positives(view, settings.half_life_days)
    else:
        scores = smoothed_rate(view, settings.half_life_days, settings.prior_impressions)
    return scores.astype(np.float32)


def log_odds(view: TrainingView, settings: RecallSettings) -> Floats:
    """Log-odds of the target by video, from the smoothed rates, float32 [n_videos]."""
    rate = smoothed_rate(view, settings.half_life_days, settings.prior_impressions)
    rate = rate.clip(1e-6, 1 - 1e-6)
    return np.log(rate / (1 - rate)).astype(np.float32)
