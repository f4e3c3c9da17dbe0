"""Whom the lists favour: the catalogue's breadth, and the most popular videos."""

from shortlist.evaluation.report import selection
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.standing import legend, standing
from shortlist.evaluation.report.exhibits.words import INTERVALS, figure, sentence, spoken
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.scorecard import Scorecard


def coverage(scorecard: Scorecard) -> Exhibit | None:
    """How much of the catalogue anybody gets to see."""
    column = selection.find(scorecard, "coverage", ["logged", "truth"])
    if column is None:
        return None
    widest, narrowest = _ends(scorecard, column)
    return Exhibit(
        key="coverage",
        finding=sentence(
            f"{widest} shows {figure(column, widest)} of the catalogue to somebody"
            + _contrast(column, narrowest, widest, "only ")
        ),
        reading=(
            "The further right, the more of the catalogue appears in at least one user's list; "
            f"{INTERVALS}."
        ),
        alternative=spoken(scorecard, column),
        drawing=standing(scorecard, column, "coverage", bounded=False),
        legend=legend(scorecard, column),
    )


def popularity(scorecard: Scorecard) -> Exhibit | None:
    """How many places go to the most popular videos."""
    column = selection.find(scorecard, "popularity_share", ["logged", "truth"])
    if column is None:
        return None
    most, least = _ends(scorecard, column)
    return Exhibit(
        key="popularity",
        finding=sentence(
            f"{most} gives {figure(column, most)} of its places to the most popular videos"
            + _contrast(column, least, most, "")
        ),
        reading=(
            "The further right, the more of the places in all lists go to the few most popular "
            f"videos; neither side is better by itself; {INTERVALS}."
        ),
        alternative=spoken(scorecard, column),
        drawing=standing(scorecard, column, "popularity", bounded=False),
        legend=legend(scorecard, column),
    )


def _ends(scorecard: Scorecard, column: Column) -> tuple[str, str]:
    """The contenders with the largest and the smallest figure; all models where there are none."""
    able = [model.name for model in selection.contenders(scorecard)]
    names = [name for name in column.by_model if name in able] or list(column.by_model)
    known = [name for name in names if column.by_model[name].value == column.by_model[name].value]
    ordered = sorted(known or names, key=lambda name: column.by_model[name].value)
    return ordered[-1], ordered[0]


def _contrast(column: Column, other: str, named: str, only: str) -> str:
    return f", {other} {only}{figure(column, other)}" if other != named else ""
