r"""A determinantal point process, greedily: the page should span as much as it can.

Fast greedy MAP inference of Chen, Zhang and Zhou (NeurIPS 2018): the gain of a candidate in
``log det`` of the page's similarities is the log of the variance ``v`` that the page leaves
unexplained, and adding a video updates all ``v`` with one row of a Cholesky factor, O(k) for each
video already there.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

_FLOOR: Final = 1e-3
"""Variance below which a video counts as already said; float32 kernels know no less."""


class Determinantal:
    r"""Novelty is :math:`1 + \ln v / \ln 1000`: 1 on an empty page, 0 for what it already spans.

    Up to a constant per video that is the gain in ``log det``, so the greedy page climbs
    :math:`(1 - t) \sum q_i + t \log\det S / \ln 1000`.

    >>> left = Determinantal(np.array([[1.0, 0.6], [0.6, 1.0]], np.float32), size=2)
    >>> left.add(0)
    >>> float(left.novelty()[1].round(4)), float((1 + np.log(0.64) / np.log(1000)).round(4))
    (0.9354, 0.9354)
    """

    def __init__(self, similarity: npt.NDArray[np.float32], size: int) -> None:
        """Start with an empty page that will hold up to ``size`` videos."""
        self._similarity = similarity
        self._factor = np.zeros((size, len(similarity)))
        self._rows = 0
        self._variance = np.diagonal(similarity).astype(np.float64)

    def novelty(self) -> npt.NDArray[np.float64]:
        """How new each candidate is, given the page, float64 [k]."""
        new = np.log(np.maximum(self._variance, _FLOOR))
        new *= 1 / -math.log(_FLOOR)
        new += 1
        return new

    def add(self, index: int) -> None:
        """Put a candidate on the page."""
        variance = self._variance[index]
        if variance <= _FLOOR:
            return  # It spans nothing new; dividing by its variance would only add noise.
        known = self._factor[: self._rows]
        row = (self._similarity[index] - known[:, index] @ known) / math.sqrt(variance)
        self._factor[self._rows] = row
        self._rows += 1
        self._variance = self._variance - row * row
