"""The pages after the first of a session, from its stored list as long as that is good."""

import dataclasses

import pytest

from shortlist.online.lists import StoredList
from shortlist.wire.causes import Cause
from shortlist.wire.recommend import RecommendRequest


def ids(page) -> list[int]:
    return [video.video_id for video in page.videos]


def test_a_list_of_another_bundle_is_not_served(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        await transformer.page(busiest, session_id="s", page_size=5)
        lists = transformer.store.lists
        ((session, wire),) = lists.items()
        lists[session] = dataclasses.replace(StoredList.unpack(wire), bundle="0" * 32).pack()
        await transformer.page(busiest, session_id="s", page_size=5)
        assert len(transformer.ranker.asked) == 2
        assert transformer.count("shortlist_cache_lookups_total", cache="slate", result="hit") == 0

    run(look())


@pytest.mark.parametrize("told", [{}, {"planned_pages": 0}, {"planned_window": 1}])
def test_pages_of_any_length_come_from_one_list_and_repeat_nothing(
    make, run, busiest, told
) -> None:
    async def look() -> None:
        transformer = make(**told)
        seen: list[int] = []
        for size in (1, 1, 4, 4, 5):  # Of a list of 15.
            page = await transformer.page(busiest, session_id="s", page_size=size)
            assert len(page.videos) == size
            seen += ids(page)
        assert len(set(seen)) == 15
        assert len(transformer.ranker.asked) == 1
        assert transformer.count("shortlist_pages_total", path="cached", degraded="false") == 4
        planned = transformer.count("shortlist_cache_lookups_total", cache="plan", result="hit")
        assert planned == (0 if told == {"planned_pages": 0} else 2)
        anew = await transformer.page(busiest, session_id="s", page_size=50)
        assert len(anew.videos) == 15
        assert not set(ids(anew)) & set(seen)

    run(look())


def test_what_was_excluded_once_may_be_shown_when_it_no_longer_is(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        first = await transformer.page(busiest, session_id="s", page_size=5)
        state = await transformer.store.fetch(busiest, "s")
        left = [one for one in state.ranked.video.tolist() if one not in ids(first)]
        # Another length than the one that was planned: the page is drawn, and the list kept again.
        second = await transformer.page(busiest, session_id="s", page_size=4, exclude=left[:5])
        third = await transformer.page(busiest, session_id="s", page_size=4)
        assert set(ids(second)) <= set(left[5:])
        assert set(ids(third)) & set(left[:5])
        assert len(transformer.ranker.asked) == 1

    run(look())


def test_without_the_store_a_newcomers_pending_list_is_no_whole_page(make, run) -> None:
    async def look() -> None:
        transformer = make()
        ask = RecommendRequest(user_id=10**15, session_id="s", page_size=5)
        first = await transformer.recommender.page(ask)
        assert not first.degraded
        transformer.store.fault = ConnectionError("gone")
        second = await transformer.recommender.page(ask)
        assert second.degraded_by == (Cause.STORE_DOWN,)
        assert not set(ids(first)) & set(ids(second))

    run(look())


def test_a_page_that_is_written_while_the_store_is_asked_is_not_shown_again(
    make, run, busiest, monkeypatch
) -> None:
    async def look() -> None:
        transformer = make()
        ask = RecommendRequest(user_id=busiest, session_id="s", page_size=5)
        first = await transformer.recommender.page(ask)
        looked = transformer.store.fetch

        async def late(user, session="", *, most_ms=None):
            state = await looked(user, session, most_ms=most_ms)
            await transformer.settle()  # As where the blocklist has to be read as well.
            return state

        before = transformer.store.pages
        assert before == []
        monkeypatch.setattr(transformer.store, "fetch", late)
        second = await transformer.recommender.page(ask)
        assert not set(ids(first)) & set(ids(second))

    run(look())
