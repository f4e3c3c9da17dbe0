"""Maximal marginal relevance: every video on the page makes those like it less new.

Carbonell and Goldstein, SIGIR 1998, with the sum of similarities instead of the largest: the third
video of a kind tires more than the second.
"""

import numpy as np
import numpy.typing as npt


class MarginalRelevance:
    """Novelty is 1 less the sum of similarities to the page; it may fall below 0.

    >>> left = MarginalRelevance(np.array([[1.0, 0.75], [0.75, 1.0]], np.float32), size=2)
    >>> left.add(0)
    >>> left.novelty().tolist()
    [0.0, 0.25]
    """

    def __init__(self, similarity: npt.NDArray[np.float32], size: int) -> None:
        """Start with an empty page; ``size`` is not needed, the page may grow as it likes."""
        del size
        self._similarity = similarity
        self._left = np.ones(len(similarity))

    def novelty(self) -> npt.NDArray[np.float64]:
        """How new each candidate is, given the page, float64 [k]."""
        return self._left

    def add(self, index: int) -> None:
        """Put a candidate on the page."""
        # Opposite content makes no video newer than an empty page would.
        self._left = self._left - np.maximum(self._similarity[index], 0.0)
