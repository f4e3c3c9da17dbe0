"""Small pieces of the sentences that state a finding."""

import math
from collections.abc import Sequence
from typing import Final

from shortlist.evaluation.report import numerals
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.scorecard import Estimate, Scorecard

INTERVALS: Final = "bars are 95 % intervals"


def sentence(text: str) -> str:
    """Text with a full stop at its end; its first letter stays, it may begin a name.

    >>> sentence("ease leads")
    'ease leads.'
    """
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def enumeration(names: Sequence[str], most: int = 4) -> str:
    """Names in a row, the rest counted.

    >>> enumeration(["a", "b", "c"]), enumeration(["a", "b", "c"], most=2)
    ('a, b and c', 'a and 2 others')
    """
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return "".join(names)


def percent(share: float) -> str:
    """A share as a whole percentage; a dash where it is NaN.

    >>> percent(0.624).split()
    ['62', '%']
    """
    if not math.isfinite(share):
        return numerals.DASH
    return f"{numerals.number(100 * share, 0)}\N{NO-BREAK SPACE}%"


def figure(column: Column, name: str) -> str:
    """A model's figure with the digits that prose bears, and a percent sign where it is a share."""
    estimate = column.by_model.get(name)
    if estimate is None:
        return numerals.DASH
    decimals = numerals.decimals_for(column.by_model.values(), column.factor, spare=0)
    sign = "\N{NO-BREAK SPACE}%" if column.metric.percent else ""
    return numerals.number(estimate.value * column.factor, decimals) + sign


def spoken(scorecard: Scorecard, column: Column) -> str:
    """Every figure of a column, for who cannot see the plot."""
    parts = [
        f"{model.name} {_spoken(column.by_model[model.name], column)}"
        for model in scorecard.models
        if model.name in column.by_model
    ]
    return f"{column.metric.label} of each model: {'; '.join(parts)}."


def _spoken(estimate: Estimate, column: Column) -> str:
    if not math.isfinite(estimate.value):
        return "unknown"
    decimals = numerals.decimals_for(column.by_model.values(), column.factor)
    value = numerals.number(estimate.value * column.factor, decimals)
    low, high = (
        numerals.number(end * column.factor, decimals) for end in (estimate.low, estimate.high)
    )
    if numerals.DASH in (low, high):
        return value
    return f"{value}, between {low} and {high}"
