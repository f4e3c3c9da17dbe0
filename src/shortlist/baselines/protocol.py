"""What every recommender here can do, learned or not: be fitted, score, and perhaps predict."""

from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Interactions, TrainingView


class Recommender(Protocol):
    """A model that orders the whole catalogue for any user."""

    name: str
    """Short, unique, fit for a table: ``item-knn``."""

    def fit(self, view: TrainingView) -> Self:
        """Learn from ``view`` alone, from scratch; fitting twice equals fitting once."""
        ...

    def score(self, users: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores of every video for the given users, for ``view.as_of`` and ``view.context``.

        Args:
            users: rows of the users table, int64 [m]; a user without history gets scores too.

        Returns:
            float32 [m, n_videos], larger is better, finite. A row depends on its own user alone,
            never on which others are asked for in the same call. Seen videos are not removed:
            that is the judge's and the server's business.
        """
        ...


@runtime_checkable
class Predictor(Protocol):
    """A recommender whose output for a logged row is a probability of the target."""

    def predict(self, rows: Interactions) -> npt.NDArray[np.float32]:
        """Probability of the target for each row, float32 [n], in the row's own context.

        ``rows`` carry ``context``; their outcomes must not be read.
        """
        ...
