"""Pages for real users of a small world, with every part failing in turn."""

import asyncio
import dataclasses

import numpy as np
import pytest

from shortlist.online.blocklist import Blocklist
from shortlist.online.packing import History
from shortlist.online.store import UserState
from shortlist.recommender.cascade import Cascade
from shortlist.recommender.person import person_of
from shortlist.serving.client import NoRankingError
from shortlist.serving.dating import dated, day_of
from shortlist.serving.pulse import STANDING_SECONDS
from shortlist.settings.serving import ServingSettings
from shortlist.wire.causes import Cause
from shortlist.wire.recommend import LAST_PAGE, RecommendRequest
from shortlist.wire.refusals import NotReadyError, OverloadedError, UnknownBundleError

CLICK = 2


def ids(page) -> list[int]:
    return [video.video_id for video in page.videos]


def failing(cause: Cause):
    def fault(request) -> None:
        raise NoRankingError(cause, "broken on purpose")

    return fault


def test_a_page_is_that_of_the_recommender_in_process(make, run, trained, live, users) -> None:
    async def look() -> None:
        transformer = make()
        for user in list(users)[:8]:
            page = await transformer.page(user)
            person = person_of(trained.dataset, str(user), live.parts)
            cascade = Cascade(live.parts)
            answer = cascade.answer(
                person.request(np.zeros(32, np.float32)), float(live.parts.as_of_day)
            )
            seed = int(page.request_id[:16], 16)
            wanted = cascade.page(answer, live.slate_of(10), seed=seed)
            assert ids(page) == live.ids[wanted.video].tolist()
            assert [one.score for one in page.videos] == pytest.approx(wanted.relevance, abs=1e-5)
            assert [one.propensity for one in page.videos] == wanted.propensity.tolist()
            assert [one.reason for one in page.videos] == list(map(str, wanted.reasons))
            assert (page.degraded, page.degraded_by, page.bundle) == (False, (), live.id)

    run(look())


def test_pages_of_a_session_never_repeat_and_those_of_a_stored_list_ask_no_predictor(
    make, run, busiest
) -> None:
    async def look() -> None:
        transformer = make()
        seen: list[int] = []
        for number in range(4):
            page = await transformer.page(busiest, session_id="s", page=number, page_size=5)
            assert [one.position for one in page.videos] == list(range(len(seen), len(seen) + 5))
            assert page.next_page == number + 1
            seen += ids(page)
        assert len(set(seen)) == 20
        # A list of 15 is three pages of five; then another one is made.
        assert len(transformer.ranker.asked) == 2
        assert transformer.count("shortlist_pages_total", path="cached", degraded="false") == 2
        logged = [video for page in transformer.store.pages for video in page.video.tolist()]
        assert logged == seen
        again = await transformer.page(busiest, session_id="another", page_size=5)
        assert ids(again)[0] in seen

    run(look())


def test_a_page_that_the_store_has_not_heard_of_yet_is_not_shown_again(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        ask = RecommendRequest(user_id=busiest, session_id="s", page_size=5)
        first = await transformer.recommender.page(ask)
        assert len(transformer.recorder) == 1
        assert transformer.store.pages == []
        second = await transformer.recommender.page(ask)
        assert not set(ids(first)) & set(ids(second))
        await transformer.settle()
        assert [page.request_id for page in transformer.store.pages] == [
            first.request_id,
            second.request_id,
        ]

    run(look())


def test_an_event_makes_the_stored_list_and_the_vector_stale(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        await transformer.page(busiest, session_id="s", page_size=3)
        store = transformer.store
        before = store.vectors[busiest]
        history = History.unpack(store.histories[busiest])
        store.histories[busiest] = dataclasses.replace(history, version=8).pack()
        await transformer.page(busiest, session_id="s", page_size=3)
        assert len(transformer.ranker.asked) == 2
        assert store.vectors[busiest] != before
        await transformer.page(busiest, session_id="other", page_size=3)
        assert transformer.count("shortlist_user_vectors_total", how="kept") == 1
        assert transformer.count("shortlist_user_vectors_total", how="encoded") == 2

    run(look())


def test_what_was_taken_down_is_gone_from_stored_lists_too(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        await transformer.page(busiest, session_id="s", page_size=5)
        state = await transformer.store.fetch(busiest, "s")
        left = [one for one in state.ranked.video.tolist() if one not in state.shown]
        transformer.store.blocked = Blocklist(np.sort(left[:3]), b"1")
        second = await transformer.page(busiest, session_id="s", page_size=5)
        assert set(ids(second)) <= set(left[3:])
        assert len(transformer.ranker.asked) == 1
        fresh = await transformer.page(busiest, session_id="new")
        assert not set(ids(fresh)) & set(left[:3])

    run(look())


def test_what_the_client_excludes_is_on_no_page(make, run, busiest, live) -> None:
    async def look() -> None:
        transformer = make()
        first = await transformer.page(busiest, session_id="s", page_size=5)
        unwanted = ids(await make().page(busiest, page_size=10, exclude=tuple(ids(first))))
        page = await transformer.page(
            busiest, session_id="s", page_size=5, exclude=(*unwanted, 10**12)
        )
        assert not set(ids(page)) & set(unwanted)

    run(look())


def test_what_was_seen_comes_back_only_where_it_may(make, run, busiest, users) -> None:
    seen = set(History.unpack(users[busiest][0]).video.tolist())

    async def look() -> None:
        transformer = make()
        never = await transformer.page(busiest, session_id="s", page_size=50)
        again = await transformer.page(busiest, session_id="s", page_size=50, again=True)
        assert not seen & set(ids(never))
        assert seen & set(ids(again))
        assert not set(ids(never)) & set(ids(again)), "a session repeats nothing all the same"

    run(look())


def test_after_a_log_of_the_past_live_events_follow_at_once(live, users, busiest) -> None:
    end = live.parts.as_of_day * 86_400
    old = History.unpack(users[busiest][0])
    months = 300 * 86_400
    history = dataclasses.replace(
        old,
        video=np.append(old.video, old.video[:2]),
        kind=np.append(old.kind, [CLICK, CLICK]).astype(np.uint8),
        at=np.append(old.at, [end + months, end + months + 60]),
    )
    state = UserState(busiest, history, None, None, np.zeros(0, np.int64), None, Blocklist())
    told = ServingSettings(clock="bundle")
    found = dated(told, live, state)
    assert found.history.at.tolist() == [*old.at.tolist(), end, end + 60]
    assert day_of(told, live, found, end + months + 90) == live.parts.as_of_day + 60 / 86_400
    assert dated(ServingSettings(clock="wall"), live, state) is state


def test_a_newcomer_gets_popularity_and_that_is_not_degraded(make, run) -> None:
    async def look() -> None:
        transformer = make()
        page = await transformer.page(10**15)
        assert len(page.videos) == 10
        assert (page.degraded, page.degraded_by) == (False, ())
        assert any("popularity" in video.source for video in page.videos)
        assert transformer.ranker.asked[0].history_video.size == 0
        assert transformer.count("shortlist_fallbacks_total", cause="unknown_user") == 1

    run(look())


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(ConnectionError("gone"), Cause.STORE_DOWN), (TimeoutError(), Cause.STORE_SLOW)],
)
def test_without_the_store_the_bundles_own_tables_answer(make, run, busiest, fault, cause) -> None:
    async def look() -> None:
        transformer = make(breaker_failures=3, breaker_seconds=1)
        transformer.store.blocked = Blocklist(np.sort(transformer.live.ids[:50]), b"1")
        transformer.store.fault = fault
        seen: set[int] = set()
        for _ in range(5):
            page = await transformer.page(busiest, session_id="s", page_size=5)
            assert page.degraded_by == (cause,)
            # Neither what was taken down, nor, though nothing can be stored, what was shown.
            assert not set(ids(page)) & (seen | set(transformer.live.ids[:50].tolist()))
            seen |= set(ids(page))
        assert transformer.store.fetches == 3  # then the breaker spares the others the wait
        assert transformer.count("shortlist_fallbacks_total", cause=cause.value) == 5
        transformer.store.fault = None
        transformer.now[0] += 1
        page = await transformer.page(busiest, session_id="s", page_size=5)
        assert (page.degraded, set(ids(page)) & seen) == (False, set())
        await transformer.settle()
        assert len(transformer.store.pages) == 6
        assert {page.bundle for page in transformer.store.pages} == {"", transformer.live.id}

    run(look())


@pytest.mark.parametrize(
    "cause", [Cause.PREDICTOR_DOWN, Cause.PREDICTOR_SLOW, Cause.PREDICTOR_REFUSED]
)
def test_without_the_predictor_recalls_order_stands_in(make, run, busiest, cause) -> None:
    async def look() -> None:
        transformer = make()
        transformer.ranker.fault = failing(cause)
        page = await transformer.page(busiest, session_id="s")
        assert (len(page.videos), page.degraded_by) == (10, (cause,))
        assert page.videos[0].score == 1.0
        assert transformer.store.lists == {}
        assert transformer.count("shortlist_pages_total", path="full", degraded="true") == 1
        transformer.ranker.fault = None
        after = await transformer.page(busiest, session_id="s")
        assert not after.degraded
        assert not set(ids(after)) & set(ids(page))

    run(look())


def test_a_page_is_as_old_as_what_it_knows_of_its_user(make, run, busiest) -> None:
    """Else it would be kept of a user who was forgotten while it was made."""

    async def look() -> None:
        transformer = make()
        store, now = transformer.store, [100.0]
        fetch = store.fetch

        async def forgotten_meanwhile(*asked, **more):
            found = await fetch(*asked, **more)
            now[0] = 200.0
            return found

        store.fetch = forgotten_meanwhile
        transformer.recommender._clock = lambda: now[0]
        await transformer.page(busiest)
        assert [page.at for page in store.pages] == [100.0]

    run(look())


def test_the_last_page_that_may_be_asked_for_names_no_next_one(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        told = [await transformer.page(busiest, page=page) for page in (LAST_PAGE - 1, LAST_PAGE)]
        assert [page.next_page for page in told] == [LAST_PAGE, None]
        assert len(ids(told[1])) == 10

    run(look())


def test_without_time_nobody_asks_the_predictor(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make(budget_ms=15, reserve_ms=14.5)
        page = await transformer.page(busiest)
        assert page.degraded_by == (Cause.OVER_BUDGET,)
        assert transformer.ranker.asked == []

    run(look())


def test_a_predictor_without_the_bundle_is_asked_for_the_one_before(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        live, new = transformer.live, dataclasses.replace(transformer.live, id="e" * 32)
        bundles = transformer.bundles
        bundles._held = {
            **bundles._held,
            new.id: dataclasses.replace(bundles.current, id=new.id, parts=new),
        }
        bundles._current = bundles._held[new.id]

        def refuse(request) -> None:
            if request.bundle == new.id:
                raise UnknownBundleError("not here")

        transformer.ranker.fault = refuse
        page = await transformer.page(busiest)
        assert (page.degraded, page.bundle) == (False, live.id)
        assert [one.bundle for one in transformer.ranker.asked] == [new.id, live.id]

        def refuse_all(request) -> None:
            raise UnknownBundleError("none is here")

        transformer.ranker.fault = refuse_all
        page = await transformer.page(busiest)
        assert (page.degraded_by, page.bundle) == ((Cause.BUNDLE_MISMATCH,), new.id)

    run(look())


def test_what_a_history_holds_beyond_the_bundle_is_ignored_and_counted(
    make, run, busiest, live
) -> None:
    async def look() -> None:
        transformer = make()
        await transformer.page(busiest)
        usual = transformer.count("shortlist_ignored_total", what="duplicate_video")
        before = History.unpack(transformer.store.histories[busiest])
        odd = dataclasses.replace(
            before,
            video=np.append(before.video, [10**12, before.video[-1], live.ids[0]]),
            kind=np.append(before.kind, [CLICK, before.kind[-1], CLICK]).astype(np.uint8),
            at=np.append(before.at, [before.at[-1], before.at[-1], 4_000_000_000]),
        )
        transformer.store.histories[busiest] = odd.pack()
        page = await transformer.page(busiest)
        assert (len(page.videos), page.degraded) == (10, False)
        assert transformer.count("shortlist_ignored_total", what="unknown_video") == 1
        repeated = transformer.count("shortlist_ignored_total", what="duplicate_video")
        assert repeated == 2 * usual + 1

    run(look())


def test_requests_of_one_body_are_answered_in_order(make, run, users) -> None:
    async def look() -> None:
        transformer = make()
        asked = [RecommendRequest(user_id=user, page_size=3) for user in list(users)[:4]]
        pages = await transformer.recommender.pages(asked)
        assert [page.user_id for page in pages] == [one.user_id for one in asked]
        assert len({page.request_id for page in pages}) == 4

    run(look())


def test_while_its_queue_stands_a_process_makes_no_pages(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        asked = [RecommendRequest(user_id=busiest, page_size=3)]
        for now in (0.0, STANDING_SECONDS):
            transformer.pulse.beat(late=1.0, now=now)
        with pytest.raises(OverloadedError, match="does not keep up"):
            await transformer.recommender.pages(asked)
        transformer.pulse.beat(late=0.0, now=1.0)
        assert len(await transformer.recommender.pages(asked)) == 1

    run(look())


def test_pages_of_one_body_and_one_session_know_of_each_other(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make()
        body = [RecommendRequest(user_id=busiest, session_id="s", page_size=5)] * 3
        pages = await transformer.recommender.pages(body)
        shown = [video.video_id for page in pages for video in page.videos]
        assert len(set(shown)) == len(shown) == 15
        places = [video.position for page in pages for video in page.videos]
        assert places == list(range(15))

    run(look())


def test_the_store_has_no_more_time_than_the_page(make, run, busiest) -> None:
    async def look() -> None:
        transformer = make(budget_ms=80.0, reserve_ms=30.0)
        await transformer.page(busiest)
        assert transformer.store.allowed_ms is not None
        assert 0 < transformer.store.allowed_ms <= 50

    run(look())


def test_who_asks_for_more_than_is_made_at_once_is_refused_and_the_others_are_not(
    make, run, busiest
) -> None:
    async def look() -> None:
        transformer = make(pages_at_once=2)
        body = [RecommendRequest(user_id=busiest, page_size=3)] * 16
        told = await asyncio.gather(
            *(transformer.recommender.pages(body) for _ in range(3)), return_exceptions=True
        )
        assert [len(one) for one in told[:2]] == [16, 16]
        assert isinstance(told[2], OverloadedError)
        assert str(told[2]) == "2 pages are being made, 2 are the most"
        # Those who were refused, or whose page failed, take nobody's place.
        transformer.bundles._current = None
        with pytest.raises(NotReadyError):
            await transformer.recommender.pages(body)
        assert transformer.recommender._making == 0

    run(look())


def test_without_a_bundle_nothing_is_promised(make, run) -> None:
    async def look() -> None:
        transformer = make()
        transformer.bundles._current = None
        with pytest.raises(NotReadyError, match="no bundle is loaded yet"):
            await transformer.page(1)

    run(look())
