"""Pages that are planned ahead are those that would be drawn, one after the other."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shortlist.datasets.events import Events
from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import Slate, make_page
from shortlist.slate.plan import plan
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Viewer
from shortlist.slate.rules import Traits, broken, rules_of

VIEWER = Viewer(
    Events(np.array([3, 9]), np.array([2, 4], np.int8), np.array([20_029.0, 20_029.5])), 20_030.0
)
SETTINGS = SlateSettings(size=5, trade_off=0.6, epsilon=0.3)

Rank = Callable[..., Ranked]


def without(ranked: Ranked, gone: set[int]) -> Ranked:
    left = [place for place in range(len(ranked)) if place not in gone]
    names = ("video", "relevance", "diversity", "sources")
    return Ranked(**{name: getattr(ranked, name)[left] for name in names})


@pytest.mark.parametrize("method", ["dpp", "mmr"])
@pytest.mark.parametrize("window", [2, 3, 99])
def test_each_is_the_page_that_would_be_drawn_of_what_those_before_it_leave(
    items: SlateItems, rank: Rank, method: str, window: int
) -> None:
    told = SETTINGS.model_copy(update={"method": method})
    for seed in range(6):
        ranked = rank(seed)
        slate = Slate(ranked, items, told)
        first = slate.page(VIEWER, seed)
        planned = plan(slate, VIEWER, first.rank.tolist(), 3, window)
        gone = set(first.rank.tolist())
        for start in range(0, 15, 5):
            best = [place for place in range(len(ranked)) if place not in gone][: window * 5]
            left = without(ranked, set(range(len(ranked))) - set(best))
            wanted = make_page(left, items, told, VIEWER)
            page = planned.rank[start : start + 5]
            assert ranked.video[page].tolist() == wanted.video.tolist()
            assert planned.reasons[start : start + 5] == wanted.reasons
            gone |= set(page.tolist())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    seed=st.integers(0, 50),
    count=st.integers(0, 30),
    pages=st.integers(0, 9),
    window=st.integers(1, 5),
)
def test_pages_are_whole_and_repeat_nothing(
    items: SlateItems, rank: Rank, seed: int, count: int, pages: int, window: int
) -> None:
    slate = Slate(rank(seed, count), items, SETTINGS)
    shown = slate.page(VIEWER).rank.tolist()
    order, reasons = plan(slate, VIEWER, shown, pages, window)
    assert len(order) == len(reasons)
    assert len(order) % 5 == 0
    assert len(order) <= 5 * pages
    assert len({*order.tolist(), *shown}) == len(order) + len(shown)


def test_rules_hold_on_planned_pages_where_a_page_can_be_made_of_them(
    items: SlateItems, rank: Rank
) -> None:
    rules = rules_of(SETTINGS)
    ranked = rank(2)
    slate = Slate(ranked, items, SETTINGS)
    order = plan(slate, VIEWER, slate.page(VIEWER).rank.tolist(), 2, 4).rank
    traits = Traits.of(items, ranked.video)
    for start in range(0, len(order), 5):
        page = order[start : start + 5].tolist()
        for slot, one in enumerate(page):
            assert not broken(rules, traits, page, slot, one)


def test_notes_of_a_choice_among_some_name_places_in_the_whole_list(
    items: SlateItems, rank: Rank
) -> None:
    strict = SETTINGS.model_copy(update={"creator_limit": 1, "tag_limit": 1})
    ranked = rank(1)
    slate = Slate(ranked, items, strict)
    among = list(range(7, 27))
    picked, notes = slate.select(among)
    assert set(picked) <= set(among)
    assert notes
    assert {note.candidate for note in notes} <= set(among)
    left = without(ranked, set(range(len(ranked))) - set(among))
    assert ranked.video[picked].tolist() == make_page(left, items, strict, VIEWER).video.tolist()
