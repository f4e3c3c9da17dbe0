"""Colours and shapes of the plots, by name: told apart on light and dark screens and by any eye."""

from dataclasses import dataclass
from typing import Final

PALETTE: Final[dict[str, str]] = {
    "ink": "#1b1f24",
    "muted": "#5b6470",
    "rule": "#c3c9d1",
    "grid": "#e7eaee",
    "paper": "#fefefd",
    "grey": "#78828f",
    "blue": "#0072b2",
    "amber": "#c08000",
    "red": "#d0551f",
    "green": "#00805f",
    "black": "#23282f",
}
"""Colours by name, as on a light screen; hues after Okabe and Ito, so that all can tell them."""

DARK_PALETTE: Final[dict[str, str]] = {
    "ink": "#e8eaed",
    "muted": "#a3acb8",
    "rule": "#454d57",
    "grid": "#2a3038",
    "paper": "#15181c",
    "grey": "#9aa4b0",
    "blue": "#56b4e9",
    "amber": "#f0b73a",
    "red": "#ff8b5a",
    "green": "#3fc79a",
    "black": "#ffffff",
}
"""The same names on a dark screen."""


@dataclass(frozen=True)
class Mark:
    """How a kind of thing is drawn: colour and shape, so that either alone tells it.

    Attributes:
        colour: a name of the palette.
        shape: of a point ``circle``, ``square``, ``triangle``, ``diamond``, ``cross``, ``ring`` or
            ``tick``; of a line ``line``, ``dashes`` or ``dots``.
    """

    colour: str
    shape: str

    @property
    def shade(self) -> str:
        """The colour's code on a light screen."""
        return PALETTE[self.colour]

    @property
    def marker(self) -> str:
        """The shape of the points as matplotlib calls it."""
        return _MARKERS.get(self.shape, "o")

    @property
    def pattern(self) -> str | tuple[int, tuple[float, float]]:
        """The pattern of the line as matplotlib calls it."""
        return _PATTERNS.get(self.shape, "-")


_MARKERS: Final = {
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "cross": "P",
    "tick": "|",
    "dashes": "s",
    "dots": "^",
}
_PATTERNS: Final = {"dashes": (0, (5.0, 2.0)), "dots": (0, (1.2, 1.4))}

FAMILY_MARKS: Final[dict[str, Mark]] = {
    "reference": Mark("grey", "square"),
    "baseline": Mark("blue", "circle"),
    "model": Mark("red", "diamond"),
    "observer": Mark("amber", "triangle"),
    "oracle": Mark("black", "cross"),
}
"""The mark of each family of recommenders, the same in every plot."""

SERIES_MARKS: Final = (Mark("blue", "line"), Mark("red", "dashes"), Mark("green", "dots"))
"""The marks of lines that are compared with each other, in order."""


def colour(name: str) -> str:
    """A colour of the palette, for matplotlib."""
    return PALETTE[name]
