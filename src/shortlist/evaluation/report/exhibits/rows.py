"""The plot of figures in rows: a mark and its interval for each name, with the number beside it.

On a wide screen the names stand left of the plot and the numbers right of it; on a narrow one both
stand above their mark.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes

from shortlist.evaluation.report import numerals
from shortlist.evaluation.report.exhibits.canvas import TEXT_SIZE, Canvas, fitted, text_width
from shortlist.evaluation.report.exhibits.palette import Mark, colour
from shortlist.evaluation.report.exhibits.scales import ticks
from shortlist.evaluation.scorecard import Estimate

_ROW: Final = 30.0
_ROW_INSET: Final = 24.0
_ROW_NARROW: Final = 46.0
_INSET: Final = 14.0
_GAP: Final = 16.0
_WIDEST_NAME: Final = 300.0
_PLAIN: Final = Mark("blue", "circle")


@dataclass(frozen=True)
class Row:
    """One line of the plot.

    Attributes:
        label: its name; a row without an estimate is the heading of those below it.
        estimate: the figure and its interval.
        mark: how the figure is drawn.
        target: a figure to compare with, drawn as a tick across the row.
        strong: whether the name is set in bold.
        inset: whether it stands below a heading.
    """

    label: str
    estimate: Estimate | None = None
    mark: Mark = _PLAIN
    target: float = math.nan
    strong: bool = False
    inset: bool = False


@dataclass(frozen=True)
class Line:
    """A vertical line to compare with, its label above the plot."""

    at: float
    label: str
    colour: str = "muted"


def paint_rows(
    canvas: Canvas,
    rows: Sequence[Row],
    axis: str,
    factor: float = 1.0,
    lines: Sequence[Line] = (),
    from_zero: bool = False,
) -> None:
    """Draw the rows on an empty canvas and set its height.

    Args:
        canvas: where to draw.
        rows: from top to bottom.
        axis: what the horizontal axis counts, unit included.
        factor: what figures are multiplied with before they are shown.
        lines: vertical lines to compare with.
        from_zero: whether the axis begins at zero, as it should where sizes are compared.
    """
    estimates = [row.estimate for row in rows if row.estimate is not None]
    decimals = numerals.decimals_for(estimates, factor)
    numbers = [_number(row, decimals, factor) for row in rows]
    room = _WIDEST_NAME
    if canvas.narrow:
        room = canvas.width - _GAP - _widest(numbers)
        if any(row.estimate and text_width(row.label, weight="bold") > room for row in rows):
            # The mark shows the interval; the name has nowhere else to stand.
            numbers = [text.partition("  ")[0] for text in numbers]
            room = canvas.width - _GAP - _widest(numbers)
    names = [fitted(row.label, room) for row in rows]
    lines = [line for line in lines if math.isfinite(line.at)]
    heights = [_height(row, canvas.narrow) for row in rows]
    top = 28.0 if lines else 8.0
    body = sum(heights) + 6
    canvas.set_height(top + body + 50)
    if canvas.narrow:
        left, right = 8.0, 8.0
    else:
        left = _GAP + max(
            (
                text_width(name, weight="bold") + _INSET * row.inset
                for row, name in zip(rows, names, strict=True)
            ),
            default=0.0,
        )
        right = _GAP + _widest(numbers)
    axes = canvas.axes(left, top, canvas.width - left - right, body)
    low, high = _range(rows, lines, factor, from_zero)
    axes.set_xlim(low, high)
    axes.set_ylim(body, 0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    ticks(axes.xaxis, low, high, 4 if canvas.narrow else 7)
    axes.grid(axis="x")
    axes.set_xlabel(fitted(axis, canvas.width), labelpad=8)
    _name_lines(canvas, axes, lines, left, top, factor)
    if not canvas.narrow:
        _draw_lines(axes, lines, factor, 0.0, body)
    edge = 3.0
    for row, name, text, height in zip(rows, names, numbers, heights, strict=True):
        centre = edge + height - 12 if canvas.narrow else edge + height / 2
        written = top + (edge + 15 if canvas.narrow else centre)
        edge += height
        weight = "bold" if row.strong or row.estimate is None else "normal"
        canvas.text(_INSET * row.inset, written, name, weight=weight)
        canvas.text(canvas.width, written, text, ha="right", color=colour("muted"))
        if row.estimate is not None:
            if canvas.narrow:
                # The lines leave out what stands above a mark.
                _draw_lines(axes, lines, factor, centre - 10, centre + 10)
            _draw_mark(axes, row, row.estimate, centre, factor)


def _widest(texts: Sequence[str]) -> float:
    return max(map(text_width, texts), default=0.0)


def _number(row: Row, decimals: int, factor: float) -> str:
    if row.estimate is None:
        return ""
    value = numerals.number(row.estimate.value * factor, decimals)
    return f"{value}  {numerals.interval(row.estimate, decimals, factor)}".rstrip()


def _height(row: Row, narrow: bool) -> float:
    if narrow:
        return _ROW_INSET if row.estimate is None else _ROW_NARROW
    return _ROW_INSET if row.inset else _ROW


def _range(
    rows: Sequence[Row], lines: Sequence[Line], factor: float, from_zero: bool
) -> tuple[float, float]:
    ends = [0.0] if from_zero else []
    ends += [line.at for line in lines]
    for row in rows:
        ends.append(row.target)
        if row.estimate is not None:
            ends += [row.estimate.low, row.estimate.high, row.estimate.value]
    known = [end * factor for end in ends if math.isfinite(end)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    margin = 0.03 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - margin, high + margin


def _name_lines(
    canvas: Canvas, axes: Axes, lines: Sequence[Line], left: float, top: float, factor: float
) -> None:
    low, high = axes.get_xlim()
    width = axes.get_position().width * canvas.width
    taken: list[tuple[float, float]] = []
    for line in lines:
        half = text_width(line.label, TEXT_SIZE - 1) / 2
        at = left + width * (line.at * factor - low) / (high - low)
        at = min(max(at, half), canvas.width - half)
        # A label that would run into another is left out; the mark on it tells all the same.
        if all(at + half < start or at - half > end for start, end in taken):
            taken.append((at - half - 6, at + half + 6))
            canvas.text(
                at, top - 14, line.label, ha="center", size=TEXT_SIZE - 1,
                color=colour(line.colour),
            )  # fmt: skip


def _draw_lines(axes: Axes, lines: Sequence[Line], factor: float, start: float, end: float) -> None:
    for line in lines:
        at = line.at * factor
        axes.plot([at, at], [start, end], color=colour(line.colour), lw=1.2, ls=(0, (4, 3)))


def _draw_mark(axes: Axes, row: Row, estimate: Estimate, at: float, factor: float) -> None:
    shade = row.mark.shade
    low, high = estimate.low * factor, estimate.high * factor
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [at, at], color=shade, lw=2.2, solid_capstyle="butt")
    if math.isfinite(row.target):
        target = row.target * factor
        axes.plot([target, target], [at - 9, at + 9], color=colour("ink"), lw=2.4)
    if math.isfinite(estimate.value):
        axes.plot(
            [estimate.value * factor], [at], ls="", marker=row.mark.marker, ms=8,
            mfc=colour("paper") if row.mark.shape == "ring" else shade, mec=shade, mew=1.6,
        )  # fmt: skip
