"""How far a figure may be off because other users might have come: bootstrap intervals over users.

Users are resampled whole, because the rows of one user are alike. What is resampled are per-user
sums, so any figure that is a function of sums gets its interval from one small matrix. All draws
of one seed and one number of users are the same, so figures of several models are comparable.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from shortlist.datasets.interactions import Doubles, Ints
from shortlist.errors import RefusedError
from shortlist.evaluation.metrics.ratios import ratio
from shortlist.evaluation.scorecard import Estimate

_DRAWS_AT_ONCE = 4_000_000


def mean_interval(values: Doubles, resamples: int = 1_000, seed: int = 0) -> Estimate:
    """Mean over users with the percentile interval of Efron (1979).

    Args:
        values: one figure per user, float64 [m]; users with NaN have none and are left out.
        resamples: how many times m users are drawn with repetition.
        seed: of the draws.

    Raises:
        RefusedError: fewer than two users have a figure.

    >>> mean_interval(np.array([1.0, 0.0, 1.0, np.nan])).value.__round__(4)
    0.6667
    """
    return mean_intervals({"figure": values}, resamples, seed)["figure"]


def mean_intervals(
    values: Mapping[str, Doubles], resamples: int = 1_000, seed: int = 0
) -> dict[str, Estimate]:
    """``mean_interval`` of several figures of the same users, on the same draws.

    Raises:
        RefusedError: fewer than two users have one of the figures.
        ValueError: the figures are not of equally many users.
    """
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"figures of unequally many users: {lengths}")
    if not values:
        return {}
    table = np.stack(list(values.values()), axis=1).astype(np.float64)
    known = ~np.isnan(table)
    counts = known.sum(axis=0)
    for name, count in zip(values, counts, strict=True):
        if count < 2:
            raise RefusedError(
                f"{name}: only {count} users have a figure and an interval needs two; "
                "judge more users or more days"
            )
    sums = np.concatenate([np.where(known, table, 0.0), known], axis=1)
    draws = resampled_sums(sums, resamples, seed)
    means = ratio(draws[:, : len(values)], draws[:, len(values) :])
    centre = ratio(*np.split(sums.sum(axis=0), 2))
    return {
        name: percentiles(centre[at], means[:, at], int(counts[at]))
        for at, name in enumerate(values)
    }


def known_intervals(
    values: Mapping[str, Doubles], resamples: int = 1_000, seed: int = 0
) -> dict[str, Estimate]:
    """``mean_intervals``, where a figure that fewer than two users have is unknown.

    Raises:
        ValueError: the figures are not of equally many users.
    """
    counts = {name: int((~np.isnan(column)).sum()) for name, column in values.items()}
    enough = {name: column for name, column in values.items() if counts[name] > 1}
    found = mean_intervals(enough, resamples, seed)
    return {name: found.get(name, unknown(count)) for name, count in counts.items()}


def paired_difference(
    first: Doubles, second: Doubles, resamples: int = 1_000, seed: int = 0
) -> Estimate:
    """Mean of ``first - second`` with its interval, over the users who have both.

    Each user is compared with himself, so what users differ in does not widen the interval.

    Args:
        first: one figure per user, float64 [m].
        second: the same figure of the same users under another model, float64 [m].
        resamples: how many times m users are drawn with repetition.
        seed: of the draws.

    Raises:
        RefusedError: fewer than two users have both figures.
        ValueError: lengths differ.

    >>> paired_difference(np.array([0.3, 0.9]), np.array([0.1, 0.7])).high.__round__(4)
    0.2
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} users cannot be paired with {len(second)}")
    return mean_intervals({"difference": first - second}, resamples, seed)["difference"]


def mean_ratio(first: Doubles, second: Doubles, resamples: int = 1_000, seed: int = 0) -> Estimate:
    """Mean of ``first`` over mean of ``second``, over the users who have both.

    Both means are of the same draws. NaN where the mean of ``second`` is 0.

    Args:
        first: one figure per user, float64 [m].
        second: another figure of the same users, float64 [m].
        resamples: how many times the users are drawn with repetition.
        seed: of the draws.

    Raises:
        RefusedError: fewer than two users have both figures.

    >>> mean_ratio(np.array([1.0, 3.0, np.nan]), np.array([2.0, 2.0, 9.0])).value
    1.0
    """
    both = np.stack([first, second], axis=1)
    both = both[~np.isnan(both).any(axis=1)]
    if len(both) < 2:
        raise RefusedError(
            f"only {len(both)} users have both figures and an interval needs two; judge more "
            "users or more days"
        )
    draws = resampled_sums(both, resamples, seed)
    value = ratio(*np.split(both.sum(axis=0), 2))
    return percentiles(float(value[0]), ratio(draws[:, 0], draws[:, 1]), len(both))


def relative_change(
    after: Doubles, before: Doubles, resamples: int = 1_000, seed: int = 0
) -> Estimate:
    """Change of the mean from ``before`` to ``after``, as a share of the mean before.

    Args, raises: as for ``mean_ratio``.

    >>> relative_change(np.array([3.0, 3.0]), np.array([1.0, 3.0])).value
    0.5
    """
    found = mean_ratio(after, before, resamples, seed)
    return Estimate(value=found.value - 1, low=found.low - 1, high=found.high - 1, n=found.n)


def unknown(n: int = 0) -> Estimate:
    """No figure: where a group is too small, or the log says nothing."""
    return Estimate(value=float("nan"), low=float("nan"), high=float("nan"), n=n)


def exact(value: float, n: int) -> Estimate:
    """A figure that is counted, not sampled, such as coverage: its interval is itself.

    Resampled users give fewer distinct lists, so a bootstrap of coverage would sit below it.
    """
    return Estimate(value=value, low=value, high=value, n=n)


def percentiles(value: float, draws: Doubles, n: int) -> Estimate:
    """The 95 % interval between the 2.5th and 97.5th percentile of the draws that are not NaN."""
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Estimate(value=float(value), low=float(low), high=float(high), n=n)


def sums_by_unit(unit: Ints, columns: Doubles) -> Doubles:
    """Add up the rows of each unit.

    Args:
        unit: id of the user or session of each row, int64 [n].
        columns: float64 [n, c].

    Returns:
        float64 [distinct units, c], units ascending.

    >>> sums_by_unit(np.array([7, 3, 7]), np.array([[1.0], [2.0], [4.0]])).tolist()
    [[2.0], [5.0]]
    """
    distinct, place = np.unique(unit, return_inverse=True)
    sums = [np.bincount(place, column, minlength=len(distinct)) for column in columns.T]
    return np.stack(sums, axis=1) if sums else np.zeros((len(distinct), 0))


def resampled_sums(sums: Doubles, resamples: int, seed: int) -> Doubles:
    """Totals of the columns of ``sums`` over rows drawn with repetition.

    Args:
        sums: per-unit sums, float64 [m, c].
        resamples: how many times m rows are drawn.
        seed: of the draws.

    Returns:
        float64 [resamples, c].
    """
    parts = [count @ sums for count in resample_counts(len(sums), resamples, seed)]
    return np.concatenate(parts)


def resample_counts(units: int, resamples: int, seed: int) -> Iterator[Doubles]:
    """How often each unit is drawn in each resample, in blocks of bounded memory.

    Yields:
        float64 [b, units], whole numbers, rows adding up to ``units``; b over all blocks adds up
        to ``resamples``.
    """
    rng = np.random.default_rng(seed)
    step = max(1, _DRAWS_AT_ONCE // units)
    for done in range(0, resamples, step):
        block = min(step, resamples - done)
        drawn = rng.integers(0, units, (block, units))
        drawn += np.arange(block)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=block * units)
        yield counts.reshape(block, units).astype(np.float64)
