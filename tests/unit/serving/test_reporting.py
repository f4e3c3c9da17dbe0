"""Events change histories, and vectors follow in the background."""

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from shortlist.datasets.events import Kind
from shortlist.online.packing import History, UserVector
from shortlist.serving.recommending import day_of
from shortlist.serving.reporting import Encoder, Reporter, history_answer
from shortlist.settings.serving import ServingSettings
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.events import Event

AT = 1_770_000_000.0


def event(number: int, user: int, video: int, kind: str = "like", **more) -> Event:
    return Event(event_id=f"e{number}", user_id=user, video_id=video, kind=kind, at=AT, **more)


def reporting(transformer, most: int = 10) -> tuple[Reporter, Encoder]:
    serving = ServingSettings(clock="bundle")
    encoder = Encoder(
        transformer.bundles,
        transformer.store,
        most,
        transformer.metrics,
        lambda live, state: (state, day_of(serving, live, state, 0.0)),
    )
    store, metrics = transformer.store, transformer.metrics
    return Reporter(transformer.bundles, store, encoder, metrics), encoder


async def settled(done) -> None:
    for _ in range(200):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never settled")


def test_an_event_is_entered_once_and_of_unknown_videos_none(make, run, live) -> None:
    async def look() -> None:
        transformer = make()
        reporter, encoder = reporting(transformer)
        known = int(live.ids[3])
        told = [event(1, 10**9, known), event(2, 10**9, 5), event(1, 10**9, known)]
        receipts = [one.value for one in await reporter.report(told)]
        assert receipts == ["accepted", "unknown_video", "duplicate"]
        history = History.unpack(transformer.store.histories[10**9])
        answer = history_answer(10**9, history)
        assert [(one.video_id, one.kind, one.at) for one in answer.events] == [(known, "like", AT)]
        count = transformer.count("shortlist_events_total", kind="like", status="accepted")
        assert count == 1
        await encoder.close()

    run(look())


@pytest.mark.parametrize(
    ("kind", "seconds", "made"),
    [
        ("impression", None, Kind.SHOWN),
        ("click", None, Kind.CLICK),
        ("skip", None, Kind.SKIP),
        ("watch", 1.0, Kind.SKIP),
        ("watch", 5_000.0, Kind.LONG_VIEW),
    ],
)
def test_what_was_done_becomes_a_kind_of_the_history(make, run, live, kind, seconds, made) -> None:
    async def look() -> None:
        transformer = make()
        reporter, encoder = reporting(transformer)
        more = {} if seconds is None else {"watch_seconds": seconds}
        await reporter.report([event(1, 10**9, int(live.ids[0]), kind, **more)])
        assert History.unpack(transformer.store.histories[10**9]).kind.tolist() == [made]
        # A bare impression leaves the vector as it is.
        assert (encoder._task is None) is (kind == "impression")
        await encoder.close()

    run(look())


def test_the_vector_follows_the_event_before_the_user_asks(make, run, live, busiest) -> None:
    async def look() -> None:
        transformer = make()
        await transformer.page(busiest)
        reporter, encoder = reporting(transformer)
        before = UserVector.unpack(transformer.store.vectors[busiest])
        await reporter.report([event(1, busiest, int(live.ids[0]))])

        def followed() -> bool:
            return UserVector.unpack(transformer.store.vectors[busiest]).version > before.version

        await settled(followed)
        kept = transformer.count("shortlist_user_vectors_total", how="kept")
        await transformer.page(busiest)
        assert transformer.count("shortlist_user_vectors_total", how="kept") == kept + 1
        await encoder.close()

    run(look())


def test_a_user_who_cannot_be_encoded_stops_nobody_else(run) -> None:
    class Surprising:
        async def fetch(self, user: int) -> None:
            asked.append(user)
            if user == 1:
                raise ZeroDivisionError

    async def look() -> None:
        metrics = ServingMetrics(CollectorRegistry())
        bundles = SimpleNamespace(current=None)
        encoder = Encoder(bundles, Surprising(), 10, metrics, lambda live, state: (state, 0.0))
        encoder.add(1)
        encoder.add(2)
        await settled(lambda: asked == [1, 2])
        count = metrics.registry.get_sample_value
        assert count("shortlist_user_vectors_total", {"how": "dropped"}) == 1
        assert count("shortlist_task_failures_total", {"task": "encoder"}) == 1
        await encoder.close()

    asked: list[int] = []
    run(look())


def test_more_than_may_wait_are_left_to_the_next_page(make, run, live, users) -> None:
    async def look() -> None:
        transformer = make()
        reporter, encoder = reporting(transformer, most=3)
        video = int(live.ids[0])
        told = [event(n, user, video) for n, user in enumerate(list(users)[:8])]
        assert len(await reporter.report(told)) == 8
        assert transformer.count("shortlist_user_vectors_total", how="dropped") == 5
        await settled(lambda: len(transformer.store.vectors) == 3)
        await encoder.close()

    run(look())
