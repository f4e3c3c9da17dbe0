"""The oracle: recommends by the world's own probabilities. No one can know more."""

from typing import Self

import numpy as np

from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.world.truth import Truth


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
        view = self._view
        if view.target == "click":
            return self.truth.click(users, view.as_of, view.context).astype(np.float32)
        return self.truth.long_view(users, view.as_of, view.context).astype(np.float32)

    def predict(self, rows: Interactions) -> Floats:
        """True probability of the target for each row; ``rows`` hold whole sessions."""
        outcomes = self.truth.outcomes(rows)
        true = outcomes.click if self._view.target == "click" else outcomes.long_view
        return true.astype(np.float32)
