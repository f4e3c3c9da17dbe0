"""Intervals for means of clustered, unequally weighted figures between 0 and 1."""

import numpy as np
from scipy import special

from shortlist.datasets.interactions import Doubles

_TAIL = 0.025


def korn_graubard(rate: float, error: float, rows: float, clusters: int) -> tuple[float, float]:
    r"""The 95 % interval of Korn and Graubard (Survey Methodology 1998).

    It is the exact interval of Clopper and Pearson (1934) for a number of rows at which a plain
    sample would have the same error,

    .. math:: n^* = \min(p(1 - p) / s^2, n) \cdot (z / t_{g-1})^2

    Where few of the effective rows have the outcome, an interval of plus and minus two errors
    covers far less than it says, because the error itself is seen only where outcomes are; this
    one stays above.

    Args:
        rate: estimated mean; outside 0 to 1 it is moved to the border.
        error: its standard error, clusters taken into account.
        rows: no more than so many effective rows are believed; for weights, Kish's number.
        clusters: how many independent clusters there are, at least 2.

    Returns:
        The lower and the upper end, 0 to 1.

    Nothing in 100 plain rows leaves room for 3.7 %:

    >>> low, high = korn_graubard(0.0, 0.0, 100, 1_000_000)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    rate = min(max(rate, 0.0), 1.0)
    variance = rate * (1 - rate)
    fewer = variance > 0 and error**2 * rows > variance
    effective = variance / error**2 if fewer else rows
    effective *= float((special.ndtri(_TAIL) / reach(clusters)) ** 2)
    hits, misses = rate * effective, (1 - rate) * effective
    low = float(special.betaincinv(hits, misses + 1, _TAIL)) if hits > 0 else 0.0
    high = float(special.betainccinv(hits + 1, misses, _TAIL)) if misses > 0 else 1.0
    return low, high


def clustered_ratio(top: Doubles, bottom: Doubles) -> tuple[float, float]:
    r"""A ratio of sums over independent clusters, and its standard error by linearisation.

    .. math:: r = \sum_g t_g / \sum_g b_g, \quad
        s^2 = \frac{G}{G - 1} \sum_g (t_g - r b_g)^2 / (\sum_g b_g)^2

    Source: Cochran, Sampling Techniques (1977), section 6.

    Args:
        top: float64 [clusters], at least 2.
        bottom: float64 [clusters], with a positive sum.

    >>> [round(x, 4) for x in clustered_ratio(np.array([1.0, 3.0]), np.array([2.0, 2.0]))]
    [1.0, 0.5]
    """
    clusters = len(top)
    value = top.sum() / bottom.sum()
    residual = ((top - value * bottom) ** 2).sum() * clusters / (clusters - 1)
    return float(value), float(np.sqrt(residual) / bottom.sum())


def reach(clusters: int) -> float:
    """How many standard errors a 95 % interval goes to each side with few clusters (Student 1908).

    >>> round(reach(3), 3), round(reach(10_000), 3)
    (4.303, 1.96)
    """
    return -float(special.stdtrit(clusters - 1, _TAIL))
