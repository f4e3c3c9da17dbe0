"""Content: videos that resemble what a user liked lately, and not what they let pass."""

from typing import Self

import numpy as np

from shortlist.baselines.histories import rank_below
from shortlist.datasets.interactions import Floats, Ints, TrainingView, events_since
from shortlist.datasets.signals import Weights, decay, positives, user_video, video_sums


class Content:
    """Relevance feedback (Rocchio, in: Salton, The SMART Retrieval System, 1971) on videos.

    A user's profile is the mean content vector of their positives less ``aversion`` times that of
    their negatives, both halved by every ``half_life_events`` later events; a candidate's score is
    its product with the profile. So it can tell videos apart that nobody has watched yet. Users
    without positives get popularity.
    """

    name = "content"

    def __init__(self, half_life_events: float, aversion: float) -> None:
        self.half_life_events = half_life_events
        self.aversion = aversion

    def fit(self, view: TrainingView) -> Self:
        """Average the vectors of each user's videos."""
        outcome = view.log.outcome(view.target)
        recency = decay(events_since(view.log.user), self.half_life_events)
        self._content: Floats = view.content
        liked = positives(view)
        self._profiles = _means(view, liked, recency)
        # Negatives alone say nothing of what would be liked instead.
        self._known = np.bincount(view.log.user[liked], minlength=len(view.users)) > 0
        self._popularity = video_sums(view, liked)
        self._profiles -= self.aversion * _means(view, np.flatnonzero(outcome == 0), recency)
        return self

    def score(self, users: Ints) -> Floats:
        """Products of profiles and content vectors, float32 [m, n_videos]."""
        scores: Floats = self._profiles[users] @ self._content.T
        return rank_below(scores, self._known[users][:, None], self._popularity)


def _means(view: TrainingView, rows: Ints, recency: Weights) -> Floats:
    """Weighted mean vector of each user's videos, shrunk by one zero, float32 [n_users, width]."""
    history = user_video(view, rows, recency[rows])
    sums: Floats = history @ view.content
    sums /= (history.sum(axis=1) + 1.0)[:, None].astype(np.float32)
    return sums
