"""The transformer as a process, between a real Redis and a predictor that refuses when told to."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from running import KEY, ids  # type: ignore[import-not-found]

NEWCOMER = 77


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
