"""The oracle: recommends by the world's own probabilities. No one can know more.

A log of a world that live traffic continues has newcomers, whom the world does not know. Of them
the oracle says what it says of its own users on average.
"""

from functools import cached_property
from typing import Final, Self

import numpy as np

from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.world.truth import Truth

_AVERAGED: Final = 256


class Oracle:
    """Fits nothing; asks the truth."""

    name = "oracle"

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def fit(self, view: TrainingView) -> Self:
        """Remember the day, the context and the target."""
        self._view = view
        return self

    def score(self, users: Ints) -> Floats:
        """True probability of the target in an empty session, float32 [m, n_videos]."""
        known = users < self.truth.users
        if known.all():
            return self._asked(users)
        scores = np.tile(self._average, (len(users), 1))
        scores[known] = self._asked(users[known])
        return scores

    def predict(self, rows: Interactions) -> Floats:
        """True probability of the target for each row, given what is known of its session."""
        known = rows.user < self.truth.users
        outcomes = self.truth.outcomes(rows.take(known), gaps=True)
        said = np.zeros(len(rows), np.float32)
        said[known] = outcomes.click if self._view.target == "click" else outcomes.long_view
        if not known.all():
            said[~known] = self._average[rows.video[~known]]
        return said

    @cached_property
    def _average(self) -> Floats:
        """Of the world's first users, float32 [n_videos]."""
        some = np.arange(min(_AVERAGED, self.truth.users), dtype=np.int64)
        return np.asarray(self._asked(some).mean(axis=0), np.float32)

    def _asked(self, users: Ints) -> Floats:
        view = self._view
        ask = self.truth.click if view.target == "click" else self.truth.long_view
        return ask(users, view.as_of, view.context).astype(np.float32)
