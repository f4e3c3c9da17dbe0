"""Value against diversity: the same ranked candidates under many settings of the slate."""

from typing import Final

from shortlist.evaluation.arena import Arena
from shortlist.evaluation.pages import sampled
from shortlist.evaluation.scorecard import FrontierPoint
from shortlist.evaluation.shown import Shown
from shortlist.progress import track
from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import Drawing
from shortlist.slate.settled import trade_off_of
from shortlist.world.truth import Truth

_GRID: Final = {
    "dpp": (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85),
    "mmr": (0.02, 0.05, 0.1, 0.15, 0.25, 0.4),
}
"""Trade-offs of each method, from hardly any diversity to more than anybody wants."""


def points_of_frontier(method: str, trade_off: float) -> list[tuple[str, float]]:
    """Methods and trade-offs to draw by: a grid over both methods, and the default among them.

    >>> len(points_of_frontier("dpp", 0.5)) >= 10
    True
    """
    grid = {(name, at) for name, trade_offs in _GRID.items() for at in trade_offs}
    return sorted(grid | {(method, trade_off)})


def frontier(
    shown: Shown,
    arena: Arena,
    truth: Truth | None,
    slate: SlateSettings,
    size: int,
    resamples: int,
    seed: int,
) -> list[FrontierPoint]:
    """Draw the sample's pages under every setting; nothing where the model told no candidates.

    Rules hold under all of them.

    Args:
        shown: the model's ranked candidates.
        arena: whose sample is drawn for.
        truth: of its world; None for a real log, where value is NDCG and hit rate.
        slate: settings under which pages are served, settled.
        size: slots of a page.
        resamples: behind each interval.
        seed: of the resamples.
    """
    if shown.video.shape[1] == 0:
        return []
    ranked, of = shown.ranked(), sampled(arena, truth, size)
    items = SlateItems.from_catalogue(arena.catalogue, arena.view.content)
    drawing, default = Drawing(ranked, items, slate), (slate.method, trade_off_of(slate))
    return [
        FrontierPoint(
            method=method,
            trade_off=at,
            default=(method, at) == default,
            figures=of.estimates(drawing.pages(method, at)[:, :size], resamples, seed),
        )
        for method, at in track(points_of_frontier(*default), "frontier")
    ]
