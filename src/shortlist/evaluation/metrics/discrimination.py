"""Whether a model tells rows with the outcome from rows without, and how true its odds are.

Rows of a log are given by three arrays of length n: ``positive`` (bool, whether the outcome came),
what the model said, and ``users`` (whose row it is). The rows of one user are alike, so intervals
come from whole users.
"""

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Bools, Doubles, Floats, Ints
from shortlist.errors import RefusedError
from shortlist.evaluation.metrics.intervals import (
    percentiles,
    resample_counts,
    resampled_sums,
    sums_by_unit,
)
from shortlist.evaluation.metrics.proportions import clustered_ratio, korn_graubard
from shortlist.evaluation.metrics.ratios import ratio
from shortlist.evaluation.scorecard import Curve, Estimate

Said = Floats | Doubles

_NEVER = 1e-7
"""Probabilities nearer than this to 0 or 1 are moved away, lest one row cost infinitely much."""


def area_under_curve(positive: Bools, scores: Said) -> float:
    """Chance that a row with the outcome is scored above one without it; equal scores count half.

    Source: Hanley and McNeil (Radiology 1982), as the statistic of Mann and Whitney.

    Raises:
        RefusedError: all rows have the outcome, or none has.

    Of the four pairs, two are in order, one is not and one is equal:

    >>> area_under_curve(np.array([True, True, False, False]), np.array([0.8, 0.3, 0.3, 0.5]))
    0.625
    """
    everyone = np.zeros(len(positive), np.int64)
    return _Pairs(positive, scores, everyone).area(np.ones(1))


def auc(
    positive: Bools, scores: Said, users: Ints, resamples: int = 1_000, seed: int = 0
) -> Estimate:
    """``area_under_curve`` with its bootstrap interval over users.

    Args:
        positive: bool [n].
        scores: larger for likelier, [n].
        users: int64 [n].
        resamples: how many times the users are drawn with repetition.
        seed: of the draws.

    Raises:
        RefusedError: all rows have the outcome, or none has, or all rows are of one user.
    """
    distinct, place = _units(users)
    pairs = _Pairs(positive, scores, place)
    blocks = resample_counts(distinct, resamples, seed)
    draws = [pairs.area(count) for block in blocks for count in block]
    return percentiles(pairs.area(np.ones(distinct)), np.array(draws), distinct)


def auc_difference(
    positive: Bools,
    first: Said,
    second: Said,
    users: Ints,
    resamples: int = 1_000,
    seed: int = 0,
) -> Estimate:
    """Area under the curve of ``first`` less that of ``second`` on the same rows.

    Both areas are of the same draws of users, so what rows differ in does not widen the interval.

    Args, raises: as for ``auc``.

    >>> said = np.array([0.9, 0.1, 0.8, 0.2])
    >>> positive = np.array([True, False, True, False])
    >>> auc_difference(positive, said, -said, np.array([0, 0, 1, 1]), resamples=100).value
    1.0
    """
    distinct, place = _units(users)
    one, other = _Pairs(positive, first, place), _Pairs(positive, second, place)
    everybody = np.ones(distinct)
    draws = [
        one.area(count) - other.area(count)
        for block in resample_counts(distinct, resamples, seed)
        for count in block
    ]
    value = one.area(everybody) - other.area(everybody)
    return percentiles(value, np.array(draws), distinct)


def calibration(positive: Bools, predicted: Said, users: Ints, label: str, bins: int = 10) -> Curve:
    """Observed rate beside the mean prediction, in bins of about equally many rows.

    Source: Niculescu-Mizil and Caruana (ICML 2005). The interval of each bin is Korn and
    Graubard's over users. Equal predictions stay in one bin, so there may be fewer than asked for.

    Args:
        positive: bool [n].
        predicted: probabilities, [n].
        users: int64 [n].
        label: of the curve.
        bins: how many at most.

    Returns:
        A curve with x the mean prediction and y the observed rate of each bin.

    Raises:
        RefusedError: there is no row.
        ValueError: a prediction is no probability.
    """
    of_row = _bins(predicted, bins)
    x, y, low, high = [], [], [], []
    for at in range(int(of_row.max()) + 1):
        rows = of_row == at
        count = int(rows.sum())
        columns = np.stack([np.ones(count), positive[rows], predicted[rows]], axis=1)
        size, hits, said = sums_by_unit(users[rows], columns).T
        # One user alone tells nothing of how users differ: then the interval is all there is.
        rate, error = clustered_ratio(hits, size) if len(size) > 1 else (hits[0] / size[0], 0.0)
        ends = korn_graubard(rate, error, count, len(size)) if len(size) > 1 else (0.0, 1.0)
        x.append(float(said.sum() / count))
        y.append(float(rate))
        low.append(ends[0])
        high.append(ends[1])
    return Curve(label=label, x=x, y=y, low=low, high=high)


def calibration_error(
    positive: Bools,
    predicted: Said,
    users: Ints,
    bins: int = 10,
    resamples: int = 1_000,
    seed: int = 0,
) -> Estimate:
    r"""Expected calibration error over bins of about equally many rows (Naeini et al., AAAI 2015).

    .. math:: \sum_b \frac{n_b}{n} |\bar{p}_b - \bar{y}_b|

    Chance alone keeps it above 0, and so much more so in resamples. The interval is therefore the
    bootstrap's basic one, which takes that off again; its lower end may be 0.

    Args: as for ``calibration`` and ``auc``.

    Raises:
        RefusedError: there is no row, or all rows are of one user.
        ValueError: a prediction is no probability.
    """
    of_row = _bins(predicted, bins)
    distinct, place = _units(users)
    number = int(of_row.max()) + 1
    gaps = predicted - positive.astype(np.float64)
    cells = place * number + of_row
    size = np.bincount(cells, minlength=distinct * number).reshape(distinct, number)
    gap = np.bincount(cells, gaps, minlength=distinct * number).reshape(distinct, number)
    draws = resampled_sums(np.concatenate([gap, size], axis=1), resamples, seed)
    drawn = np.abs(draws[:, :number]).sum(axis=1) / draws[:, number:].sum(axis=1)
    value = float(np.abs(gap.sum(axis=0)).sum() / size.sum())
    low, high = 2 * value - np.quantile(drawn, [0.975, 0.025])
    return Estimate(value=value, low=max(0.0, min(low, value)), high=max(high, value), n=distinct)


def log_loss(
    positive: Bools, predicted: Said, users: Ints, resamples: int = 1_000, seed: int = 0
) -> Estimate:
    r"""Mean surprise at what happened, in nats a row (Good 1952), with a bootstrap over users.

    .. math:: -\frac{1}{n} \sum_i y_i \ln p_i + (1 - y_i) \ln(1 - p_i)

    Args and errors as for ``calibration_error``.
    """
    sums = _losses(positive, predicted, users)
    draws = resampled_sums(sums, resamples, seed)
    loss, size, _ = sums.sum(axis=0)
    return percentiles(loss / size, draws[:, 0] / draws[:, 1], len(sums))


class _Pairs:
    """The rows in order of their scores, ready for the area under any counts of their users."""

    def __init__(self, positive: Bools, scores: Said, place: Ints) -> None:
        _both(positive)
        if not np.isfinite(scores).all():
            raise ValueError("a score is not finite")
        order = np.argsort(scores, kind="stable")
        hits, others = order[positive[order]], order[~positive[order]]
        self.user_of_hit, self.user_of_other = place[hits], place[others]
        self.below = np.searchsorted(scores[others], scores[hits], side="left")
        self.upto = np.searchsorted(scores[others], scores[hits], side="right")

    def area(self, counts: Doubles) -> float:
        """The area with the rows of user u counted ``counts[u]`` times; NaN if a side is empty."""
        hits = counts[self.user_of_hit]
        others = np.zeros(len(self.user_of_other) + 1)
        np.cumsum(counts[self.user_of_other], out=others[1:])
        won = hits @ (others[self.below] + others[self.upto]) / 2
        return float(ratio(np.array([won]), np.array([hits.sum() * others[-1]]))[0])


def _both(positive: Bools) -> None:
    number = int(positive.sum())
    if number in (0, len(positive)):
        raise RefusedError(
            f"{number} of {len(positive)} rows have the outcome, so rows with and without it "
            "cannot be told apart; judge more days"
        )


def _units(users: Ints) -> tuple[int, Ints]:
    """How many users there are, and the place of each row's user among them."""
    distinct, place = np.unique(users, return_inverse=True)
    if len(distinct) < 2:
        raise RefusedError(
            f"the rows are of {len(distinct)} users and an interval needs two; judge more days"
        )
    return len(distinct), place


def _probabilities(predicted: Said) -> Doubles:
    if len(predicted) == 0:
        raise RefusedError("there is no row to judge predictions on; judge more days")
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError("a prediction is not a probability between 0 and 1")
    return np.asarray(predicted, np.float64)


def _bins(predicted: Said, bins: int) -> Ints:
    """Bin of each row, without empty ones."""
    said = _probabilities(predicted)
    inner = np.unique(np.quantile(said, np.arange(1, bins) / bins))
    place = np.searchsorted(inner, said, side="left")
    return np.unique(place, return_inverse=True)[1]


def _losses(positive: Bools, predicted: Said, users: Ints) -> npt.NDArray[np.float64]:
    """Per user: total loss, rows, rows with the outcome; [users, 3]."""
    said = _probabilities(predicted).clip(_NEVER, 1 - _NEVER)
    _units(users)
    loss = -np.log(np.where(positive, said, 1 - said))
    return sums_by_unit(users, np.stack([loss, np.ones(len(said)), positive], axis=1))
