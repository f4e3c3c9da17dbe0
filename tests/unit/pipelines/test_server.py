"""What is sent to a Kubeflow Pipelines server, seen by a small one that speaks its routes."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.placement import Placement
from pipelines.server import Server, ServerError
from shortlist.cli import main as cli
from shortlist.errors import InputError, RefusedError
from shortlist.settings import Settings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.steps.order import Order

SETTINGS = Settings(seed=5, pipeline=PipelineSettings(shards=3))
API = "/apis/v2beta1"


class Fake(ThreadingHTTPServer):
    """Remembers what it was asked, and knows one experiment after it was made."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens: set[str | None] = set()
        self.refusal: tuple[int, Any] | None = None
        self.refused = {f"{API}/runs"}

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def posted(self, route: str) -> list[Any]:
        return [body for verb, path, body in self.asked if (verb, path) == ("POST", API + route)]


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append((self.command, path, body))
        self.server.tokens.add(self.headers.get("Authorization"))
        status, answer = 200, self._found(path, body)
        if self.server.refusal is not None and path in self.server.refused:
            status, answer = self.server.refusal
        text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _found(self, path: str, body: Any) -> dict[str, Any]:
        experiment = {"experiment_id": "e-1", "display_name": "shortlist", "namespace": ""}
        if path == f"{API}/healthz":
            return {"multi_user": False}
        if path == f"{API}/experiments":
            made = bool(self.server.posted("/experiments"))
            return experiment if body else {"experiments": [experiment] if made else []}
        if path == f"{API}/runs":
            return {"run_id": "r-1", **body}
        if path == f"{API}/recurringruns":
            return {"recurring_run_id": "s-1", **body}
        return {}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.setenv("HOME", str(tmp_path))  # kfp's client keeps a file there.
    server = Fake()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_run_is_sent_whole_with_its_settings_key_and_shards(fake: Fake):
    placement = Placement(image="train:abc", volume="claim")
    assert Server(fake.host).submit(SETTINGS, placement, "shortlist") == "r-1"
    (run,) = fake.posted("/runs")
    order = Order.of(SETTINGS)
    assert run["experiment_id"] == "e-1"
    assert run["runtime_config"]["parameters"] == {
        "settings": order.settings,
        "key": order.key,
        "shards": [0, 1, 2],
    }
    assert run["display_name"].startswith(f"shortlist {order.key[:12]} 20")
    sent = run["pipeline_spec"]
    executors = sent["pipeline_spec"]["deploymentSpec"]["executors"]
    assert {one["container"]["image"] for one in executors.values()} == {"train:abc"}
    assert "kubernetes" in sent["platform_spec"]["platforms"]
    assert [body["display_name"] for body in fake.posted("/experiments")] == ["shortlist"]


def test_an_experiment_that_stands_is_found_again(fake: Fake):
    for _ in range(2):
        Server(fake.host).submit(SETTINGS, Placement(), "shortlist")
    assert len(fake.posted("/experiments")) == 1
    assert len(fake.posted("/runs")) == 2


def test_a_schedule_starts_one_run_at_a_time_and_none_for_missed_times(fake: Fake):
    made = Server(fake.host, token="t0ken").schedule(
        SETTINGS, Placement(), "shortlist", "30 3 * * *"
    )
    assert made == "s-1"
    (schedule,) = fake.posted("/recurringruns")
    assert schedule["trigger"] == {"cron_schedule": {"cron": "0 30 3 * * *"}}
    assert schedule["max_concurrency"] == 1
    assert schedule["no_catchup"] is True
    assert schedule["mode"] == "ENABLE"
    assert schedule["experiment_id"] == "e-1"
    parameters = schedule["runtime_config"]["parameters"]
    assert parameters["key"] == Order.of(SETTINGS).key
    assert schedule["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "shortlist"
    assert fake.tokens == {"Bearer t0ken"}


def test_the_verbs_send_what_the_command_line_says(fake: Fake, capsys: pytest.CaptureFixture[str]):
    common = ["--host", fake.host, "--image", "train:xyz", "--node", "pool=train"]
    chosen = ["--preset", "tiny", "--set", "seed=9", "--set", "pipeline.shards=2"]
    assert cli.run(["pipeline", "submit", *common, *chosen]) == 0
    assert cli.run(["pipeline", "schedule", *common, "--cron", "0 4 * * 1", *chosen]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"run r-1: {fake.host}/#/runs/details/r-1",
        "schedule s-1: 0 4 * * 1",
    ]
    for body in (*fake.posted("/runs"), *fake.posted("/recurringruns")):
        parameters = body["runtime_config"]["parameters"]
        assert parameters["shards"] == [0, 1]
        assert json.loads(parameters["settings"])["seed"] == 9
        assert "train:xyz" in json.dumps(body["pipeline_spec"])
        assert '"pool": "train"' in json.dumps(body["pipeline_spec"])


def test_a_server_that_cannot_be_reached_is_one_sentence(
    fake: Fake, capsys: pytest.CaptureFixture[str]
):
    assert cli.run(["pipeline", "submit", "--host", "http://127.0.0.1:1"]) == 69
    assert capsys.readouterr().err == (
        "error: no Kubeflow Pipelines server answers at http://127.0.0.1:1; is it running, and is "
        "its port forwarded? (kubectl port-forward -n kubeflow svc/ml-pipeline 8888)\n"
    )


@pytest.mark.parametrize("route", ["/healthz", "/runs"])
@pytest.mark.parametrize(
    ("status", "family", "said"),
    [
        (400, RefusedError, "answered 400: Invalid pipeline spec"),
        (401, RefusedError, "answered 401"),
        (500, ServerError, "answered 500"),
    ],
)
def test_what_a_server_answers_is_passed_on_at_once(
    fake: Fake, route: str, status: int, family: type[Exception], said: str
):
    fake.refusal, fake.refused = (status, {"message": "Invalid pipeline spec"}), {API + route}
    with pytest.raises(family, match=said):
        Server(fake.host).submit(SETTINGS, Placement(), "shortlist")


@pytest.mark.parametrize("answer", [{}, "<html></html>"])
def test_a_server_of_something_else_is_one_sentence(fake: Fake, answer: Any):
    fake.refusal, fake.refused = (200, answer), {f"{API}/runs", f"{API}/healthz"}
    with pytest.raises(ServerError, match="is no Kubeflow Pipelines server"):
        Server(fake.host).submit(SETTINGS, Placement(), "shortlist")


@pytest.mark.parametrize("host", ["localhost:8888", ""])
def test_a_host_without_its_protocol_is_refused(host: str):
    with pytest.raises(InputError, match="must begin with http"):
        Server(host).submit(SETTINGS, Placement(), "shortlist")


@pytest.mark.parametrize("cron", ["", "* * *", "0 0 0 * * * *"])
def test_a_cron_of_another_length_is_refused(cron: str):
    with pytest.raises(InputError, match="write minute, hour"):
        Server("http://nowhere").schedule(SETTINGS, Placement(), "shortlist", cron)
