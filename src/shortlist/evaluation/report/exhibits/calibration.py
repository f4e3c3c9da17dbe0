"""Calibration: whether what a model predicts is what then happens, where logged and at random."""

import math

from matplotlib.axes import Axes

from shortlist.evaluation.report import numerals
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import SERIES_MARKS, Mark, colour
from shortlist.evaluation.report.exhibits.panels import Frame, panels
from shortlist.evaluation.report.exhibits.scales import ticks
from shortlist.evaluation.report.exhibits.words import sentence
from shortlist.evaluation.scorecard import Curve, ModelResult, Scorecard


def calibration(scorecard: Scorecard) -> Exhibit | None:
    """One panel a model that predicts, one line a kind of traffic."""
    models = [model for model in scorecard.models if any(map(_known, model.calibration))]
    if not models:
        return None
    labels = list(dict.fromkeys(curve.label for model in models for curve in model.calibration))
    marks = {label: _series(index) for index, label in enumerate(labels)}
    top = max(
        max(x, y) for model in models for curve in model.calibration for x, y in _known(curve)
    )
    top = min(math.ceil(top * 10 + 0.2) / 10, 1.0) if top <= 1 else top

    def paint(canvas: Canvas) -> None:
        titles = [model.name for model in models]
        frame = Frame(left=54.0, height=230.0)
        for model, axes in zip(models, panels(canvas, titles, frame), strict=True):
            _panel(axes, model, marks, top, scorecard.target.replace("_", " "))

    return Exhibit(
        key="calibration",
        finding=_finding(models, labels),
        reading=(
            "On the diagonal, what was predicted is what happened; below it a model promises too "
            "much, above it too little; bars are 95 % intervals."
        ),
        alternative=_spoken(models),
        drawing=draw("calibration", paint),
        legend=(*((marks[label], label) for label in labels),),
    )


def gap(curve: Curve) -> float:
    """Mean distance of a curve's points from the diagonal; NaN where it has none.

    >>> gap(Curve(label="logged", x=[0.1, 0.5], y=[0.2, 0.5]))
    0.05
    """
    known = _known(curve)
    return sum(abs(x - y) for x, y in known) / len(known) if known else math.nan


def _series(index: int) -> Mark:
    return SERIES_MARKS[index % len(SERIES_MARKS)]


def _known(curve: Curve) -> list[tuple[float, float]]:
    points = zip(curve.x, curve.y, strict=False)
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _panel(axes: Axes, model: ModelResult, marks: dict[str, Mark], top: float, target: str) -> None:
    axes.plot([0, top], [0, top], color=colour("muted"), lw=1.0, ls=(0, (4, 3)))
    for curve in model.calibration:
        mark = marks[curve.label]
        shade = mark.shade
        for x, low, high in zip(curve.x, curve.low or [], curve.high or [], strict=False):
            if math.isfinite(x) and math.isfinite(low) and math.isfinite(high):
                axes.plot([x, x], [low, high], color=shade, lw=1.2, solid_capstyle="butt")
        known = _known(curve)
        axes.plot(
            [x for x, _ in known], [y for _, y in known], color=shade, lw=1.8, ms=4.5,
            marker=mark.marker, ls=mark.pattern,
        )  # fmt: skip
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    ticks(axes.xaxis, 0, top, 5)
    ticks(axes.yaxis, 0, top, 5)
    axes.grid()
    axes.set_xlabel(f"predicted {target} rate", labelpad=8)
    axes.set_ylabel("observed rate", labelpad=8)


def _finding(models: list[ModelResult], labels: list[str]) -> str:
    clauses: list[str] = []
    for label in labels:
        gaps = {
            model.name: gap(curve)
            for model in models
            for curve in model.calibration
            if curve.label == label and _known(curve) and model.family != "oracle"
        }
        if not gaps:
            continue
        nearest, furthest = min(gaps, key=gaps.__getitem__), max(gaps, key=gaps.__getitem__)
        clause = f"on {label} {nearest} is off by {_points(gaps[nearest])} points on average"
        if furthest != nearest:
            clause += f" and {furthest} by {_points(gaps[furthest])}"
        clauses.append(clause)
    if not clauses:
        return "Only the oracle predicts rates, and it cannot be wrong about them."
    text = "; ".join(clauses)
    return sentence(f"{text[0].upper()}{text[1:]}")


def _points(share: float) -> str:
    """A share in percentage points."""
    return numerals.number(100 * share, 1)


def _spoken(models: list[ModelResult]) -> str:
    parts = [
        f"{model.name} on {curve.label}, {_points(gap(curve))}"
        for model in models
        for curve in model.calibration
        if _known(curve)
    ]
    return f"Mean distance from the diagonal in percentage points: {'; '.join(parts)}."
