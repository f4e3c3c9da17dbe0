"""The routes around a service that is not there: who may ask, what is logged, what is told."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.testclient import TestClient

from model_handlers.transformer.model import ShortlistModel
from model_handlers.transformer.routes import Routes
from model_handlers.transformer.server import _config, application
from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.schema import VIDEOS
from shortlist.errors import UnavailableError
from shortlist.online.packing import History
from shortlist.serving.callers import Callers
from shortlist.settings import Settings
from shortlist.settings.serving import ServingSettings
from shortlist.settings.telemetry import TelemetrySettings
from shortlist.telemetry.current import current
from shortlist.telemetry.logs import configure
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.recommend import V1_PATH, Page
from shortlist.wire.tensors import V2_PATH
from shortlist.wire.videos import VIDEOS_PATH, VideoCard, videos_from_body

KEY = "a-key-for-the-tests"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
REDIS = "Redis at redis://store.internal:6379/0 cannot be reached; set online.url"
LARGE = 2**63 - 1
HISTORY = "/v1/users/7/history"


def catalogue() -> Catalogue:
    one = {"title": "Whisk", "tags": ["baking"], "creator_id": 2, "duration_seconds": 12.0}
    rows = [{"video_id": video, "language": "en", **one} for video in (5, LARGE)]
    return Catalogue.from_table(pa.Table.from_pylist(rows, VIDEOS))


class Service:
    """As much of one as routes ask for; away where ``fault`` is set."""

    def __init__(self, **settings: object) -> None:
        self.callers = Callers(ServingSettings(keys=f"tests:{KEY}", **settings))
        parts = SimpleNamespace(parts=SimpleNamespace(catalogue=catalogue()))
        self.bundles = SimpleNamespace(current=SimpleNamespace(parts=parts))
        self.recommender = self.store = self
        self.fault: Exception | None = None
        self.asked: list[object] = []
        self.metrics = ServingMetrics(CollectorRegistry())

    def why_not_ready(self) -> None:
        return None

    async def pages(self, requests, trace):
        self.asked.append((trace, current()))
        if self.fault is not None:
            raise self.fault
        return [
            Page(one.user_id, f"page-{at}", "b", False, (), (), None, {})
            for at, one in enumerate(requests)
        ]

    async def history(self, user):
        if self.fault is not None:
            raise self.fault
        return History.none()

    async def take_down(self, video):
        if self.fault is not None:
            raise self.fault

    restore = take_down

    def client(self) -> TestClient:
        routes = Routes(ShortlistModel(self), self, self.metrics).all()  # type: ignore[arg-type]
        return TestClient(Starlette(routes=routes), headers={"authorization": f"Bearer {KEY}"})

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    yield io.BytesIO()
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.BytesIO) -> list[dict]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["logger"].startswith("model_handlers")]


def test_at_info_every_request_leaves_one_line_with_its_ids(stream) -> None:
    configure(TelemetrySettings(log_level="info"), stream)
    client = Service().client()
    body = {"instances": [{"user_id": 7}, {"user_id": 8}]}
    assert client.post(V1_PATH, json=body, headers={**TRACED, "x-request-id": "r-1"}).is_success
    assert client.post(V1_PATH, content=b"{", headers=TRACED).status_code == 400
    made, refused = lines(stream)
    assert made.pop("milliseconds") >= 0
    assert made.pop("at")
    assert made == {
        "message": "a request was answered",
        "logger": "model_handlers.transformer.routes",
        "level": "info",
        "route": f"POST {V1_PATH}",
        "status": 200,
        "pages": ["page-0", "page-1"],
        "request_id": "r-1",
        "trace_id": TRACE,
    }
    assert (refused["status"], refused["trace_id"]) == (400, TRACE)
    assert refused["request_id"] not in ("", SPAN)


@pytest.mark.parametrize("named", ["", "x" * 129, "\u00e9", "a\tb"])
def test_a_name_that_is_none_is_replaced_by_ours(stream, named) -> None:
    configure(TelemetrySettings(log_level="info"), stream)
    headers = {"x-request-id": named.encode("latin-1")}
    Service().client().get(HISTORY, headers=headers)
    (line,) = lines(stream)
    assert len(line["request_id"]) == 16
    assert len(line["trace_id"]) == 32


def test_by_default_a_request_leaves_no_line(stream) -> None:
    configure(TelemetrySettings(), stream)
    client = Service().client()
    assert client.post(V1_PATH, json={"instances": [{"user_id": 7}]}, headers=TRACED).is_success
    assert client.post(V1_PATH, content=b"{").status_code == 400
    assert stream.getvalue() == b""


def test_a_request_that_fails_is_logged_with_its_ids(stream) -> None:
    configure(TelemetrySettings(), stream)
    service = Service()
    service.fault = ZeroDivisionError("secret")
    headers = {**TRACED, "x-request-id": "r-1"}
    answer = service.client().post(V2_PATH, json=v2(7), headers=headers)
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    (line,) = lines(stream)
    assert (line["message"], line["level"]) == ("a request failed", "error")
    assert (line["request_id"], line["trace_id"]) == ("r-1", TRACE)
    assert "ZeroDivisionError: secret" in line["exception"]


def test_redis_is_named_in_the_log_and_not_to_callers(stream) -> None:
    configure(TelemetrySettings(), stream)
    service = Service()
    service.fault = UnavailableError(REDIS)
    answer = service.client().get(HISTORY, headers=TRACED)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "unavailable")
    assert "store.internal" not in answer.text
    assert "online.url" not in answer.text
    (line,) = lines(stream)
    assert (line["reason"], line["kind"], line["trace_id"]) == (REDIS, "unavailable", TRACE)


def test_who_makes_a_page_knows_the_trace_with_its_state() -> None:
    service = Service()
    headers = [*TRACED.items(), ("tracestate", "other=2")]
    service.client().post(V1_PATH, json={"instances": [{"user_id": 7}]}, headers=headers)
    ((traceparent, asked),) = service.asked
    assert asked.trace.headers == {"traceparent": traceparent, "tracestate": "vendor=1,other=2"}
    assert asked.trace.trace_id == TRACE
    assert asked.trace.span_id != SPAN
    assert current() is None


def v2(*users: int) -> dict:
    tensor = {"name": "user_id", "shape": [len(users)], "datatype": "INT64", "data": users}
    return {"inputs": [tensor]}


def test_videos_come_in_the_order_asked_and_strangers_are_named() -> None:
    service = Service()
    answer = service.client().get(f"{VIDEOS_PATH}?ids={LARGE},9,5,{LARGE}")
    found = videos_from_body(answer.content)
    assert [video.video_id for video in found.videos] == [LARGE, 5]
    assert found.unknown == (9,)
    assert found.videos[1] == VideoCard(5, "Whisk", ("baking",), 2, 12.0, "en")
    route = f"GET {VIDEOS_PATH}"
    assert service.count("shortlist_requests_total", route=route, status="200") == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "ids"),
        ("?ids=", "ids"),
        ("?ids=1,,2", "ids[1]"),
        ("?ids=1,two", "ids[1]"),
        (f"?ids={2**63}", "ids[0]"),
        ("?ids=" + ",".join(map(str, range(51))), "ids"),
    ],
)
def test_ids_that_are_none_are_refused_by_name(query: str, field: str) -> None:
    answer = Service().client().get(VIDEOS_PATH + query)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_without_a_bundle_the_videos_are_not_ready() -> None:
    service = Service()
    service.bundles.current = None
    answer = service.client().get(f"{VIDEOS_PATH}?ids=1")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "not_ready")


def test_who_asks_for_videos_has_a_rate_too() -> None:
    service = Service(rate=0.001, rate_burst=2)
    client = service.client()
    statuses = [client.get(f"{VIDEOS_PATH}?ids=5").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert service.count("shortlist_rate_limited_total") == 1


def test_takedowns_and_restores_are_counted_where_they_were_done() -> None:
    service = Service()
    client = service.client()
    assert client.post("/v1/videos/5/takedown").is_success
    assert client.post("/v1/videos/6/takedown").is_success
    assert client.delete("/v1/videos/5/takedown").is_success
    service.fault = UnavailableError(REDIS)
    assert client.post("/v1/videos/7/takedown").status_code == 503
    assert service.count("shortlist_takedowns_total", what="taken_down") == 2
    assert service.count("shortlist_takedowns_total", what="restored") == 1


def test_metrics_that_cannot_be_told_are_refused_in_our_form_and_counted(monkeypatch) -> None:
    def fail(_: str | None) -> None:
        raise ZeroDivisionError("secret")

    service = Service()
    monkeypatch.setattr(service.metrics, "exposition", fail)
    answer = service.client().get("/metrics")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "internal")
    assert "secret" not in answer.text
    assert service.count("shortlist_errors_total", kind="internal") == 1


def test_a_caller_is_where_he_calls_from_whatever_he_says() -> None:
    async def front(scope, receive, send) -> None:
        told.append(scope["client"])

    told: list[tuple[str, int]] = []
    config = _config(front, Settings())  # type: ignore[arg-type]
    config.load()
    headers = [(b"x-forwarded-for", b"192.0.2.7")]
    scope = {"type": "http", "client": ("127.0.0.1", 9), "headers": headers, "scheme": "http"}
    asyncio.run(config.loaded_app(scope, None, None))  # type: ignore[arg-type]
    assert told == [("127.0.0.1", 9)]


@pytest.fixture(scope="module")
def served() -> TestClient:
    service = Service()
    return TestClient(application(service, service.metrics))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "allow"),
    [
        ("GET", "/nowhere", 404, "unknown", None),
        ("POST", "/v1/users/7", 404, "unknown", None),
        ("GET", "/feed/nothing.js", 404, "unknown", None),
        ("GET", "/v1/events", 405, "wrong_method", "POST"),
        ("PUT", HISTORY, 405, "wrong_method", "GET"),
        ("POST", "/v2/health/live", 405, "wrong_method", "GET"),
    ],
)
def test_what_no_route_takes_is_refused_in_the_same_form(
    served, method, path, status, kind, allow
) -> None:
    answer = served.request(method, path)
    assert answer.status_code == status
    assert (allow is None) or allow in answer.headers["allow"].split(", ")
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"kind", "message"}
    assert answer.json()["error"]["kind"] == kind


def test_every_route_says_what_it_gives(served) -> None:
    told = served.get("/openapi.json").json()["paths"]
    given = {
        f"{method} {path}": kind["schema"]
        for path, methods in told.items()
        for method, operation in methods.items()
        for kind in operation["responses"]["200"]["content"].values()
    }
    assert [name for name, schema in given.items() if not schema] == []
    assert set(given) >= {"get /v1/models", "get /v2/models/{model_name}", "get /metrics"}


def test_the_model_describes_the_tensors_that_it_takes_and_gives(served) -> None:
    told = served.get("/v2/models/shortlist").json()
    kinds = {one["name"]: (one["datatype"], one["shape"]) for one in told["inputs"]}
    assert kinds.pop("user_id") == ("INT64", [-1])
    assert set(kinds) >= {"context", "page_size", "session_id"}
    assert set(map(str, kinds.values())) == {"('BYTES', [-1])"}
    assert told["outputs"] == [{"name": "page", "datatype": "BYTES", "shape": [-1]}]
    users = np.arange(3).tolist()
    (output,) = served.post(V2_PATH, json=v2(*users)).json()["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("page", "BYTES", [3])


def test_what_is_described_holds_the_route_of_videos(served) -> None:
    operation = served.get("/openapi.json").json()["paths"][VIDEOS_PATH]["get"]
    assert [one["name"] for one in operation["parameters"]] == ["ids"]
    assert {"200", "400", "429", "503"} <= set(operation["responses"])
