"""The pages after the first, planned while the candidates are compared anyway.

To compare them costs more than to pick a page of them, and a page that stands already costs next to
nothing to serve. So whoever keeps a ranked list keeps with it the order in which its next pages
would be drawn, if nothing but time came between.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shortlist.slate.page import Slate
from shortlist.slate.reasons import Reason, Viewer, reasons


class Plan(NamedTuple):
    """Whole pages, one after the other, before exploration; `p` videos.

    Attributes:
        rank: places in the ranked list, in the order of the pages, int64 [p].
        reasons: why, for a viewer to read.
    """

    rank: npt.NDArray[np.int64]
    reasons: tuple[Reason, ...]


NOTHING_PLANNED: Final = Plan(np.zeros(0, np.int64), ())


def plan(slate: Slate, viewer: Viewer, shown: Sequence[int], pages: int, window: int) -> Plan:
    """Plan the next pages.

    Each is the best of what those before it leave, as `Slate.select` picks it.

    Args:
        slate: the candidates.
        viewer: whom the pages are for.
        shown: places in the ranked list of what has been shown.
        pages: how many; fewer where candidates run out, since no page is left short.
        window: a page is picked from the best that are left, so many times as it has videos.
    """
    size, order = slate.settings.size, list[int]()
    gone = set(shown)
    for _ in range(pages):
        left = [place for place in range(len(slate)) if place not in gone]
        if len(left) < size:
            break
        picked = slate.select(left[: window * size]).picked
        if len(picked) < size:
            break
        order += picked
        gone.update(picked)
    if not order:
        return NOTHING_PLANNED
    ranked, rank = slate.ranked, np.array(order, np.int64)
    video, sources = ranked.video[rank], ranked.sources[rank]
    none = np.zeros(len(rank), np.bool_)
    days = slate.settings.new_days
    return Plan(rank, reasons(slate.items, viewer, video, sources, none, days))
