"""A scatter plot of named points with an interval in both directions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes

from shortlist.evaluation.report.exhibits.canvas import TEXT_SIZE, fitted, text_width
from shortlist.evaluation.report.exhibits.labels import Box, place
from shortlist.evaluation.report.exhibits.palette import Mark, colour
from shortlist.evaluation.report.exhibits.scales import ticks

_LABEL: Final = TEXT_SIZE - 1
_RADIUS: Final = 6.0
_ADJACENT: Final = 8.0


@dataclass(frozen=True)
class Extent:
    """A figure and its interval, in the units of the axis; the interval may be NaN."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Dot:
    """A point of the plot; both its values are finite."""

    name: str
    mark: Mark
    x: Extent
    y: Extent


class _Screen:
    """From the axes' units to pixels, ``y`` growing downwards."""

    def __init__(self, axes: Axes, width: float, height: float) -> None:
        self.left, self.right = axes.get_xlim()
        self.bottom, self.top = axes.get_ylim()
        self.width, self.height = width, height

    def x(self, value: float) -> float:
        return self.width * (value - self.left) / (self.right - self.left)

    def y(self, value: float) -> float:
        return self.height * (self.top - value) / (self.top - self.bottom)


def paint_scatter(
    axes: Axes, dots: Sequence[Dot], width: float, height: float, guide: float = math.nan
) -> None:
    """Draw points, intervals and names.

    Args:
        axes: empty axes.
        dots: at least one point.
        width: of the axes, in pixels.
        height: of the axes, in pixels.
        guide: where a dashed horizontal line goes; NaN for none.
    """
    # Names mostly stand right of their points.
    axes.set_xlim(*_limits([dot.x.value for dot in dots], before=0.12, after=0.22))
    axes.set_ylim(*_limits([dot.y.value for dot in dots], before=0.15, after=0.15))
    ticks(axes.xaxis, *axes.get_xlim(), 5)
    ticks(axes.yaxis, *axes.get_ylim(), 5)
    axes.grid()
    if math.isfinite(guide):
        axes.axhline(guide, color=colour("muted"), lw=1.2, ls=(0, (4, 3)))
    for dot in dots:
        shade = dot.mark.shade
        if dot.x.known:
            axes.plot([dot.x.low, dot.x.high], [dot.y.value] * 2, color=shade, lw=1.6)
        if dot.y.known:
            axes.plot([dot.x.value] * 2, [dot.y.low, dot.y.high], color=shade, lw=1.6)
        axes.plot(
            [dot.x.value], [dot.y.value], ls="", marker=dot.mark.marker, ms=8, mfc=shade, mec=shade
        )
    _name(axes, dots, _Screen(axes, width, height), guide)


def _name(axes: Axes, dots: Sequence[Dot], screen: _Screen, guide: float) -> None:
    names = [fitted(dot.name, 0.55 * screen.width, _LABEL) for dot in dots]
    sizes = [(text_width(name, _LABEL), TEXT_SIZE + 2) for name in names]
    obstacles: list[Box] = []
    if math.isfinite(guide):
        obstacles.append(Box(0, screen.y(guide) - 2, screen.width, screen.y(guide) + 2))
    frame = Box(0, 0, screen.width, screen.height)
    boxes = place([_drawn(dot, screen) for dot in dots], sizes, frame, obstacles)
    for dot, name, box in zip(dots, names, boxes, strict=True):
        axes.text(
            box.left / screen.width,
            1 - (box.top + box.bottom) / 2 / screen.height,
            name,
            transform=axes.transAxes,
            size=_LABEL,
            va="center_baseline",
        )
        _lead(axes, dot, box, screen)


def _drawn(dot: Dot, screen: _Screen) -> Box:
    """What a dot covers, its intervals included."""
    x, y = screen.x(dot.x.value), screen.y(dot.y.value)
    across = [dot.x.low, dot.x.high] if dot.x.known else []
    up = [dot.y.low, dot.y.high] if dot.y.known else []
    return Box(
        min([x - _RADIUS, *map(screen.x, across)]),
        min([y - _RADIUS, *map(screen.y, up)]),
        max([x + _RADIUS, *map(screen.x, across)]),
        max([y + _RADIUS, *map(screen.y, up)]),
    )


def _lead(axes: Axes, dot: Dot, box: Box, screen: _Screen) -> None:
    """A thin line from a dot to a name that had to stand away from it."""
    x, y = screen.x(dot.x.value), screen.y(dot.y.value)
    if _drawn(dot, screen).distance(*box.nearest(x, y)) < _ADJACENT:
        return
    end = box.nearest(x, y)
    axes.plot(
        [x / screen.width, end[0] / screen.width],
        [1 - y / screen.height, 1 - end[1] / screen.height],
        transform=axes.transAxes,
        color=colour("muted"),
        lw=0.8,
        zorder=1.5,
    )


def _limits(values: Sequence[float], before: float, after: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1.0
    return low - before * span, high + after * span
