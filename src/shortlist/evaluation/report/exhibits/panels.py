"""Small plots of equal size in a grid: three beside each other on a wide screen, one on a phone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes

from shortlist.evaluation.report.exhibits.canvas import Canvas, fitted


@dataclass(frozen=True)
class Frame:
    """The room that each panel keeps for its title, its ticks and its axis labels, in pixels."""

    title: float = 30.0
    left: float = 46.0
    right: float = 14.0
    bottom: float = 52.0
    height: float = 180.0


def panels(canvas: Canvas, titles: list[str], frame: Frame) -> Iterator[Axes]:
    """Set the canvas's height and yield axes for each title, row by row."""
    across = min(1 if canvas.narrow else 3, max(len(titles), 1))
    down = math.ceil(len(titles) / across)
    # A lone panel is not stretched over the page.
    wide = canvas.width / across if canvas.narrow or across > 1 else 0.6 * canvas.width
    tall = frame.title + frame.height + frame.bottom
    canvas.set_height(down * tall)
    for index, title in enumerate(titles):
        left, top = (index % across) * wide, (index // across) * tall
        room = wide - frame.left - frame.right
        canvas.text(left + frame.left, top + 14, fitted(title, room), weight="bold")
        yield canvas.axes(left + frame.left, top + frame.title, room, frame.height)
