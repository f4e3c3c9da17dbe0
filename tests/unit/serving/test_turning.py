"""The next page of a stored list: as planned, whatever happened to single videos meanwhile."""

import dataclasses

import numpy as np
import pytest

from shortlist.datasets.events import Events
from shortlist.online.blocklist import Blocklist
from shortlist.online.lists import StoredList
from shortlist.online.packing import History
from shortlist.online.store import UserState
from shortlist.recall.source import SOURCES
from shortlist.serving.asked import Asked
from shortlist.serving.budget import Budget
from shortlist.serving.drawing import Drawn, draw, served
from shortlist.serving.live import Live
from shortlist.serving.turning import left_of, ranked_again, stored, turn
from shortlist.settings.serving import ServingSettings
from shortlist.slate.ranked import Ranked
from shortlist.slate.rules import Traits, broken, rules_of
from shortlist.wire.recommend import RecommendRequest

SIZE = 5
COUNT = 40
WINDOW = 4
SETTINGS = ServingSettings(planned_pages=3, planned_window=WINDOW)
NEVER = {"epsilon": 0.0}
ALWAYS = {"epsilon": 0.9}


@pytest.fixture
def still(live: Live) -> Live:
    """The bundle, without exploration."""
    return dataclasses.replace(live, slate=live.slate.model_copy(update=NEVER), _sized={})


def asking(shown=(), *, exclude=(), blocked=(), size: int = SIZE, number: int = 1) -> Asked:
    request = RecommendRequest(user_id=1, page_size=size, exclude=tuple(exclude))
    state = UserState(
        1,
        History.none(),
        None,
        None,
        np.array(shown, np.int64),
        None,
        Blocklist(np.sort(np.array(blocked, np.int64)), b"1"),
    )
    return Asked(request, f"{number:032x}", 0.0, Budget(1_000), state)


def made(live: Live, settings: ServingSettings = SETTINGS, number: int = 1):
    """A first page and the list that is kept with it."""
    rng = np.random.default_rng(3)
    ranked = Ranked(
        video=np.sort(rng.choice(len(live.ids), COUNT, replace=False)),
        relevance=np.linspace(0.9, 0.1, COUNT).astype(np.float32),
        diversity=rng.random(COUNT).astype(np.float32),
        sources=rng.integers(1, 2 ** len(SOURCES), COUNT).astype(np.uint8),
    )
    asked = asking(number=number)
    page = draw(asked, live, ranked, Events.none(), float(live.parts.as_of_day), settings)
    return page, StoredList.unpack(stored(ranked, page, live, asked).pack())


def next_page(live: Live, kept: StoredList, asked: Asked) -> Drawn | None:
    return turn(asked, live, kept, left_of(kept, asked), WINDOW)


def test_pages_come_as_they_would_be_drawn_and_then_there_are_no_more(still: Live) -> None:
    first, kept = made(still)
    shown = first.ids.tolist()
    for _ in range(3):
        asked = asking(shown)
        page = next_page(still, kept, asked)
        assert page is not None
        # What is left is drawn from the same window, so only what was planned later is unlike.
        left = left_of(kept, asked)[: WINDOW * SIZE]
        again, _ = ranked_again(kept, left, still)
        day = float(still.parts.as_of_day)
        wanted = draw(asked, still, again, Events.none(), day, SETTINGS)
        assert page.videos == wanted.videos
        assert page.ids.tolist() == wanted.ids.tolist()
        assert page.propensity.tolist() == [1.0] * SIZE
        shown += page.ids.tolist()
    assert len(set(shown)) == 4 * SIZE
    assert next_page(still, kept, asking(shown)) is None


def test_a_page_of_another_size_was_not_planned(still: Live) -> None:
    first, kept = made(still)
    assert next_page(still, kept, asking(first.ids, size=SIZE + 1)) is None
    _, unplanned = made(still, SETTINGS.model_copy(update={"planned_pages": 0}))
    assert next_page(still, unplanned, asking(first.ids)) is None


@pytest.mark.parametrize("how", ["exclude", "blocked", "shown"])
def test_who_is_gone_is_stood_in_for_by_the_best_that_the_rules_allow(still: Live, how) -> None:
    first, kept = made(still)
    planned = next_page(still, kept, asking(first.ids))
    assert planned is not None
    rules, items = rules_of(still.slate_of(SIZE)), still.parts.items
    for slot in range(SIZE):
        gone = int(planned.ids[slot])
        shown = first.ids.tolist()
        told = {"exclude": {"exclude": [gone]}, "blocked": {"blocked": [gone]}, "shown": {}}[how]
        asked = asking([*shown, gone] if how == "shown" else shown, **told)
        page = next_page(still, kept, asked)
        assert page is not None
        ids = page.ids.tolist()
        assert gone not in ids
        assert not set(ids) & set(shown)
        others = [video for place, video in enumerate(ids) if place != slot]
        assert others == [video for video in planned.ids.tolist() if video != gone]
        rows = np.searchsorted(still.ids, page.ids)
        traits = Traits.of(items, rows)
        whole = list(range(SIZE))
        before = Traits.of(items, np.searchsorted(still.ids, planned.ids))
        if not broken(rules, before, whole, slot, slot):
            assert not broken(rules, traits, whole, slot, slot)
        assert all(video.reason for video in page.videos)


def test_what_exploration_shows_too_early_is_one_hole_in_its_own_page(live: Live) -> None:
    bold = dataclasses.replace(live, slate=live.slate.model_copy(update=ALWAYS), _sized={})
    plain = dataclasses.replace(live, slate=live.slate.model_copy(update=NEVER), _sized={})
    first, kept = made(plain)
    shown = first.ids.tolist()
    wanted = next_page(plain, kept, asking(shown))
    bold_page = next_page(bold, kept, asking(shown, number=2**70 + 5))
    assert wanted is not None
    assert bold_page is not None
    explored = [one.reason == "Something different to try" for one in bold_page.videos]
    assert any(explored)
    for slot, video in enumerate(bold_page.videos):
        assert (video.video_id == int(wanted.ids[slot])) != explored[slot]
        assert 0 < video.propensity < 1
    # A video of the page after was shown in a slot of this one: it is one hole in its own page.
    after = next_page(plain, kept, asking([*shown, *wanted.ids.tolist()]))
    assert after is not None
    early, put_off = int(after.ids[0]), int(wanted.ids[2])
    swapped = [early if video == put_off else video for video in wanted.ids.tolist()]
    found = next_page(plain, kept, asking([*shown, *swapped]))
    assert found is not None
    assert found.ids.tolist()[1:] == after.ids.tolist()[1:]
    assert found.ids[0] not in swapped


def test_the_same_page_is_explored_alike_and_logged_as_it_was_sent(live: Live) -> None:
    bold = dataclasses.replace(live, slate=live.slate.model_copy(update=ALWAYS), _sized={})
    first, kept = made(bold)
    asked = asking(first.ids, number=77 * 2**64)
    page, again = next_page(bold, kept, asked), next_page(bold, kept, asked)
    assert page is not None
    assert again is not None
    assert page.videos == again.videos
    logged = served(asked, page, bold.id)
    assert logged.video.tolist() == [video.video_id for video in page.videos]
    assert logged.propensity.tolist() == [video.propensity for video in page.videos]
    assert logged.position.tolist() == list(range(SIZE, 2 * SIZE))
    other = next_page(bold, kept, asking(first.ids, number=78 * 2**64))
    assert other is not None
    assert other.ids.tolist() != page.ids.tolist()


def test_where_nobody_may_stand_in_the_page_is_drawn_anew(still: Live) -> None:
    first, kept = made(still, SETTINGS.model_copy(update={"planned_pages": 1}))
    planned = next_page(still, kept, asking(first.ids))
    assert planned is not None
    assert next_page(still, kept, asking(first.ids, blocked=planned.ids[:1])) is None


def test_of_most_of_a_page_gone_the_next_one_is_shown(still: Live) -> None:
    first, kept = made(still)
    planned = next_page(still, kept, asking(first.ids))
    assert planned is not None
    shown = [*first.ids.tolist(), *planned.ids.tolist()]
    second = next_page(still, kept, asking(shown))
    most = next_page(still, kept, asking(first.ids, exclude=planned.ids[:3].tolist()))
    assert second is not None
    assert most is not None
    assert most.ids.tolist() == second.ids.tolist()


def test_a_list_of_videos_that_the_bundle_lacks_is_not_shown_as_planned(still: Live) -> None:
    first, kept = made(still)
    strange = dataclasses.replace(kept, video=kept.video + 10**9)
    assert next_page(still, strange, asking(first.ids)) is None
    ranked, places = ranked_again(strange, left_of(strange, asking()), still)
    assert len(ranked) == len(places) == 0
