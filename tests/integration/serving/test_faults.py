"""Every fault of the design's table, done to the whole service: answered, named, counted, over."""

import http.client
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from running import KEY, ids, wait_for  # type: ignore[import-not-found]
from spoiling import BODIES, PATHS, UNKNOWN_VIDEO, spoilt  # type: ignore[import-not-found]
from whole import AHEAD_SECONDS, Whole  # type: ignore[import-not-found]

from shortlist.bundle import BundleStore
from shortlist.online.entries import ServedPage, unpack_entry
from shortlist.online.packing import Declared, UserVector

BUDGET_MS = 1_500.0
STORE_MS = 200.0
USER = 501


@pytest.fixture(scope="module")
def store(store, trained) -> BundleStore:
    """The later one is published after the earlier one."""
    store.publish(trained.bundle.id)
    return store


@pytest.fixture(scope="module")
def running(store, redis_server, tmp_path_factory) -> Iterator[Whole]:
    told = {"ONLINE__TIMEOUT_MS": f"{STORE_MS}", "SERVING__RESERVE_MS": "250"}
    scratch = tmp_path_factory.mktemp("whole")
    with Whole(store.root, scratch, told, budget_ms=BUDGET_MS) as service:
        service.whole(USER)
        yield service


@pytest.fixture(autouse=True)
def _over(running) -> Iterator[None]:
    """Whatever was done to the service, pages are whole again within ten seconds."""
    yield
    running.whole(USER)


def fallbacks(*causes: str) -> list[str]:
    return [f'shortlist_fallbacks_total{{cause="{cause}"}}' for cause in causes]


def degraded(running, count: int, *causes: str) -> list[dict]:
    """So many pages of a session, each full, in time and degraded by one of these alone."""
    before = sum(map(running.metric, fallbacks(*causes)))
    told = running.metric('shortlist_pages_total{degraded="true"')
    pages = [running.page(USER, page_size=5) for _ in range(count)]
    assert {tuple(page["degraded_by"]) for page in pages} <= {(cause,) for cause in causes}
    assert all(page["degraded"] and len(page["videos"]) == 5 for page in pages)
    assert all(page["timings_ms"]["total"] < BUDGET_MS for page in pages)
    assert sum(map(running.metric, fallbacks(*causes))) == before + count
    assert running.metric('shortlist_pages_total{degraded="true"') == told + count
    return pages


def alive(running) -> None:
    """Liveness and readiness hang on neither Redis nor predictor."""
    assert running.get("/v2/health/live").status == 200
    assert running.get("/v2/health/ready").status == 200


def test_redis_killed(running) -> None:
    shown = running.whole(USER, session_id="killed", page_size=5)
    event = {"event_id": "k", "user_id": USER, "video_id": ids(shown)[0], "kind": "click", "at": 1}
    with running.redis_killed():
        degraded(running, 5, "store_down", "store_slow")
        alive(running)
        # What the session has shown is known for as long as it was not written.
        refused = running.report(event)
        assert (refused.status, refused.body["error"]["kind"]) == (503, "unavailable")
    running.whole(USER)
    assert running.report(event).body["events"][0]["status"] == "accepted"


def test_redis_paused(running) -> None:
    with running.paused(running.redis_pid):
        pages = degraded(running, 8, "store_slow")
        alive(running)
    waits = sorted(page["timings_ms"]["store"] for page in pages)
    assert waits[-1] >= STORE_MS * 0.9
    assert waits[3] < STORE_MS * 0.9  # after three in a row most requests do not even ask


def test_redis_slow(running) -> None:
    with running.redis_door.slow(4 * STORE_MS / 1e3):
        degraded(running, 6, "store_slow")


def test_redis_refusing(running) -> None:
    with running.redis_door.shut():
        degraded(running, 6, "store_down")


def test_redis_that_comes_back_empty_forgets_no_takedown(running) -> None:
    video = ids(running.whole(USER))[0]
    with running.taken_down(video):
        with running.redis_killed():
            shutil.rmtree(running.scratch / "redis")
        assert video not in ids(running.whole(USER))
        again = running.in_store(lambda store: store.refresh_blocklist())
        assert again.video.tolist() == [video]


def test_predictor_slow(running) -> None:
    with running.predictor_door.slow(2 * BUDGET_MS / 1e3):
        pages = degraded(running, 5, "predictor_slow")
    waited = [page["timings_ms"]["predictor"] > 500 for page in pages]
    assert waited[:3] == [True] * 3  # what is left of the budget, and no more than that
    assert not all(waited)


def test_predictor_paused(running) -> None:
    with running.predictor_paused():
        degraded(running, 4, "predictor_slow")
        alive(running)


def test_predictor_refusing(running) -> None:
    with running.predictor_door.shut():
        degraded(running, 6, "predictor_down")
        alive(running)


def test_predictor_gone_with_a_request_in_flight_costs_one_more_try_and_no_page(running) -> None:
    with running.counting("shortlist_predictor_retries_total"):
        running.predictor_door.cut()
        assert not running.page(USER)["degraded"]


def test_a_predictors_worker_killed(running) -> None:
    (worker,) = running.worker_pids()
    os.kill(worker, signal.SIGKILL)
    causes = Counter[str]()
    ends = time.monotonic() + 60
    while True:
        page = running.page(USER)
        causes.update(page["degraded_by"])
        if causes and not page["degraded"]:
            break
        assert time.monotonic() < ends, causes
        time.sleep(0.05)
    assert set(causes) <= {"predictor_refused", "predictor_slow", "predictor_down"}
    assert running.worker_pids() != [worker]


def test_predictor_killed(running) -> None:
    with running.predictor_killed():
        degraded(running, 6, "predictor_down")
        alive(running)


def test_both_away_at_once(running) -> None:
    with ExitStack() as stack:
        for door in (running.redis_door, running.predictor_door):
            stack.enter_context(door.shut())
        for _ in range(4):
            page = running.page(USER)
            assert page["degraded_by"] == ["store_down", "predictor_down"]
            assert len(ids(page)) == 10


def test_a_clients_clock_that_is_wrong(running) -> None:
    videos = ids(running.whole(USER))
    began = time.time()
    events = [
        {"event_id": f"s{place}", "user_id": 601, "video_id": video, "kind": "click", "at": at}
        for place, (video, at) in enumerate(
            zip(videos, (began + 7_200, began - 7_200, began), strict=False)
        )
    ]
    told = [one["status"] for one in running.report(*events).body["events"]]
    assert told == ["accepted"] * 3
    kept = running.ask("GET", "/v1/users/601/history").body["events"]
    by_video = {one["video_id"]: one["at"] for one in kept}
    # What comes from the future happened when it arrived.
    assert began - 1 <= by_video[videos[0]] <= time.time()
    assert by_video[videos[1]] == pytest.approx(began - 7_200, abs=1)
    assert not set(videos[:3]) & set(ids(running.whole(601)))


def test_another_servers_clock_that_is_ahead(running) -> None:
    (video, *_) = ids(running.whole(USER))
    ahead = int(time.time()) + 7_200
    running.enter(602, [video], at=ahead)
    with running.counting('shortlist_ignored_total{what="future_event"}'):
        page = running.whole(602)
    assert video not in ids(page)


def test_a_predictors_clock_that_is_ahead(running) -> None:
    """It is all along; were it asked, the budget would be spent and ages would be wrong."""
    (pid,) = running.worker_pids()
    assert running.ahead(pid) == pytest.approx(AHEAD_SECONDS, abs=1)
    page = running.whole(603)
    assert page["degraded_by"] == []
    assert {"predictor_encode", "predictor_prerank", "predictor_rank"} <= set(page["timings_ms"])


def test_an_unknown_user(running) -> None:
    with running.counting(*fallbacks("unknown_user")):
        page = running.whole(10**12 + 1)
    assert len(ids(page)) == 10
    assert any("popularity" in video["source"] for video in page["videos"])
    other = running.whole(10**12 + 2, context={"wifi": 1.0, "monday": 1.0})
    assert len(ids(other)) == 10


def test_an_empty_history(running, trained) -> None:
    interest = trained.view.catalogue.tag_names[0]

    async def declared(store) -> None:
        said = Declared(interests=(interest,)).pack()
        await store.client.run([("SET", store.keys.declared(604), said)])

    running.in_store(declared)
    with running.counting(*fallbacks("empty_history")):
        assert len(ids(running.whole(604))) == 10


def test_unknown_videos_and_repeated_ones_in_a_history(running) -> None:
    video, other, *_ = ids(running.whole(USER))
    running.enter(605, [video, UNKNOWN_VIDEO, video, other, -UNKNOWN_VIDEO])
    names = [f'shortlist_ignored_total{{what="{what}_video"}}' for what in ("unknown", "duplicate")]
    with running.counting(*names):
        page = running.whole(605, exclude=[other, other, UNKNOWN_VIDEO])
    assert not {video, other} & set(ids(page))
    assert len(set(ids(page))) == 10


def test_a_planned_page_stands_in_the_log_as_it_was_sent(running) -> None:
    first = running.whole(608, session_id="planned", page_size=5)
    with running.counting('shortlist_cache_lookups_total{cache="plan",result="hit"}'):
        page = running.whole(608, session_id="planned", page_size=5)
    assert "recall" not in page["timings_ms"]
    assert not set(ids(first)) & set(ids(page))

    async def logged(store) -> dict[str, ServedPage]:
        (entries,) = await store.client.run(
            [("XRANGE", store.keys.log(store.keys.shard(608)), "-", "+")]
        )
        found = [unpack_entry(fields[b"e"]) for _, fields in entries]
        return {one.request_id: one for one in found if isinstance(one, ServedPage)}

    wait_for(lambda: page["request_id"] in running.in_store(logged), 10)
    entry = running.in_store(logged)[page["request_id"]]
    assert entry.video.tolist() == ids(page)
    assert entry.propensity.tolist() == [video["propensity"] for video in page["videos"]]
    assert [video["position"] for video in page["videos"]] == list(range(5, 10))
    assert entry.position.tolist() == list(range(5, 10))
    assert (entry.bundle, entry.session_id) == (page["bundle"], "planned")


def test_features_that_are_no_numbers(running) -> None:
    (video, *_) = ids(running.whole(USER))
    running.enter(606, [video])
    bundle = running.whole(606)["bundle"]
    # The page's own vector is written a moment after the page was sent.
    wait_for(lambda: running.in_store(lambda store: store.fetch(606)).vector is not None)
    vector = UserVector(bundle, 1, np.full(5, np.nan, np.float32))
    running.in_store(lambda store: store.keep_vector(606, vector, made=time.time()))
    with running.counting('shortlist_ignored_total{what="not_finite"}'):
        page = running.whole(606)
    assert all(np.isfinite(video["score"]) for video in page["videos"])
    for wrong in ("NaN", "Infinity", "1e999"):
        body = f'{{"instances": [{{"user_id": 1, "context": {{"wifi": {wrong}}}}}]}}'.encode()
        reply = running.ask("POST", PATHS[0], body)
        assert (reply.status, reply.body["error"]["kind"]) == (400, "malformed")


def test_a_history_that_cannot_be_read_and_the_next_event_mends_it(running) -> None:
    (video, *_) = ids(running.whole(USER))

    async def spoil(store) -> None:
        await store.client.run([("SET", store.keys.history(607), b"\x01torn")])

    running.in_store(spoil)
    with running.counting(*fallbacks("bad_features")):
        page = running.page(607)
    assert (page["degraded_by"], len(ids(page))) == (["bad_features"], 10)
    event = {"user_id": 607, "video_id": video, "kind": "like", "at": time.time()}
    assert running.report(event | {"event_id": "mend"}).status == 200
    assert video not in ids(running.whole(607))


def test_a_video_taken_down_is_gone_from_the_next_page_on(running) -> None:
    page = running.whole(608, session_id="down", page_size=5)
    video = ids(page)[0]
    counted = [f'shortlist_takedowns_total{{what="{what}"}}' for what in ("taken_down", "restored")]
    with running.counting(*counted), running.taken_down(video):
        for user in (608, 609):
            assert video not in ids(running.whole(user, session_id="another"))
        # Also while Redis is away, and from lists that were ranked before.
        later = ids(running.whole(608, session_id="down", page_size=5))
        assert video not in later
        with running.redis_door.shut():
            assert all(video not in ids(running.page(610)) for _ in range(3))
    assert len(running.in_store(lambda store: store.refresh_blocklist())) == 0


@pytest.mark.parametrize("fault", ["torn", "foreign"])
def test_a_bundle_that_is_not_whole_is_refused_and_the_old_one_serves(
    running, store, trained, earlier, fault
) -> None:
    before = running.whole(USER)["bundle"]
    assert before == trained.bundle.id
    name = {"torn": "a" * 32, "foreign": "b" * 32}[fault]
    shutil.copytree(earlier.bundle.path, store.root / name)
    if fault == "torn":
        table = store.root / name / "ranker" / "items.npy"
        table.write_bytes(table.read_bytes()[:-2])
    pointer = store.pointer()
    try:
        with running.counting('shortlist_publications_total{outcome="refused"}'):
            # Nothing of ours publishes such a one; a disk or a copy by hand does.
            store.pointers.swap(pointer, pointer.published(name))
            wait_for(lambda: running.get("/v2/health/ready").body.get("refused"), 30)
        ready = running.get("/v2/health/ready")
        assert (ready.status, ready.body["bundle"], ready.body["wanted"]) == (200, before, name)
        assert name in ready.body["refused"]
        assert running.whole(USER)["bundle"] == before
    finally:
        store.pointers.swap(store.pointer(), pointer)
        shutil.rmtree(store.root / name)
    wait_for(lambda: running.get("/v2/health/ready").body.get("refused") is None, 30)


def test_ten_thousand_malformed_bodies(running) -> None:
    draw = random.Random(5)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    headers = {"authorization": f"Bearer {KEY}"}
    statuses, unnamed = Counter[int](), []
    before = running.metric('shortlist_errors_total{kind="malformed"}')
    for _ in range(10_000):
        at = draw.randrange(len(PATHS))
        body = spoilt(draw, BODIES[at])
        connection.request("POST", PATHS[at], body, headers)
        answer = connection.getresponse()
        told = answer.read()
        statuses[answer.status] += 1
        if answer.status == 400:
            error = json.loads(told)["error"]
            if not error.get("field") or not error["message"].startswith(error["field"]):
                unnamed.append((body, error))
    connection.close()
    assert set(statuses) <= {200, 400}, statuses
    assert statuses[400] > 8_000, statuses
    assert unnamed == []
    counted = running.metric('shortlist_errors_total{kind="malformed"}') - before
    assert counted == statuses[400]
    alive(running)
