"""Ticks of an axis, written with plain figures: no powers, no offsets, no formulas."""

import itertools
import math

from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from shortlist.evaluation.report import numerals


def ticks(axis: Axis, low: float, high: float, most: int) -> None:
    """Put at most about ``most`` round ticks on a linear axis from ``low`` to ``high``."""
    locator = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])
    tolerance = 1e-9 * (high - low)
    places = [
        float(place)
        for place in locator.tick_values(low, high)
        if low - tolerance <= place <= high + tolerance
    ]
    step = min((after - before for before, after in itertools.pairwise(places)), default=1.0)
    decimals = _decimals(step)
    _fix(axis, places, [numerals.number(place, decimals) for place in places])


def log_ticks(axis: Axis, low: float, high: float, most: int) -> None:
    """Label an axis that shows log10 of a quantity with at most ``most`` round values of it."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    places: list[float] = []
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [digit * 10.0**power for power in powers for digit in digits]
        places = [value for value in values if low <= math.log10(value) <= high]
        if len(places) <= most:
            break
    places = places[:: math.ceil(len(places) / most) or 1]
    _fix(axis, [math.log10(place) for place in places], [_plain(place) for place in places])


def _decimals(step: float) -> int:
    """Decimals that write a step between ticks in full."""
    for decimals in range(7):
        if math.isclose(step * 10**decimals, round(step * 10**decimals), abs_tol=1e-6):
            return decimals
    return 7


def _plain(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1_000:g}k" if value >= 10_000 else f"{value:,g}"


def _fix(axis: Axis, places: list[float], labels: list[str]) -> None:
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter(labels))
    axis.set_minor_locator(NullLocator())
