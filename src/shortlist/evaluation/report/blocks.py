"""What a section of the page is made of, between the scorecard and the template."""

from dataclasses import dataclass, field
from typing import Literal

from shortlist.evaluation.report.exhibits.exhibit import Exhibit


@dataclass(frozen=True)
class Head:
    """The head of a table's column: what it shows, its unit, and whether it holds numbers."""

    label: str
    unit: str = ""
    numeric: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: the figure or the words.
        interval: the 95 % interval, set smaller.
        mark: ``best`` of its column, ``tied`` with the best, or nothing.
        bar: length of a bar behind the text, as a share of the longest; None for no bar.
    """

    text: str
    interval: str = ""
    mark: Literal["", "best", "tied"] = ""
    bar: float | None = None


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row."""

    caption: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Plot:
    """An exhibit as a block of a section."""

    exhibit: Exhibit
    kind: Literal["plot"] = "plot"


@dataclass(frozen=True)
class Paragraphs:
    """Sentences, as a list or one after the other."""

    sentences: tuple[str, ...]
    listed: bool = False
    kind: Literal["paragraphs"] = "paragraphs"


@dataclass(frozen=True)
class Terms:
    """Terms and what they mean or hold."""

    pairs: tuple[tuple[str, str], ...]
    kind: Literal["terms"] = "terms"


@dataclass(frozen=True)
class Fold:
    """Blocks that stay folded away until asked for."""

    summary: str
    blocks: tuple["Block", ...]
    aside: str = ""
    kind: Literal["fold"] = "fold"


Block = Table | Plot | Paragraphs | Terms | Fold


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    intro: str = ""
    finding: str = field(default="")
    """The sentence that stands for the section in the summary; empty for none."""
