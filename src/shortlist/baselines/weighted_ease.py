"""EASE on watches, weighed by recency, times the rate and the trend of each candidate."""

import math
from typing import Self

import numpy as np

from shortlist.baselines.ease import ease_weights
from shortlist.baselines.histories import rank_below
from shortlist.datasets.interactions import Floats, Ints, TrainingView, events_since
from shortlist.datasets.signals import (
    decay,
    most_popular,
    smoothed_rate,
    user_video,
    video_sums,
    watch_trend,
    watches,
)


class WeightedEASE:
    """What people watch next, were it liked and of today.

    For user ``u`` and candidate ``j`` the score is ``(x_u B)_j * rate_j ** rate_power * trend_j``:

    - ``x_u`` are the user's watches, each halved by every ``half_life_events`` later ones, and
      ``B`` the weights of EASE (Steck, WWW 2019) fitted to these rows. A watch is an impression
      that was not declined; it says what reaches a user, also where it was not to their liking.
    - ``rate_j`` is the share of positives among the impressions of ``j``.
    - ``trend_j`` is the share of recent ones among the watches of ``j``, where a watch is halved by
      every ``trend_half_life_events`` later events of the same user. Counted in events, not days,
      it needs no times. It tells videos that are still shown from those of the past.

    Rate and trend are shrunk to their means by ``prior_impressions``. The ``videos`` most watched
    lately are known; the rest of the catalogue follows by recent watches.
    """

    name = "weighted-ease"

    def __init__(
        self,
        videos: int,
        l2: float,
        half_life_events: float,
        trend_half_life_events: float,
        rate_power: float,
        prior_impressions: float,
    ) -> None:
        self.videos = videos
        self.l2 = l2
        self.half_life_events = half_life_events
        self.trend_half_life_events = trend_half_life_events
        self.rate_power = rate_power
        self.prior_impressions = prior_impressions

    def fit(self, view: TrainingView) -> Self:
        """Solve for the weights between the videos most watched lately."""
        rows = watches(view)
        weights = decay(events_since(view.log.user[rows]), self.half_life_events)
        self._popularity = video_sums(view, rows, weights)
        self._columns = most_popular(self._popularity, self.videos)
        self._history = user_video(view, rows, weights)[:, self._columns]
        rate = smoothed_rate(view, math.inf, self.prior_impressions)
        trend = watch_trend(view, self.trend_half_life_events, self.prior_impressions)
        lift = (rate**self.rate_power * trend)[self._columns].astype(np.float32)
        self._weights = ease_weights(self._history, self.l2)
        self._weights *= lift
        return self

    def score(self, users: Ints) -> Floats:
        """Weights from each user's watches, rated, float32 [m, n_videos]."""
        history = self._history[users]
        scores = np.zeros((len(users), len(self._popularity)), np.float32)
        scores[:, self._columns] = history @ self._weights
        known = np.zeros(scores.shape, np.bool_)
        known[np.ix_(np.diff(history.indptr) > 0, self._columns)] = True
        return rank_below(scores, known, self._popularity)
