"""Accuracy against diversity: what lists pay for being varied, or gain by being narrow."""

import math

from shortlist.evaluation.report import selection
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import FAMILY_MARKS
from shortlist.evaluation.report.exhibits.scatter import Dot, Extent, paint_scatter
from shortlist.evaluation.report.exhibits.standing import legend
from shortlist.evaluation.report.exhibits.words import enumeration, figure, sentence, spoken
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.scorecard import Estimate, Scorecard

_HEIGHT, _ABOVE, _BELOW, _LEFT, _RIGHT = 300.0, 12.0, 66.0, 58.0, 16.0
"""Pixels of a panel and around it; what is above counts among what is below the last one."""

_MEASURES = {
    "distinct_tags": "{} distinct tags a list",
    "content_distance": "a content distance of {}",
}


def diversity(scorecard: Scorecard) -> Exhibit | None:
    """One panel for each measure of diversity, accuracy on the horizontal axis."""
    accuracy = selection.headline(scorecard)
    found = [selection.find(scorecard, base) for base in _MEASURES]
    measures = [column for column in found if column is not None]
    if accuracy is None or not measures:
        return None
    panels = [(column, _dots(scorecard, accuracy, column)) for column in measures]
    panels = [(column, dots) for column, dots in panels if dots]
    if not panels:
        return None

    def paint(canvas: Canvas) -> None:
        across = 1 if canvas.narrow else len(panels)
        down = math.ceil(len(panels) / across)
        each = canvas.width / across
        canvas.set_height(down * (_HEIGHT + _BELOW))
        for index, (column, dots) in enumerate(panels):
            left = (index % across) * each + _LEFT
            top = (index // across) * (_HEIGHT + _BELOW) + _ABOVE
            width = each - _LEFT - _RIGHT
            axes = canvas.axes(left, top, width, _HEIGHT)
            guide = selection.value_of(column, selection.RANDOM) * column.factor
            paint_scatter(axes, dots, width, _HEIGHT, guide)
            axes.set_xlabel(accuracy.metric.axis, labelpad=8)
            axes.set_ylabel(column.metric.axis, labelpad=8)

    return Exhibit(
        key="diversity",
        finding=_finding(scorecard, accuracy, measures),
        reading=(
            "Further right is more accurate, further up is more varied; the dashed line is how "
            "varied random lists are, which no accurate list is expected to reach."
        ),
        alternative=" ".join(spoken(scorecard, column) for column in measures),
        drawing=draw("diversity", paint),
        legend=legend(scorecard, accuracy),
    )


def _dots(scorecard: Scorecard, accuracy: Column, column: Column) -> list[Dot]:
    return [
        Dot(
            model.name,
            FAMILY_MARKS[model.family],
            _extent(accuracy.by_model[model.name], accuracy.factor),
            _extent(column.by_model[model.name], column.factor),
        )
        for model in scorecard.models
        if math.isfinite(selection.value_of(accuracy, model.name))
        and math.isfinite(selection.value_of(column, model.name))
    ]


def _finding(scorecard: Scorecard, accuracy: Column, measures: list[Column]) -> str:
    leader = selection.best(scorecard, accuracy)
    if leader is None:
        return "No model that could serve was judged on accuracy and diversity."
    clauses: list[str] = []
    for column in measures:
        if not math.isfinite(selection.value_of(column, leader)):
            continue
        clause = _MEASURES[column.metric.base].format(figure(column, leader))
        if math.isfinite(selection.value_of(column, selection.RANDOM)):
            clause += f" (random lists {figure(column, selection.RANDOM)})"
        clauses.append(clause)
    if not clauses:
        return sentence(f"The diversity of {leader}, the most accurate model, is unknown")
    return sentence(f"{leader}, the most accurate, has {enumeration(clauses)}")


def _extent(estimate: Estimate, factor: float) -> Extent:
    return Extent(estimate.value * factor, estimate.low * factor, estimate.high * factor)
