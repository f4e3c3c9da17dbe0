"""Where models err: one panel a metric, by how active users are or how old videos are."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from shortlist.evaluation.report import numerals, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import FAMILY_MARKS, Mark
from shortlist.evaluation.report.exhibits.panels import Frame, panels
from shortlist.evaluation.report.exhibits.scales import ticks
from shortlist.evaluation.report.exhibits.words import INTERVALS, sentence
from shortlist.evaluation.scorecard import Breakdown, Estimate, Scorecard

_APART = 0.16
"""Between the models of one group, in groups."""


def errors(scorecard: Scorecard) -> list[Exhibit]:
    """One exhibit for each thing that figures were broken down by."""
    if scorecard.study is None:
        return []
    by: dict[str, list[Breakdown]] = {}
    for breakdown in scorecard.study.breakdowns:
        if any(_known(estimate) for row in breakdown.models.values() for estimate in row):
            by.setdefault(breakdown.by, []).append(breakdown)
    return [
        _exhibit(scorecard, scorecard.study.model, name, found, f"errors-{index}")
        for index, (name, found) in enumerate(by.items(), start=1)
    ]


def _exhibit(
    scorecard: Scorecard, model: str, by: str, found: Sequence[Breakdown], key: str
) -> Exhibit:
    families = {one.name: one.family for one in scorecard.models}
    names = list(dict.fromkeys(name for breakdown in found for name in breakdown.models))
    marks = {name: FAMILY_MARKS[families.get(name, "baseline")] for name in names}

    def paint(canvas: Canvas) -> None:
        titles = [wording.metric(breakdown.metric).label for breakdown in found]
        frame = Frame(left=54.0, bottom=74.0, height=200.0)
        for breakdown, axes in zip(found, panels(canvas, titles, frame), strict=True):
            _panel(axes, breakdown, marks)

    return Exhibit(
        key=key,
        finding=_finding(model, by, found),
        reading=(
            f"Groups from left to right by {by}; marks of one group stand beside each other, and "
            f"{INTERVALS}; a group that is too small for a figure stays empty."
        ),
        alternative=" ".join(_spoken(breakdown) for breakdown in found),
        drawing=draw(key, paint),
        legend=tuple((marks[name], name) for name in names),
    )


def _known(estimate: Estimate) -> bool:
    return math.isfinite(estimate.value)


def _panel(axes: Axes, breakdown: Breakdown, marks: dict[str, Mark]) -> None:
    factor = 100.0 if wording.metric(breakdown.metric).percent else 1.0
    ends: list[float] = []
    middle = (len(breakdown.models) - 1) / 2
    for place, (name, row) in enumerate(breakdown.models.items()):
        mark = marks[name]
        shift = _APART * (place - middle)
        x = [at + shift for at, estimate in enumerate(row) if _known(estimate)]
        y = [estimate.value * factor for estimate in row if _known(estimate)]
        axes.plot(x, y, color=mark.shade, lw=1.2, alpha=0.5)
        axes.plot(x, y, color=mark.shade, ls="", marker=mark.marker, ms=6)
        for at, estimate in enumerate(row):
            if _known(estimate) and math.isfinite(estimate.low + estimate.high):
                low, high = estimate.low * factor, estimate.high * factor
                axes.plot([at + shift] * 2, [low, high], color=mark.shade, lw=1.6)
                ends += [low, high]
        ends += y
    low, high = min(ends), max(ends)
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    axes.set_xlim(-0.5, len(breakdown.groups) - 0.5)
    axes.set_ylim(low - room, high + room)
    ticks(axes.yaxis, *axes.get_ylim(), 5)
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(FixedLocator(list(range(len(breakdown.groups)))))
    # Labels below each other in turns, so that long ones do not run into their neighbours.
    labels = [("\n" if at % 2 else "") + text for at, text in enumerate(breakdown.groups)]
    axes.xaxis.set_major_formatter(FixedFormatter(labels))
    axes.set_xlabel(breakdown.by, labelpad=4)
    unit = wording.metric(breakdown.metric).unit
    axes.set_ylabel(unit or wording.metric(breakdown.metric).label, labelpad=8)


def _finding(model: str, by: str, found: Sequence[Breakdown]) -> str:
    """Where the model is strongest and weakest by the first metric."""
    for breakdown in found:
        row = dict(zip(breakdown.groups, breakdown.models.get(model, []), strict=False))
        known = {group: estimate.value for group, estimate in row.items() if _known(estimate)}
        if len(known) < 2:
            continue
        best, worst = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        metric = wording.metric(breakdown.metric)
        decimals = numerals.decimals_for([e for e in row.values() if _known(e)], spare=0)
        return sentence(
            f"By {by}, {model} has its highest {metric.label} at {best} "
            f"({numerals.number(known[best], decimals)}) and its lowest at {worst} "
            f"({numerals.number(known[worst], decimals)})"
        )
    return sentence(f"No group by {by} is large enough to tell where {model} errs")


def _spoken(breakdown: Breakdown) -> str:
    metric = wording.metric(breakdown.metric)
    parts = []
    for name, row in breakdown.models.items():
        told = ", ".join(
            f"{group} {numerals.significant(estimate.value)}"
            for group, estimate in zip(breakdown.groups, row, strict=True)
            if _known(estimate)
        )
        parts.append(f"{name}: {told}")
    return f"{metric.label} by {breakdown.by}: {'; '.join(parts)}."
