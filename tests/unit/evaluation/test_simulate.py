"""The world's users, sent to a service, do what the truth says, and are counted by arm."""

import asyncio
import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest
from aiohttp import web
from scipy.special import expit

from shortlist.datasets.schema import CONTEXT_FEATURES
from shortlist.errors import RefusedError, UnavailableError
from shortlist.evaluation.crowd import Crowd, Viewer
from shortlist.evaluation.judge import sealed_truth
from shortlist.evaluation.simulate import Traffic, by_arm, simulate
from shortlist.online.embedded import free_port
from shortlist.world.context import context_at
from shortlist.world.law import tiredness


@pytest.fixture(scope="module")
def truth(trained):
    return sealed_truth(trained.dataset, trained.settings.paths.truth)


@pytest.fixture(scope="module")
def date(trained) -> dt.date:
    return trained.dataset.record.last_day + dt.timedelta(days=1)


def page_of(ids: Sequence[int], user: int = 1, first: int = 0, more: int | None = None) -> dict:
    videos = [
        {"video_id": int(one), "position": first + place, "propensity": 0.5}
        for place, one in enumerate(ids)
    ]
    return {
        "user_id": user,
        "request_id": "r",
        "degraded": False,
        "videos": videos,
        "next_page": more,
    }


class Service:
    """Gives pages in the order of ids, and notes what is told."""

    def __init__(self, ids: Sequence[int], key: str | None = None) -> None:
        self.ids, self.key = [int(one) for one in ids], key
        self.asked: list[dict] = []
        self.events: list[dict] = []

    async def page(self, request: web.Request) -> web.Response:
        (asked,) = (await request.json())["instances"]
        self.asked.append(asked)
        number, size = asked["page"], asked["page_size"]
        ids = self.ids[number * size : (number + 1) * size]
        made = page_of(ids, asked["user_id"], number * size, number + 1)
        return web.json_response({"predictions": [made]})

    async def told(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return web.json_response({}, status=401)
        self.events += (await request.json())["events"]
        return web.json_response({"events": []})


def sent(truth, date, service: Service, **traffic):
    async def run() -> list[Viewer]:
        app, port = web.Application(), free_port()
        app.router.add_post("/v1/models/{name}", service.page)
        app.router.add_post("/v1/events", service.told)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        told = {"key": None, "rate": 500.0, "sessions": 12, "seconds": 10.0, "seed": 3} | traffic
        try:
            return await simulate(truth, date, Traffic(f"http://127.0.0.1:{port}", **told))
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_a_visitor_tires_within_a_session_as_the_law_says(truth, date) -> None:
    law = truth.law
    crowd = Crowd(truth, date, 5, ("",), seed=1)
    session = int(np.argmax(crowd.sessions.length))
    visitor = crowd.visitor(session)
    length = visitor.left
    rows = np.argsort(law.videos.tag, kind="stable")[:length]  # Of one tag, mostly.
    expected = 0.0
    tired = tiredness(law.videos.tag[rows], truth.world.settings.recovery)
    assert tired.max() > 1
    for place, row in enumerate(rows):
        context = context_at(crowd.sessions.context[[session]], place)
        user, video = np.array([visitor.did.user]), np.array([row])
        logit = law.pairs(user, video, truth.day(date), context, tired[[place]])
        expected += float(expit(logit)[0])
    ids = law.videos.ids[rows]
    for low in range(0, length, 10):
        visitor.goes_through(page_of(ids[low : low + 10]), "run")
    assert visitor.did.seen == length
    assert visitor.did.value == pytest.approx(expected)


def test_what_is_told_is_what_was_done_and_the_same_by_the_same_seed(truth, date) -> None:
    ids = truth.law.videos.ids[:40]
    one, two = Service(ids), Service(ids)
    did = sent(truth, date, one)
    again = sent(truth, date, two)
    assert did == again
    kinds = [event["kind"] for event in one.events]
    seen = sum(viewer.seen for viewer in did)
    assert kinds.count("impression") == kinds.count("watch") == seen > 20
    assert kinds.count("click") == sum(viewer.clicks for viewer in did)
    assert kinds.count("skip") == sum(viewer.skips for viewer in did)
    watched = sum(event.get("watch_seconds", 0) for event in one.events)
    assert watched == pytest.approx(sum(viewer.watched for viewer in did))
    assert len({event["event_id"] for event in one.events}) == len(one.events)
    assert max(len(event["event_id"]) for event in one.events) <= 64


def test_sessions_ask_page_by_page_in_their_context_until_they_are_over(truth, date) -> None:
    service = Service(truth.law.videos.ids[:80])
    did = sent(truth, date, service)
    pages: dict[str, list[int]] = {}
    for asked in service.asked:
        pages.setdefault(asked["session_id"], []).append(asked["page"])
        assert set(asked["context"]) <= set(CONTEXT_FEATURES)
        assert ("first_of_session" in asked["context"]) == (asked["page"] == 0)
    assert all(numbers == list(range(len(numbers))) for numbers in pages.values())
    assert len(pages) == len(did) == 12
    crowd = Crowd(truth, date, 12, ("",), seed=3)
    assert [one.seen for one in did] == crowd.sessions.length[crowd.chosen].tolist()


def test_users_are_divided_by_experiment_keys(truth, date) -> None:
    service = Service(truth.law.videos.ids[:80])
    did = sent(truth, date, service, arms=("a", "b"))
    assert {one.arm for one in did} == {"a", "b"}
    arms = {(asked["user_id"], asked["experiment"]) for asked in service.asked}
    assert len(arms) == len({user for user, _ in arms})
    assert len({one.user: one.arm for one in did}) == len({(one.user, one.arm) for one in did})


def test_the_number_of_sessions_is_bounded_by_rate_and_time_too(truth, date) -> None:
    service = Service(truth.law.videos.ids[:20])
    assert len(sent(truth, date, service, rate=100.0, seconds=0.05)) == 5


def test_what_cannot_work_is_said(truth, date) -> None:
    with pytest.raises(RefusedError, match="video 7, which this world does not have"):
        sent(truth, date, Service([7] * 10))
    keyed = Service(truth.law.videos.ids[:20], key="right")
    with pytest.raises(RefusedError, match="give --key"):
        sent(truth, date, keyed)
    assert sent(truth, date, keyed, key="right")[0].seen > 0
    nobody = Traffic(f"http://127.0.0.1:{free_port()}", None, 100.0, 3, 1.0)
    with pytest.raises(UnavailableError, match="no page came from"):
        asyncio.run(simulate(truth, date, nobody))


def test_arms_are_means_per_video_over_users() -> None:
    did = [
        Viewer(1, "a", seen=10, clicks=5, skips=1, value=4.0, watched=100.0, pages=1),
        Viewer(1, "a", seen=10, clicks=1, skips=3, value=2.0, watched=60.0, pages=1, degraded=1),
        Viewer(2, "a", seen=20, clicks=4, skips=6, value=6.0, watched=40.0, pages=2, failed=1),
        Viewer(3, "b", seen=1, pages=1),
        Viewer(4, "b", seen=3, clicks=3, pages=1),
    ]
    figures = by_arm(did)
    a, b = figures["a"], figures["b"]
    assert (a.users, a.sessions, a.videos, a.pages, a.degraded, a.failed) == (2, 3, 40, 4, 1, 1)
    assert (a.value.value, a.click.value, a.skip.value, a.watched.value) == (0.3, 0.25, 0.25, 5.0)
    assert a.watched.low < 5 < a.watched.high
    assert (b.click.value, b.skip.value) == (0.75, 0)
    with pytest.raises(RefusedError, match="only 1 users saw something"):
        by_arm(did[:2])
