"""How the quantities of a log are distributed, so that two logs can be laid over each other."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.evaluation.scorecard import Curve, Marginal

Doubles = npt.NDArray[np.float64]

_LEAST_ROWS: Final = 10


class Quantity(NamedTuple):
    """One quantity: where its histogram begins and ends, and in how many bins."""

    name: str
    unit: str
    low: float
    high: float
    bins: int
    log_scale: bool = False


QUANTITIES: Final = {
    "watch": Quantity("watch time", "seconds", 0.1, 1_000, 40, True),
    "length": Quantity("length of shown videos", "seconds", 2, 1_000, 30, True),
    "viewed": Quantity("length of videos viewed long", "seconds", 2, 1_000, 30, True),
    "per_video": Quantity("impressions per video", "impressions", 1, 10_000, 24, True),
    "per_user": Quantity("impressions per user", "impressions", 1, 10_000, 24, True),
    "hour": Quantity("hour of impressions", "hour of the day", 0, 24, 24),
    "viewed_hour": Quantity("hour of long views", "hour of the day", 0, 24, 24),
    "clicks": Quantity("click rate of a user", "clicks per impression", 0, 1, 20),
    "views": Quantity("long-view rate of a user", "long views per impression", 0, 1, 20),
}
"""Fixed bins, the same for every log; values beyond the ends are counted at the ends."""


def marginals(dataset: Dataset, label: str) -> list[Marginal]:
    """The distributions of a log, each with one curve called ``label``.

    What the log cannot know (clicks of a history without them, hours without times) is left out;
    rates of users are over those with at least ten rows that know the outcome.

    Raises:
        CorruptError: the log is torn.
    """
    catalogue = Catalogue.from_table(dataset.videos())
    log = Interactions.load(dataset, Users.from_table(dataset.users()), catalogue)
    length = catalogue.duration_seconds[log.video].astype(np.float64)
    hour = _hours(dataset)
    values = {
        "watch": log.watch_seconds.astype(np.float64),
        "length": length,
        "viewed": length[log.long_view == 1],
        "per_video": np.bincount(log.video).astype(np.float64),
        "per_user": np.bincount(log.user).astype(np.float64),
        "hour": hour,
        "viewed_hour": hour[log.long_view == 1],
        "clicks": _rates(log.user, log.click),
        "views": _rates(log.user, log.long_view),
    }
    found = []
    for key, quantity in QUANTITIES.items():
        curve = histogram(values[key], quantity, label)
        if curve is not None:
            found.append(
                Marginal(
                    quantity=quantity.name,
                    unit=quantity.unit,
                    log_scale=quantity.log_scale,
                    curves=[curve],
                )
            )
    return found


def beside(first: Sequence[Marginal], second: Sequence[Marginal]) -> list[Marginal]:
    """The quantities of ``first``, each with the curves of ``second`` for the same quantity."""
    others = {marginal.quantity: marginal.curves for marginal in second}
    return [
        marginal.model_copy(
            update={"curves": [*marginal.curves, *others.get(marginal.quantity, [])]}
        )
        for marginal in first
    ]


def histogram(values: Doubles, quantity: Quantity, label: str) -> Curve | None:
    """Density of a quantity over its axis (over log10 where that is log-scaled).

    Args:
        values: float64 [n]; those not finite, and on a log scale those not above 0, are left out.
        quantity: gives the bins.
        label: name of the curve.

    Returns:
        A curve whose area is 1; None where no value is left.

    >>> half = Quantity("share", "", 0, 1, 2)
    >>> histogram(np.array([0.1, 0.2, 0.3, 0.9]), half, "a").y
    [1.5, 0.5]
    """
    kept = values[np.isfinite(values) & ((values > 0) | (not quantity.log_scale))]
    if len(kept) == 0:
        return None
    low, high = quantity.low, quantity.high
    if quantity.log_scale:
        kept, low, high = np.log10(kept), np.log10(low), np.log10(high)
    density, borders = np.histogram(
        kept.clip(low, high), bins=quantity.bins, range=(low, high), density=True
    )
    middle = (borders[:-1] + borders[1:]) / 2
    if quantity.log_scale:
        middle = 10.0**middle
    return Curve(
        label=label,
        x=[float(value) for value in middle],
        y=[round(float(value), 9) for value in density],
    )


def local_hours(seconds: Doubles, day: npt.NDArray[np.int64]) -> Doubles:
    """Hour of the day in the source's own time zone, which its days give away.

    Args:
        seconds: moments since 1970-01-01 in UTC, float64 [n]; NaN where unknown.
        day: days since 1970-01-01 in the zone of the source, int64 [n].

    Returns:
        float64 [n], 0 to 24, at the whole-hour offset with which most moments fall on their days;
        the offset nearest to UTC where several do.

    >>> local_hours(np.array([20 * 3600.0, 15 * 3600.0]), np.array([1, 0]))
    array([ 0., 19.])
    """
    known = np.isfinite(seconds)
    offsets = sorted(range(-12, 15), key=abs)
    agreement = [
        (np.floor((seconds[known] / 3_600 + offset) / 24) == day[known]).sum() for offset in offsets
    ]
    return np.asarray((seconds / 3_600 + offsets[int(np.argmax(agreement))]) % 24)


def _hours(dataset: Dataset) -> Doubles:
    table = dataset.impressions(["day", "shown_at"])
    moments = table.column("shown_at").cast(pa.int64()).cast(pa.float64()).fill_null(np.nan)
    day = table.column("day").cast(pa.int32()).to_numpy().astype(np.int64)
    return local_hours(moments.to_numpy() / 1_000, day)


def _rates(user: npt.NDArray[np.int64], outcome: npt.NDArray[np.float32]) -> Doubles:
    known = np.isfinite(outcome)
    count = np.bincount(user[known])
    happened = np.bincount(user[known], outcome[known])
    enough = count >= _LEAST_ROWS
    return np.asarray(happened[enough] / count[enough])
