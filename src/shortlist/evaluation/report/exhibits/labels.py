"""Names beside the points of a scatter plot, placed so that they hide neither points nor names."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_GAP: Final = 4.0
_FAR: Final = 0.6
"""What a pixel of distance costs, in hidden pixels of area."""


@dataclass(frozen=True)
class Box:
    """A rectangle on the screen, in pixels; ``y`` grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Area that both cover.

        >>> Box(0, 0, 2, 2).overlap(Box(1, 1, 5, 5))
        1
        """
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0) * max(high, 0)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The place inside that is nearest to a point."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)

    def distance(self, x: float, y: float) -> float:
        """How far a point is from the rectangle; 0 inside.

        >>> Box(0, 0, 2, 2).distance(5, 6)
        5.0
        """
        return math.dist(self.nearest(x, y), (x, y))


def place(
    marks: Sequence[Box],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    obstacles: Sequence[Box] = (),
) -> list[Box]:
    """Where each label goes.

    Labels are placed one after the other, each where it hides least and is nearest to its mark.

    Args:
        marks: what is drawn at each point, its intervals included.
        sizes: width and height of each label.
        frame: what labels should stay inside of.
        obstacles: what labels should not cover beside marks and other labels.

    >>> place([Box(45, 45, 55, 55)], [(20, 10)], Box(0, 0, 100, 100))
    [Box(left=59.0, top=45.0, right=79.0, bottom=55.0)]
    """
    taken = [*marks, *obstacles]
    placed: list[Box] = []
    for mark, (width, height) in zip(marks, sizes, strict=True):
        x, y = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2

        def cost(spot: Box, x: float = x, y: float = y) -> float:
            hidden = sum(spot.overlap(other) for other in taken)
            outside = spot.area - spot.overlap(frame)
            return hidden + 3 * outside + _FAR * spot.distance(x, y)

        spot = min(_spots(mark, width, height), key=cost)
        taken.append(spot)
        placed.append(spot)
    return placed


def _spots(mark: Box, width: float, height: float) -> Iterator[Box]:
    """Places right of, left of, above and below a mark, ever further away."""
    middle = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2
    for away, drop in itertools.product((0.0, 10.0, 24.0, 40.0), (0, 1, -1, 2, -2, 3, -3, 4, -4)):
        top = middle[1] - height / 2 + 0.7 * drop * height
        for left in (mark.right + _GAP + away, mark.left - _GAP - away - width):
            yield Box(left, top, left + width, top + height)
    for away, slide in itertools.product((0.0, 10.0, 24.0, 40.0), (0, 1, -1)):
        left = middle[0] - width / 2 + 0.4 * slide * width
        for top in (mark.top - _GAP - away - height, mark.bottom + _GAP + away):
            yield Box(left, top, left + width, top + height)
