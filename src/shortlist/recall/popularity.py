"""Popularity: what is liked most of late, the same for everybody who has not seen it."""

import math
from typing import Final

import numpy as np

from shortlist.datasets.interactions import Bools, Floats, Ints, TrainingView
from shortlist.datasets.signals import decayed_positives, smoothed_rate
from shortlist.recall.query import Candidates, Query, first_allowed
from shortlist.settings.recall import RecallSettings

POPULAR_SHARE: Final = 0.1
"""Share of the live videos, the best of them, that may be called popular."""


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
        self._order = _ordered(scores, live)
        self._scores = np.asarray(scores[self._order], np.float32)

    def recall(self, query: Query, count: int) -> Candidates:
        """The head of the order without what is excluded."""
        places = first_allowed(self._order, query.excluded, count)
        return Candidates(self._order[places], self._scores[places])


def popular(scores: Floats, live: Bools) -> Bools:
    """The best tenth of the live videos, bool [n]: on a small catalogue nearly all are recalled.

    >>> scores = np.arange(20, dtype=np.float32)
    >>> np.flatnonzero(popular(scores, np.ones(20, bool)))
    array([18, 19])
    """
    order = _ordered(scores, live)
    found = np.zeros(len(live), np.bool_)
    found[order[: math.ceil(POPULAR_SHARE * len(order))]] = True
    return found


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


def _ordered(scores: Floats, live: Bools) -> Ints:
    """Rows of the live videos, the best first, of equals the first."""
    rows = np.flatnonzero(live)
    return rows[np.argsort(-scores[rows], kind="stable")]
