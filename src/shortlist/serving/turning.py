"""The next pages of a ranked list that the store keeps: as planned, or what they are drawn from.

A page that stands as it was planned needs no more than what the session, the client and the
blocklist say of its videos, and the luck of exploration.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from shortlist.datasets.interactions import Ints
from shortlist.online.lists import Planned, StoredList
from shortlist.online.packing import rows_of
from shortlist.serving.asked import Asked
from shortlist.serving.drawing import Drawn, seed_of, shown_videos
from shortlist.serving.live import Live
from shortlist.slate.explore import Exploration
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Reason, Why
from shortlist.slate.rules import OPEN, Traits, allowed, rules_of

_EXPLORED: Final = str(Reason(Why.EXPLORED))


def stored(ranked: Ranked, drawn: Drawn, live: Live, asked: Asked) -> StoredList:
    """A ranked list as the store keeps it.

    Args:
        ranked: by the predictor.
        drawn: the page that was drawn from it.
        live: whose rows these are.
        asked: what it was ranked for.
    """
    made = StoredList(
        bundle=live.id,
        version=asked.state.history.version,
        made_at=asked.at,
        asked=asked.shape,
        video=live.ids[ranked.video],
        relevance=ranked.relevance,
        diversity=ranked.diversity,
        sources=ranked.sources,
    )
    return planned_anew(made, np.arange(len(ranked)), drawn, asked)


def planned_anew(kept: StoredList, places: Ints, drawn: Drawn, asked: Asked) -> StoredList:
    """A list with the plan that was made with a page.

    Args:
        kept: the list.
        places: in it, of the candidates that the page was drawn from, int64 [n].
        drawn: the page.
        asked: how long pages are.
    """
    rank, reasons = drawn.plan
    planned = Planned(asked.request.page_size, places[rank], tuple(map(str, reasons)))
    return replace(kept, planned=planned)


def left_of(kept: StoredList, asked: Asked) -> list[int]:
    """Places in a stored list of what may still be shown, the best first.

    Args:
        kept: of this bundle.
        asked: what the session has shown, and what the client will not have.
    """
    gone = {*asked.state.shown.tolist(), *asked.request.exclude}
    left = [place for place, video in enumerate(kept.video.tolist()) if video not in gone]
    if blocked := asked.state.blocked:
        _, shut = rows_of(kept.video, blocked.video)
        left = [place for place in left if not shut[place]]
    return left


def ranked_again(kept: StoredList, left: list[int], live: Live) -> tuple[Ranked, Ints]:
    """What is left of a stored list, to be drawn from, and its places in the list, int64 [n].

    What the bundle lacks is left out.
    """
    rows, known = rows_of(kept.video[left], live.ids)
    place = np.array(left, np.int64)[known]
    ranked = Ranked(rows[known], kept.relevance[place], kept.diversity[place], kept.sources[place])
    return ranked, place


def turn(asked: Asked, live: Live, kept: StoredList, left: list[int], window: int) -> Drawn | None:
    """The next page of a stored list as it was planned, explored anew.

    A page that was planned is passed when most of it is gone. Where of the next one a video is gone
    (exploration showed it before, it was taken down, the client will not have it), the best of the
    other planned ones that the rules allow stands in.

    Args:
        asked: how long it is, and by which id, from which exploration is seeded.
        live: whose rows these are.
        kept: of this bundle.
        left: places of what may still be shown, the best first.
        window: exploration draws from the best that are left, so many times as a page has videos.

    Returns:
        None where no such page was planned.
    """
    size, planned, reasons = kept.planned
    if size != asked.request.page_size:
        return None
    may, order = set(left), planned.tolist()
    page = _next(order, size, may)
    if page is None:
        return None
    others = [place for place in left if place not in page][: (window - 1) * size]
    places = np.array([*page, *others], np.int64)
    rows, known = rows_of(kept.video[places], live.ids)
    if not known.all():
        return None
    holes = [slot for slot, place in enumerate(page) if place not in may]
    settings = live.slate_of(size)
    traits, rules = Traits.of(live.parts.items, rows, rows[holes]), rules_of(settings)
    reason_of = dict(zip(order, reasons, strict=True))
    slots = list(range(size))
    for hole in holes:
        slots[hole] = OPEN
    for hole in holes:
        for one in range(size, len(places)):
            planned_too = int(places[one]) in reason_of and one not in slots
            if planned_too and allowed(rules, traits, slots, hole, one):
                slots[hole] = one
                break
        else:
            return None
    exploration = Exploration(
        kept.relevance[places], settings.epsilon, settings.temperature, traits, rules
    )
    outcome = exploration.draw(slots, seed_of(asked.id))
    chosen = places[outcome.page]
    told = [
        _EXPLORED if drawn else reason_of[place]
        for place, drawn in zip(chosen.tolist(), outcome.drawn, strict=True)
    ]
    ids, propensity = kept.video[chosen], np.array(outcome.propensity, np.float64)
    relevance, sources = kept.relevance[chosen], kept.sources[chosen]
    return Drawn(
        shown_videos(ids, relevance, sources, told, propensity, asked.first), ids, propensity
    )


def _next(order: list[int], size: int, may: set[int]) -> list[int] | None:
    """The first planned page of which most may still be shown."""
    for start in range(0, len(order) - size + 1, size):
        page = order[start : start + size]
        if 2 * len(may.intersection(page)) > size:
            return page
    return None
