"""Figures as a reader wants them: no more digits than the interval allows, a dash for unknown."""

import math
from collections.abc import Iterable
from typing import Final

from shortlist.evaluation.scorecard import Estimate

DASH: Final = "\N{EM DASH}"
_MINUS: Final = "\N{MINUS SIGN}"


def number(value: float, decimals: int) -> str:
    """A figure with a fixed number of decimals; a dash where it is NaN.

    >>> number(1234.5678, 1), number(-0.0, 1), number(float("nan"), 2)
    ('1,234.6', '0.0', '—')
    """
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return f"{_MINUS if value < 0 else ''}\N{INFINITY}"
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.removeprefix("-")
    return text.replace("-", _MINUS)


def significant(value: float, digits: int = 3) -> str:
    """A figure that stands alone, with about three digits that matter.

    >>> significant(0.04412), significant(4.9871), significant(28), significant(50_000)
    ('0.0441', '4.99', '28', '50,000')
    """
    if not math.isfinite(value) or value == round(value):
        return number(value, 0)
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return number(value, min(max(decimals, 0), 6))


def decimals_for(estimates: Iterable[Estimate], factor: float = 1.0, spare: int = 1) -> int:
    """Decimals of a column: those that the half width of the interval needs.

    The half width is shown with one digit, or with two where it begins with 1, 2 or 3, after the
    rounding rule of the Particle Data Group (Review of Particle Physics, section 5.3).

    Args:
        estimates: the figures of the column; of their half widths the median counts.
        factor: what the figures are multiplied with before they are shown (100 for percentages).
        spare: the second digit; 0 leaves it out, as prose does.

    >>> decimals_for([Estimate(value=0.412, low=0.400, high=0.424, n=9)])
    3
    >>> decimals_for([Estimate(value=0.412, low=0.351, high=0.473, n=9)])
    2
    """
    known = [e for e in estimates if math.isfinite(e.value)]
    widths = sorted((e.high - e.low) / 2 * factor for e in known)
    widths = [width for width in widths if math.isfinite(width) and width > 0]
    if widths:
        half = widths[len(widths) // 2]
        # The small addition keeps a width of exactly 0.01 from losing a digit to rounding.
        power = math.floor(math.log10(half) + 1e-9)
        decimals = -power + (spare if half / 10.0**power < 3.55 else 0)
    else:
        sizes = sorted(abs(e.value) * factor for e in known if e.value != 0)
        if not sizes:
            return 0
        decimals = 1 + spare - math.floor(math.log10(sizes[len(sizes) // 2]) + 1e-9)
    return min(max(decimals, 0), 4)


def interval(estimate: Estimate, decimals: int, factor: float = 1.0) -> str:
    """The 95 % interval in brackets; empty where there is none.

    >>> interval(Estimate(value=0.412, low=0.4, high=0.424, n=9), 3)
    '[0.400, 0.424]'
    """
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return ""
    low, high = (number(end * factor, decimals) for end in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def count(value: int) -> str:
    """A whole number with its thousands apart: ``1,000,000``."""
    return f"{value:,}"


def counted(value: int, singular: str, plural: str = "") -> str:
    """A whole number and its noun: ``1 user``, ``2 users``.

    >>> counted(1, "user"), counted(1200, "user")
    ('1 user', '1,200 users')
    """
    return f"{count(value)} {singular if value == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it.

    >>> duration(0.0312), duration(4.21), duration(83.4), duration(3_720)
    ('0.03 s', '4.2 s', '1 min 23 s', '1 h 02 min')
    """
    if not math.isfinite(seconds):
        return DASH
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def memory(megabytes: float) -> str:
    """An amount of memory in MB or GB.

    >>> memory(312.4), memory(2150.0)
    ('312 MB', '2.1 GB')
    """
    if not math.isfinite(megabytes):
        return DASH
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1024:.1f} GB"


def shortened(text: str, length: int) -> str:
    """Text cut in its middle to at most ``length`` characters.

    >>> shortened("a-very-long-model-name", 11)
    'a-ver…-name'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 2 if length > 2 else 0
    head = length - 1 - tail
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - tail :]}"
