"""Where each model stands on one metric, between random lists and the oracle."""

import math

from shortlist.evaluation.report import selection, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, Drawing, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import FAMILY_MARKS, Mark
from shortlist.evaluation.report.exhibits.rows import Line, Row, paint_rows
from shortlist.evaluation.report.exhibits.words import (
    INTERVALS,
    enumeration,
    figure,
    percent,
    sentence,
    spoken,
)
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.scorecard import Scorecard


def headline(scorecard: Scorecard) -> Exhibit | None:
    """The one plot to look at: expected-gain NDCG against the truth, or NDCG on a real log."""
    column = selection.headline(scorecard)
    if column is None:
        return None
    if column.group == "truth":
        reading = (
            "Each mark is a model; the further right, the nearer its lists come to the best "
            f"possible ones; {INTERVALS} over users, dashed lines are random lists and the oracle."
        )
        finding = _finding_truth(scorecard, column)
    else:
        reading = (
            "Each mark is a model; the further right, the nearer the top it put what users went "
            f"on to like; {INTERVALS} over users."
        )
        finding = _finding_log(scorecard, column)
    return Exhibit(
        key="headline",
        finding=finding,
        reading=reading,
        alternative=spoken(scorecard, column),
        drawing=standing(scorecard, column, "headline"),
        legend=legend(scorecard, column),
    )


def page_value(scorecard: Scorecard) -> Exhibit | None:
    """Expected clicks of a page, with fatigue inside it."""
    column = selection.find(scorecard, "page_value")
    if column is None:
        return None
    leader = selection.best(scorecard, column)
    value = selection.value_of(column, leader)
    floor = selection.value_of(column, selection.RANDOM)
    ceiling = selection.value_of(column, selection.of_family(scorecard, "oracle"))
    if leader is None:
        finding = "No model that could serve has a page value"
    else:
        finding = (
            f"The first of {leader}'s list bring {figure(column, leader)} expected clicks as a page"
        )
        if math.isfinite(floor) and floor > 0:
            finding += f", {value / floor:.1f} times those of a random page"
        if math.isfinite(ceiling) and ceiling > 0:
            finding += f" and {percent(value / ceiling)} of those of the oracle's page"
    return Exhibit(
        key="page-value",
        finding=sentence(finding + _maybe_chance(scorecard, column, leader)),
        reading=(
            "Each mark is the number of clicks to expect from the first of a list as one page, "
            "counting that a repeated tag tires the viewer, before any slate draws a better one; "
            f"{INTERVALS} over users."
        ),
        alternative=spoken(scorecard, column),
        drawing=standing(scorecard, column, "page-value"),
        legend=legend(scorecard, column),
    )


def standing(scorecard: Scorecard, column: Column, key: str, bounded: bool = True) -> Drawing:
    """The drawing: one row a model, the best first.

    Args:
        scorecard: where the models are.
        column: the metric.
        key: unique among the plots of a page.
        bounded: whether random lists and the oracle bound the metric; if so they are drawn as
            lines, else random lists alone are, and the axis begins at zero.
    """
    leader = selection.best(scorecard, column)
    rows = [
        Row(
            model.name,
            column.by_model[model.name],
            FAMILY_MARKS[model.family],
            strong=model.name == leader,
        )
        for model in selection.ranked(scorecard.models, column)
        if model.name in column.by_model
    ]
    lines = [Line(selection.value_of(column, selection.RANDOM), "random")]
    if bounded:
        oracle = selection.of_family(scorecard, "oracle")
        lines.append(Line(selection.value_of(column, oracle), "oracle"))

    def paint(canvas: Canvas) -> None:
        paint_rows(canvas, rows, column.metric.axis, column.factor, lines, not bounded)

    return draw(key, paint)


def legend(scorecard: Scorecard, column: Column) -> tuple[tuple[Mark, str], ...]:
    """The families that appear in a column."""
    shown = {model.family for model in scorecard.models if model.name in column.by_model}
    return tuple(
        (FAMILY_MARKS[family], words)
        for family, words in wording.FAMILIES.items()
        if family in shown
    )


def _finding_truth(scorecard: Scorecard, column: Column) -> str:
    leader = selection.best(scorecard, column)
    floor = selection.value_of(column, selection.RANDOM)
    ceiling = selection.value_of(column, selection.of_family(scorecard, "oracle"))
    if leader is None:
        return "No model that could serve was compared with the truth."
    share = selection.lift(selection.value_of(column, leader), floor, ceiling)
    if not math.isfinite(share):
        finding = f"{leader} has the highest {column.metric.label}, {figure(column, leader)}"
        return sentence(finding + _maybe_chance(scorecard, column, leader))
    finding = f"{leader} gets {percent(share)} of the way from random lists to the oracle's"
    observer = selection.of_family(scorecard, "observer")
    reach = selection.lift(selection.value_of(column, observer), floor, ceiling)
    if math.isfinite(reach):
        finding += f" (an informed observer, the fair ceiling: {percent(reach)})"
    return sentence(finding + _maybe_chance(scorecard, column, leader))


def _finding_log(scorecard: Scorecard, column: Column) -> str:
    leader = selection.best(scorecard, column)
    if leader is None:
        return "No model that could serve was judged on the log."
    finding = (
        f"{leader} orders the held-out log best: {column.metric.label} {figure(column, leader)}"
    )
    value = selection.value_of(column, leader)
    for other in ("popularity", selection.RANDOM):
        base = selection.value_of(column, other)
        if other != leader and math.isfinite(base) and base > 0:
            finding += f", {value / base:.1f} times that of {other}"
            break
    return sentence(finding + _maybe_chance(scorecard, column, leader))


def _maybe_chance(scorecard: Scorecard, column: Column, leader: str | None) -> str:
    names = selection.tied(scorecard, column, leader)
    return f"; its lead over {enumeration(names)} may be chance" if names else ""
