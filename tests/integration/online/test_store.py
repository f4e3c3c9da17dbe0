"""The online store against a real Redis: one round trip, whole changes, bounded values."""

import asyncio
import itertools
import time

import numpy as np
import pytest

from shortlist.datasets.events import Kind
from shortlist.online.entries import Action, Event, ServedPage, kind_of
from shortlist.online.lists import StoredList
from shortlist.online.packing import UserVector, short_hash
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

from .conftest import ask

NOW = 1_800_000_000.0
BUNDLE = "0123456789abcdef" * 2


def event(
    name: str, action: Action = Action.CLICK, at: float = NOW, user: int = 5, video: int = 7
) -> Event:
    return Event(name, user, video, action, at, kind_of(action))


def page(request: str, videos: list[int], session: str = "s", at: float = NOW) -> ServedPage:
    count = len(videos)
    return ServedPage(
        request,
        5,
        at,
        np.array(videos),
        np.arange(count, dtype=np.int16),
        np.ones(count),
        np.zeros(count, np.bool_),
        BUNDLE,
        session,
    )


def ranked(version: int = 3, count: int = 100) -> StoredList:
    share = np.linspace(1, 0, count).astype(np.float32)
    return StoredList(
        BUNDLE, version, NOW, 9, np.arange(count), share, share, np.ones(count, np.uint8)
    )


def test_an_event_changes_what_the_next_page_reads(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        before = await store.fetch(5)
        assert not before.known
        assert before.history.version == 0
        assert await store.append([event("a")], now=NOW) == ["accepted"]
        after = (await store.fetch(5)).history
        assert (after.video.tolist(), after.kind.tolist()) == ([7], [Kind.CLICK])
        assert (after.at.tolist(), after.shown, after.clicked) == ([int(NOW)], 1, 1)
        assert after.version > 0

    ask(settings, work)


def test_an_event_sent_again_changes_nothing(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        sent = [event("a"), event("b", video=8)]
        await store.append(sent, now=NOW)
        first = await store.history(5)
        assert await store.append([*sent, event("c", video=9)], now=NOW) == [
            "duplicate",
            "duplicate",
            "accepted",
        ]
        assert await store.append([event("d"), event("d")], now=NOW) == ["accepted", "duplicate"]
        after = await store.history(5)
        assert after.video.tolist() == [7, 8, 9]
        assert after.shown == first.shown + 1
        assert await store.append([event("a", user=6)], now=NOW) == ["accepted"]

    ask(settings, work)


def test_what_comes_of_an_impression_raises_its_kind_as_the_dataset_counts_it(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        actions = [Action.IMPRESSION, Action.SKIP, Action.CLICK, Action.LIKE, Action.SKIP]
        versions, kinds = [], []
        for place, action in enumerate(actions):
            await store.append([event(f"e{place}", action, NOW + place)], now=NOW + 60)
            history = await store.history(5)
            versions.append(history.version)
            kinds.append(history.kind.tolist())
            assert len(history) == history.shown == 1
        assert kinds == [[0], [1], [2], [4], [4]]
        assert [b - a for a, b in itertools.pairwise(versions)] == [1, 1, 1, 0]
        assert (await store.history(5)).clicked == 1
        late = NOW + 25 * 3600
        await store.append([event("again", Action.IMPRESSION, late)], now=late)
        assert (await store.history(5)).kind.tolist() == [4, 0]

    ask(settings, work)


def test_a_bare_impression_leaves_stored_lists_good_and_an_outcome_does_not(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        await store.append([event("a")], now=NOW)
        version = (await store.history(5)).version
        await store.served(page("r", [1, 2]), ranked=ranked(version))
        await store.append([event("b", Action.IMPRESSION, video=1)], now=NOW)
        state = await store.fetch(5, "s")
        assert state.ranked is not None
        assert state.ranked.serves(BUNDLE, state.history.version, 9)
        await store.append([event("c", Action.SKIP, video=1)], now=NOW)
        state = await store.fetch(5, "s")
        assert state.ranked is not None
        assert not state.ranked.serves(BUNDLE, state.history.version, 9)
        assert not state.ranked.serves(BUNDLE[::-1], version, 9)

    ask(settings, work)


def test_events_stand_in_the_order_of_their_times_and_none_in_the_future(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        times = {"a": 50, "b": 10, "c": 70, "d": 10_000, "e": 30}
        for video, (name, back) in enumerate(times.items()):
            await store.append([event(name, at=NOW - 100 + back, video=video)], now=NOW)
        history = await store.history(5)
        assert history.video.tolist() == [1, 4, 0, 2, 3]
        assert history.at.tolist()[-1] == NOW

    ask(settings, work)


def test_a_history_is_bounded_and_its_tallies_are_not(settings: OnlineSettings) -> None:
    small = settings.model_copy(update={"history_events": 5, "event_ids": 3})

    async def work(store: OnlineStore) -> None:
        for video in range(8):
            await store.append([event(f"e{video}", video=video, at=NOW + video)], now=NOW + 9)
        history = await store.history(5)
        assert history.video.tolist() == [3, 4, 5, 6, 7]
        assert (history.shown, history.clicked) == (8, 8)
        assert await store.append([event("e7", video=7)], now=NOW) == ["duplicate"]

    ask(small, work)


def test_everything_expires(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        await store.append([event("a")], now=NOW)
        await store.served(
            page("r", [1]), ranked=ranked(), vector=UserVector(BUNDLE, 1, np.ones(4, np.float32))
        )
        keys = store.keys
        named = [keys.history(5), keys.vector(5), keys.event_ids(5), keys.sessions(5)]
        left = await store.client.run([("TTL", name) for name in named])
        days = 86_400
        for found, wanted in zip(left, (90 * days, days, 7 * days, 1_800), strict=True):
            assert wanted - 60 <= found <= wanted

    ask(settings, work)


def test_all_that_a_page_needs_comes_in_one_round_trip(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        await store.append([event("a")], now=NOW)
        await store.take_down(99)
        vector = UserVector(BUNDLE, 1, np.array([1, 2], np.float32))
        await store.served(page("r", [1, 2]), ranked=ranked(), vector=vector)
        await store.fetch(5, "s")
        before = store.client.round_trips
        state = await store.fetch(5, "s")
        assert store.client.round_trips == before + 1
        assert state.shown.tolist() == [1, 2]
        assert state.ranked is not None
        assert len(state.ranked) == 100
        assert state.vector is not None
        assert state.vector.vector.tolist() == [1.0, 2.0]
        assert 99 in state.blocked
        assert state.damaged == ()
        before = store.client.round_trips
        await store.append([event(f"m{n}", user=n) for n in range(20)], now=NOW)
        await store.served(page("q", [3]), vector=vector)
        assert store.client.round_trips == before + 2

    ask(settings, work)


def test_a_session_remembers_what_it_showed_once_each_and_in_order(
    settings: OnlineSettings,
) -> None:
    small = settings.model_copy(update={"session_videos": 4, "sessions": 2})

    async def work(store: OnlineStore) -> None:
        await store.served(page("r", [1, 2, 3]), ranked=ranked())
        await store.served(page("r", [1, 2, 3]))
        await store.served(page("q", [3, 4, 5]))
        state = await store.fetch(5, "s")
        assert state.shown.tolist() == [2, 3, 4, 5]
        # What it forgot counts all the same: places on further pages go on.
        assert state.shown_before == 1
        await store.served(page("p", [6, 7]))
        assert (await store.fetch(5, "s")).shown_before == 3
        assert state.ranked is not None
        assert (await store.fetch(5, "other")).shown.tolist() == []
        assert (await store.fetch(5, "other")).ranked is None
        for place, name in enumerate(("t", "u")):
            await store.served(page(name, [9], name, NOW + 1 + place))
        assert (await store.fetch(5, "s")).shown.tolist() == []
        assert (await store.fetch(5, "s")).ranked is None
        assert (await store.fetch(5, "u")).shown.tolist() == [9]

    ask(small, work)


def test_many_writers_at_once_lose_nothing(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        other = OnlineStore.connect(settings)
        try:
            await asyncio.gather(
                *(
                    (store if number % 2 else other).append(
                        [event(f"e{number % 60}", video=number % 60, at=NOW + number % 60)],
                        now=NOW + 100,
                    )
                    for number in range(120)
                )
            )
        finally:
            await other.close()
        history = await store.history(5)
        assert history.video.tolist() == list(range(60))
        assert history.shown == 60
        (logged,) = await store.client.run([("XLEN", store.keys.log(5))])
        assert logged == 60

    ask(settings, work)


def test_damaged_values_are_named_and_replaced(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        keys = store.keys
        await store.client.run(
            [
                ("SET", keys.history(5), b"\x09nonsense"),
                ("SET", keys.vector(5), b"\x01\x00"),
                ("SET", keys.declared(5), b""),
                ("SET", keys.event_ids(5), b"\x01abc"),
                # As versions wrote it that planned no pages.
                ("HSET", keys.sessions(5), b"l" + short_hash(""), b"\x01" + ranked().pack()[1:]),
            ]
        )
        state = await store.fetch(5)
        assert state.damaged == ("history", "features", "vector", "list")
        assert state.ranked is None
        assert len(state.history) == 0
        assert await store.append([event("a")], now=NOW) == ["accepted"]
        state = await store.fetch(5)
        assert "history" not in state.damaged
        assert len(state.history) == 1

    ask(settings, work)


def test_scripts_that_redis_has_lost_are_sent_again(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        await store.append([event("a")], now=NOW)
        await store.client.run([("SCRIPT", "FLUSH")])
        assert await store.append([event("b")], now=NOW) == ["accepted"]

    ask(settings, work)


def test_a_takedown_is_seen_by_every_process_on_its_next_request(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        other = OnlineStore.connect(settings)
        try:
            assert len((await other.fetch(1)).blocked) == 0
            await store.take_down(7)
            await store.take_down(9)
            assert (await other.fetch(1)).blocked.video.tolist() == [7, 9]
            await store.restore(7)
            assert (await other.fetch(1)).blocked.video.tolist() == [9]
            assert (await other.refresh_blocklist()).rows(np.array([3, 9])).tolist() == [1]
        finally:
            await other.close()

    ask(settings, work)


def test_what_was_taken_down_stays_down_when_redis_comes_back_empty(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        await store.take_down(7)
        await store.fetch(1)
        await store.client.run([("FLUSHALL",)])
        assert 7 in (await store.fetch(1)).blocked
        other = OnlineStore.connect(settings)
        try:
            assert 7 in (await other.fetch(1)).blocked
        finally:
            await other.close()

    ask(settings, work)


def test_forgetting_leaves_nothing_but_a_tombstone(settings: OnlineSettings) -> None:
    async def work(store: OnlineStore) -> None:
        other = event("z", user=5 + 256)  # The same part of the log.
        await store.append([event("a"), event("b", video=8), other], now=NOW)
        vector = UserVector(BUNDLE, 1, np.ones(4, np.float32))
        await store.served(page("r", [1]), ranked=ranked(), vector=vector)
        assert await store.forget(5, now=NOW) == 3
        assert not (await store.fetch(5, "s")).known
        found = await store.client.run([("EXISTS", *store.keys.of_user(5))])
        assert found == [0]
        (entries,) = await store.client.run([("XLEN", store.keys.log(5))])
        assert entries == 2
        assert len(await store.history(5 + 256)) == 1
        assert await store.append([event("a")], now=NOW) == ["accepted"]

    ask(settings, work)


def test_what_was_made_before_a_user_was_forgotten_is_written_no_more(
    settings: OnlineSettings,
) -> None:
    async def work(store: OnlineStore) -> None:
        vector = UserVector(BUNDLE, 1, np.ones(4, np.float32))
        await store.forget(5, now=NOW + 0.5)
        await store.served(page("r", [1], at=NOW + 0.25), ranked=ranked(), vector=vector)
        await store.keep_vector(5, vector, made=NOW + 0.25)
        assert await store.client.run([("EXISTS", *store.keys.of_user(5))]) == [0]
        assert await store.client.run([("XLEN", store.keys.log(5))]) == [1]
        # Who comes back in the same second is a newcomer.
        await store.served(page("q", [2], at=NOW + 0.75), vector=vector)
        state = await store.fetch(5, "s")
        assert state.shown.tolist() == [2]
        assert state.vector is not None

    ask(settings, work)


def test_the_log_is_bounded(settings: OnlineSettings) -> None:
    small = settings.model_copy(update={"log_entries": 256 * 150})

    async def work(store: OnlineStore) -> None:
        for low in range(0, 600, 100):
            some = [event(f"e{n}", video=n) for n in range(low, low + 100)]
            await store.append(some, now=NOW)
        (length,) = await store.client.run([("XLEN", store.keys.log(5))])
        # Redis drops whole nodes of a hundred entries.
        assert 150 <= length <= 250

    ask(small, work)


@pytest.mark.parametrize("count", [0, 1])
def test_no_events_are_no_round_trip(settings: OnlineSettings, count: int) -> None:
    async def work(store: OnlineStore) -> None:
        before = store.client.round_trips
        assert len(await store.append([event("a")] * count, now=time.time())) == count
        assert (store.client.round_trips > before) == bool(count)

    ask(settings, work)


def test_events_of_many_users_are_taken_though_a_page_would_not_wait_so_long(
    settings: OnlineSettings,
) -> None:
    hurried = settings.model_copy(update={"timeout_ms": 3.0})
    events = [event(f"e{user}", user=user) for user in range(500)]

    async def work(store: OnlineStore) -> None:
        before = store.client.round_trips
        assert set(await store.append(events, now=NOW)) == {"accepted"}
        assert store.client.round_trips - before >= 500 // 32
        assert set(await store.append(events, now=NOW)) == {"duplicate"}

    ask(settings, lambda store: store.append([event("first")], now=NOW))  # Scripts are known now.
    ask(hurried, work)
