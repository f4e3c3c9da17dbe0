"""A ratio that is NaN, not an error, where there is nothing to divide by."""

from typing import Any

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Doubles


def ratio(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> Doubles:
    """``top / bottom``, float64 of their common shape; NaN where ``bottom`` is 0.

    >>> ratio(np.array([1, 3]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    result: Doubles = np.full(np.shape(bottom), np.nan)
    np.divide(top, bottom, out=result, where=bottom != 0)
    return result
