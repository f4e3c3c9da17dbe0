"""The world beside a real log: the distribution of one quantity in each."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import SERIES_MARKS, Mark
from shortlist.evaluation.report.exhibits.panels import Frame, panels
from shortlist.evaluation.report.exhibits.scales import log_ticks, ticks
from shortlist.evaluation.report.exhibits.words import enumeration, percent, sentence
from shortlist.evaluation.scorecard import Curve, Marginal, Scorecard


def marginals(scorecard: Scorecard) -> Exhibit | None:
    """One panel a quantity, one curve a source."""
    shown = [marginal for marginal in scorecard.marginals if _drawable(marginal)]
    if not shown:
        return None
    sources = list(dict.fromkeys(curve.label for marginal in shown for curve in marginal.curves))
    marks = {
        source: SERIES_MARKS[index % len(SERIES_MARKS)] for index, source in enumerate(sources)
    }

    def paint(canvas: Canvas) -> None:
        frame = Frame(left=26.0, height=150.0)
        titles = [marginal.quantity for marginal in shown]
        for marginal, axes in zip(shown, panels(canvas, titles, frame), strict=True):
            _panel(axes, marginal, marks)

    return Exhibit(
        key="marginals",
        finding=_finding(shown, sources),
        reading=(
            "Each panel is one quantity; a curve is high where values are common, and the area "
            "under each curve is the same, so equal logs would give one curve."
        ),
        alternative=_spoken(shown),
        drawing=draw("marginals", paint),
        legend=tuple((marks[source], source) for source in sources),
    )


def overlap(first: Curve, second: Curve, log_scale: bool) -> float:
    """Area that two densities share, between 0 (apart) and 1 (equal); NaN where one is empty.

    >>> same = Curve(label="a", x=[1, 2, 3], y=[0.2, 0.6, 0.2])
    >>> overlap(same, same, log_scale=False)
    1.0
    """
    a, b = _points(first, log_scale), _points(second, log_scale)
    if min(len(a[0]), len(b[0])) < 2:
        return math.nan
    a, b = _closed(*a), _closed(*b)
    grid = np.union1d(a[0], b[0])
    heights = [np.interp(grid, x, y, left=0.0, right=0.0) for x, y in (a, b)]
    areas = [float(np.trapezoid(height, grid)) for height in heights]
    if min(areas) <= 0:
        return math.nan
    shared = np.minimum(heights[0] / areas[0], heights[1] / areas[1])
    return round(float(np.trapezoid(shared, grid)), 12)


def _closed(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The curve brought down to zero one bin beyond its ends, so that its area is its bins'."""
    before, after = 2 * x[0] - x[1], 2 * x[-1] - x[-2]
    return np.concatenate([[before], x, [after]]), np.concatenate([[0.0], y, [0.0]])


def _points(
    curve: Curve, log_scale: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The curve's finite points, ascending, on the axis as drawn."""
    length = min(len(curve.x), len(curve.y))
    x, y = np.array(curve.x[:length], float), np.array(curve.y[:length], float)
    known = np.isfinite(x) & np.isfinite(y)
    if log_scale:
        known &= x > 0
    x, y = x[known], y[known]
    order = np.argsort(x, kind="stable")
    return (np.log10(x[order]) if log_scale else x[order]), y[order]


def _drawable(marginal: Marginal) -> bool:
    return any(len(_points(curve, marginal.log_scale)[0]) > 1 for curve in marginal.curves)


def _panel(axes: Axes, marginal: Marginal, marks: dict[str, Mark]) -> None:
    ends: list[float] = []
    for index, curve in enumerate(marginal.curves):
        x, y = _points(curve, marginal.log_scale)
        if len(x) < 2:
            continue
        mark = marks[curve.label]
        ends += [float(x[0]), float(x[-1])]
        if index == 0:
            axes.fill_between(x, y, color=mark.shade, alpha=0.14, lw=0)
        axes.plot(
            x, y, color=mark.shade, lw=2.0, solid_joinstyle="round",
            ls=mark.pattern,
        )  # fmt: skip
    low, high = min(ends), max(ends)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_ylabel("density", labelpad=8)
    if marginal.log_scale:
        log_ticks(axes.xaxis, low, high, 5)
    else:
        ticks(axes.xaxis, low, high, 5)
    axes.set_xlabel(marginal.unit + (", log scale" if marginal.log_scale else ""), labelpad=8)


def _overlaps(shown: Sequence[Marginal]) -> dict[str, float]:
    """Overlap of the first two sources, by quantity, where there are two."""
    found = {
        marginal.quantity: overlap(marginal.curves[0], marginal.curves[1], marginal.log_scale)
        for marginal in shown
        if len(marginal.curves) > 1
    }
    return {quantity: share for quantity, share in found.items() if math.isfinite(share)}


def _finding(shown: Sequence[Marginal], sources: Sequence[str]) -> str:
    overlaps = _overlaps(shown)
    if not overlaps:
        quantities = [marginal.quantity for marginal in shown]
        return sentence(f"How {enumeration(quantities)} are distributed in {sources[0]}")
    mean = sum(overlaps.values()) / len(overlaps)
    widest = min(overlaps, key=overlaps.__getitem__)
    finding = (
        f"The distributions of {sources[0]} and {sources[1]} overlap by {percent(mean)} on average"
    )
    if len(overlaps) > 1:
        finding += f", least in {widest} ({percent(overlaps[widest])})"
    return sentence(finding)


def _spoken(shown: Sequence[Marginal]) -> str:
    overlaps = _overlaps(shown)
    parts = [
        f"{marginal.quantity}"
        + (f", overlap {percent(overlaps[marginal.quantity])}"
           if marginal.quantity in overlaps else "")
        for marginal in shown
    ]  # fmt: skip
    return f"Distributions of {'; '.join(parts)}."
