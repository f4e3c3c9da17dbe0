"""Collaborative: videos liked by those who like the same; a user is folded in at the request."""

import numpy as np

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Bools, Floats, Target
from shortlist.recall.query import Candidates, Query, best
from shortlist.recall.strength import strengths


class Collaborative:
    """Products with the item factors of ALS (Hu, Koren and Volinsky, ICDM 2008).

    Given the item factors ``Y``, the factor of a user with confidences ``c`` in the videos ``y_i``
    has a closed form: ``(Y'Y + sum (c_i - 1) y_i y_i' + l2 I)^-1 sum c_i y_i``. So who comes anew,
    or did something a second ago, needs no training. Repeats do not add up: the strongest event of
    a video counts, as in training. A user without positives gets nothing.
    """

    name = "collaborative"

    def __init__(
        self, factors: Floats, live: Bools, target: Target, *, l2: float, confidence: float
    ) -> None:
        """Hold the tables.

        Args:
            factors: of every video, float32 [n, width]; zeros where nobody liked it.
            live: which videos may be returned, bool [n].
            target: what recommendations should bring about.
            l2: ridge penalty of the training.
            confidence: in an event of strength 1, against 1 in a pair not seen.
        """
        self._factors = np.ascontiguousarray(factors, np.float32)
        self._silent = np.flatnonzero(~(live & self._factors.any(axis=1)))
        wide = self._factors.astype(np.float64)
        self._base = wide.T @ wide + l2 * np.eye(factors.shape[1])
        self._target = target
        self._confidence = confidence

    def recall(self, query: Query, count: int) -> Candidates:
        """The best products among videos that somebody liked."""
        user = self.fold_in(query.history)
        if user is None:
            return Candidates.none()
        scores = self._factors @ user
        scores[self._silent] = -np.inf
        scores[query.excluded] = -np.inf
        return best(scores, count)

    def fold_in(self, history: Events) -> Floats | None:
        """The user's factor, float32 [width]; None where the history has no positive."""
        strength = strengths(history.kind, self._target)
        liked = np.flatnonzero(strength)
        if len(liked) == 0:
            return None
        video, place = np.unique(history.video[liked], return_inverse=True)
        confidence = np.zeros(len(video))
        np.maximum.at(confidence, place, self._confidence * strength[liked])
        items = self._factors[video].astype(np.float64)
        system = self._base + (items.T * (confidence - 1)) @ items
        return np.linalg.solve(system, confidence @ items).astype(np.float32)
