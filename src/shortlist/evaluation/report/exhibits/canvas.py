"""The drawing surface: matplotlib figures measured in screen pixels, written as inline SVG.

Every plot is drawn twice, for a wide and for a narrow screen, because a plot that is merely scaled
down to a phone cannot be read there. Colours are those of a palette whose names reach the page as
CSS variables, so that one drawing serves light and dark screens; text stays text and takes the
page's own typeface. Equal input gives equal bytes.
"""

import bisect
import functools
import io
import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from shortlist.evaluation.report.exhibits.palette import PALETTE
from shortlist.evaluation.report.numerals import shortened

WIDE: Final = 860
NARROW: Final = 350
TEXT_SIZE: Final = 13.0
_LONGEST: Final = 160
"""Characters of a text that is worth measuring."""


@dataclass(frozen=True)
class Drawing:
    """The same plot for two widths of screen, as SVG elements without a size of their own."""

    wide: str
    narrow: str


_STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "shortlist",
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT_SIZE,
    # A name may hold a dollar sign; it is never a formula.
    "text.parse_math": False,
    "text.color": PALETTE["ink"],
    "axes.labelcolor": PALETTE["muted"],
    "axes.labelsize": TEXT_SIZE,
    "axes.edgecolor": PALETTE["rule"],
    "axes.facecolor": "none",
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": PALETTE["grid"],
    "grid.linewidth": 1.0,
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.labelsize": TEXT_SIZE - 1,
    "ytick.labelsize": TEXT_SIZE - 1,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "xtick.major.pad": 6.0,
    "ytick.major.pad": 6.0,
}

# matplotlib's settings are global: one drawing at a time, each under the same settings.
_ONE_AT_A_TIME = threading.Lock()


class Canvas:
    """A figure of a given width that grows downwards; all lengths are screen pixels."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.narrow = width < 600
        # At 72 dots an inch matplotlib's points are pixels.
        self.figure = Figure(dpi=72, frameon=False)
        self.surface = FigureCanvasSVG(self.figure)

    def set_height(self, height: float) -> None:
        """Fix the height; to be called before ``axes``."""
        self.height = height
        self.figure.set_size_inches(self.width / 72, height / 72)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place counted from the upper left corner."""
        return self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text at a place counted from the upper left corner, centred on ``y``."""
        self.figure.text(
            x / self.width, 1 - y / self.height, text, **{"va": "center_baseline", **style}
        )


def draw(key: str, paint: Callable[[Canvas], None]) -> Drawing:
    """Let ``paint`` draw a plot at both widths; ``key`` is unique among the plots of a page."""
    with _ONE_AT_A_TIME, mpl.rc_context(), warnings.catch_warnings():
        # Whatever style the user has set elsewhere stays out of the report.
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        # The page's typeface may have what the one for measuring lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return Drawing(_svg(paint, WIDE, f"{key}-wide"), _svg(paint, NARROW, f"{key}-narrow"))


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width of a text in pixels, in a typeface wider than most."""
    font = FontProperties(family=["DejaVu Sans"], size=size, weight=weight)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def fitted(text: str, room: float, size: float = TEXT_SIZE) -> str:
    """Text cut in its middle so that it takes at most ``room`` pixels, bold or not."""
    text = shortened(text, _LONGEST)
    if text_width(text, size, "bold") <= room:
        return text
    fits = bisect.bisect_right(
        range(1, len(text)),
        room,
        key=lambda length: text_width(shortened(text, length), size, "bold"),
    )
    return shortened(text, max(fits, 1))


def _svg(paint: Callable[[Canvas], None], width: int, key: str) -> str:
    canvas = Canvas(width)
    paint(canvas)
    stream = io.StringIO()
    # Not `savefig`, which draws everything a second time to learn sizes that are fixed here.
    canvas.surface.print_svg(
        stream, metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
    )
    return _inline(stream.getvalue(), width, key)


def _inline(document: str, width: int, key: str) -> str:
    """An SVG element that can stand in a page, from a document that matplotlib wrote."""
    element = document[document.index("<svg") :].strip()
    # The style sheet in it would style the whole page.
    element = re.sub(r"<(metadata|style)\b.*?</\1>", "", element, flags=re.DOTALL)
    head, _, body = element.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    if box is None:
        raise ValueError("matplotlib wrote an SVG element without a viewBox")
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))

    def own_id(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in referred else ""

    def adapt(match: re.Match[str]) -> str:
        tag = match[0]
        for name, code in PALETTE.items():
            tag = tag.replace(f": {code}", f": var(--{name})")
        tag = re.sub(r"font-family: [^;\"]*", "font-family: inherit", tag)
        # Ids must differ between the plots of a page, and most of them nothing refers to.
        tag = re.sub(r' id="([^"]*)"', own_id, tag)
        return re.sub(r'href="#|url\(#', lambda start: f"{start[0]}{key}-", tag)

    body = re.sub(r"<[^>]*>", adapt, body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    return f'<svg {box.group(0)} width="{width}" aria-hidden="true" focusable="false">{body}'
