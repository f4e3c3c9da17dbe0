"""The transformer as a process, between a real Redis and a predictor, with real faults."""

import http.client
import random
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from running import KEY, Running, wait_for  # type: ignore[import-not-found]

NEWCOMER = 77


def ids(page) -> list[int]:
    return [video["video_id"] for video in page["videos"]]


@pytest.fixture(scope="module")
def running(trained, tmp_path_factory) -> Iterator[Running]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; install Debian's redis-server")
    scratch = tmp_path_factory.mktemp("running")
    with Running(trained.settings.paths.bundles, scratch) as service:
        yield service


def test_a_page_by_both_protocols(running, trained) -> None:
    page = running.page(NEWCOMER)
    assert (page["degraded"], page["bundle"], len(ids(page))) == (False, trained.bundle.id, 10)
    body = {
        "id": "mine",
        "inputs": [{"name": "user_id", "shape": [2], "datatype": "INT64", "data": [1, 2]}],
    }
    reply = running.ask("POST", "/v2/models/shortlist/infer", body)
    assert (reply.status, reply.body["id"], len(reply.body["outputs"][0]["data"])) == (
        200,
        "mine",
        2,
    )


def test_an_event_changes_the_next_page_and_counts_once(running) -> None:
    first = running.page(NEWCOMER, session_id="e")
    liked = first["videos"][0]["video_id"]
    event = {
        "event_id": "one",
        "user_id": NEWCOMER,
        "video_id": liked,
        "kind": "like",
        "at": time.time(),
        "request_id": first["request_id"],
    }
    unknown = event | {"event_id": "two", "video_id": 10**15}
    statuses = [one["status"] for one in running.report(event, unknown).body["events"]]
    assert statuses == ["accepted", "unknown_video"]
    assert running.report(event).body["events"][0]["status"] == "duplicate"
    history = running.ask("GET", f"/v1/users/{NEWCOMER}/history").body
    assert [(one["video_id"], one["kind"]) for one in history["events"]] == [(liked, "like")]
    second = running.page(NEWCOMER, session_id="e")
    assert not set(ids(first)) & set(ids(second))
    forgotten = running.ask("POST", f"/v1/users/{NEWCOMER}/forget")
    assert forgotten.body == {"user_id": NEWCOMER, "forgotten": True}
    assert running.ask("GET", f"/v1/users/{NEWCOMER}/history").body["events"] == []


def test_a_takedown_is_gone_from_the_next_page_on(running) -> None:
    video = running.page(78)["videos"][0]["video_id"]
    assert running.ask("POST", f"/v1/videos/{video}/takedown").body["taken_down"] is True
    assert video not in ids(running.page(78, session_id="other"))
    assert video not in ids(running.page(79))
    assert running.ask("DELETE", f"/v1/videos/{video}/takedown").body["taken_down"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/events"),
        ("POST", "/v1/videos/1/takedown"),
        ("DELETE", "/v1/videos/1/takedown"),
        ("POST", "/v1/users/1/forget"),
        ("GET", "/v1/users/1/history"),
    ],
)
def test_who_writes_gives_a_key(running, method, path) -> None:
    for key in (None, KEY + "x"):
        reply = running.ask(method, path, {"events": []}, key=key)
        assert (reply.status, reply.body["error"]["kind"]) == (401, "unauthorised")


@pytest.mark.parametrize(
    "path", ["/v2/repository/models/shortlist/unload", "/v1/models/shortlist:explain"]
)
def test_nobody_unloads_the_model(running, path) -> None:
    assert running.ask("POST", path, {}).status in (404, 405)
    assert running.get("/v1/models/shortlist").status == 200


def test_ten_thousand_malformed_bodies_are_refused_and_nothing_breaks(running) -> None:
    whole = b'{"instances": [{"user_id": 7, "page_size": 5, "context": {"wifi": 1}}]}'
    rng = random.Random(5)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    statuses: dict[int, int] = {}
    for _ in range(10_000):
        body = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(body))
            match rng.randrange(3):
                case 0:
                    body[place] = rng.randrange(256)
                case 1:
                    del body[place]
                case _:
                    body[place:place] = rng.choice([b"nan", b"-", b'"', b"[", b"1e400", b"\xff"])
        connection.request("POST", "/v1/models/shortlist:predict", bytes(body))
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    connection.close()
    assert set(statuses) <= {200, 400}
    assert statuses[400] > 8_000
    assert not running.page(7)["degraded"]


def test_redis_killed_is_a_page_all_the_same_and_comes_back(running) -> None:
    running.page(81, session_id="k")
    running.kill_redis()
    seen: set[int] = set()
    for _ in range(6):
        page = running.page(81, session_id="k", page_size=5)
        assert page["degraded_by"] in (["store_down"], ["store_slow"])
        assert not seen & set(ids(page))
        seen |= set(ids(page))
    event = {"event_id": "x", "user_id": 81, "video_id": min(seen), "kind": "click", "at": 1}
    assert running.report(event).status == 503
    assert running.get("/v2/health/live").status == 200
    assert running.get("/v2/health/ready").status == 200
    running.start_redis()
    running.whole_again(81)
    assert running.report(event).status == 200
    assert running.metric('shortlist_fallbacks_total{cause="store_') >= 6


def test_redis_paused_costs_its_timeout_a_few_times_alone(running) -> None:
    pid = running.redis_pid
    with running.paused(pid):
        pages = [running.page(82) for _ in range(8)]
    assert {cause for page in pages for cause in page["degraded_by"]} == {"store_slow"}
    waits = sorted(page["timings_ms"]["store"] for page in pages)
    assert waits[-1] >= 350  # its timeout was waited for, and most pages were spared that
    assert waits[3] < 350
    running.whole_again(82)


def test_a_predictor_killed_is_recalls_order_and_comes_back(running) -> None:
    running.end("predictor", signal.SIGKILL)
    for user in range(100, 106):
        page = running.page(user)
        assert page["degraded_by"] == ["predictor_down"]
        assert len(ids(page)) == 10
    running.start_predictor()
    wait_for(lambda: not running.page(199)["degraded"], 120)


def test_a_predictor_paused_is_waited_for_within_the_budget(running) -> None:
    with running.paused(running.pid("predictor")):
        pages = [running.page(user) for user in range(110, 116)]
    causes = [page["degraded_by"] for page in pages]
    assert causes == [["predictor_slow"]] * 6
    waited = [page["timings_ms"]["predictor"] > 1_000 for page in pages]
    assert waited[:3] == [True] * 3
    assert sum(waited) < 6
    running.whole_again(110)


@pytest.mark.parametrize("kind", ["not_ready", "over_budget", "internal", "malformed"])
def test_a_predictor_that_refuses_is_asked_again_at_once(running, kind) -> None:
    running.ask("POST", "/refuse", kind.encode(), port=running.predictor_port)
    assert running.page(120)["degraded_by"] == ["predictor_refused"]
    running.ask("POST", "/refuse", b"", port=running.predictor_port)
    assert not running.page(120)["degraded"]


def test_many_at_once_are_all_answered(running) -> None:
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(running.page, range(200, 260)))
    assert [page["user_id"] for page in pages] == list(range(200, 260))


def test_a_signal_ends_it_with_nothing_left_behind(running) -> None:
    page = running.page(300, session_id="last")
    assert running.end("transformer", signal.SIGTERM) == 0
    log = (running.scratch / "transformer.log").read_text()
    assert "Traceback" not in log
    running.start_transformer()
    assert not set(ids(running.page(300, session_id="last"))) & set(ids(page))
    assert running.metric("shortlist_log_lost_total") == 0
