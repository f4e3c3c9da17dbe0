"""Value against diversity: the same ranked candidates under many settings of the slate."""

from typing import Final

from shortlist.evaluation.arena import Arena
from shortlist.evaluation.pages import sampled
from shortlist.evaluation.scorecard import FrontierPoint
from shortlist.evaluation.shown import Shown
from shortlist.progress import track
from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import select_pages
from shortlist.slate.settled import trade_off_of
from shortlist.world.truth import Truth

_GRID: Final = {
    "dpp": (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85),
    "mmr": (0.02, 0.05, 0.1, 0.15, 0.25, 0.4),
}
"""Trade-offs of each method, from hardly any diversity to more than anybody wants."""


def settings_of_frontier(default: SlateSettings) -> list[SlateSettings]:
    """The settings to draw under: a grid over both methods, and the default among them.

    Args:
        default: settled.

    >>> len(settings_of_frontier(SlateSettings(trade_off=0.5))) >= 10
    True
    """
    pairs = {(method, at) for method, grid in _GRID.items() for at in grid}
    pairs.add((default.method, trade_off_of(default)))
    return [
        default.model_copy(update={"method": method, "trade_off": at})
        for method, at in sorted(pairs)
    ]


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
    points = []
    for settings in track(settings_of_frontier(slate), "frontier"):
        pages = select_pages(ranked, items, settings)[:, :size]
        points.append(
            FrontierPoint(
                method=settings.method,
                trade_off=trade_off_of(settings),
                default=settings == slate,
                figures=of.estimates(pages, resamples, seed),
            )
        )
    return points
