"""`shortlist up` with a real Redis, a real TorchServe and the transformer, broken and stopped."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis

from shortlist.online.embedded import free_port

START_SECONDS = 400.0
STOP_SECONDS = 120.0
PORTS = (
    "online.embedded_port",
    "serving.predictor_port",
    "serving.predictor_management_port",
    "serving.predictor_metrics_port",
    "serving.transformer_port",
)
# So that a machine on which much else runs answers too.
PATIENT = {
    "serving.budget_ms": 5_000,
    "serving.reserve_ms": 250,
    "serving.predictor_start_seconds": 240,
    "online.timeout_ms": 500,
}


def wait_for(holds: Callable[[], bool], seconds: float, what: str) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


@dataclass
class Up:
    """One `shortlist up`."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path
    ports: dict[str, int]
    family: set[psutil.Process]

    @property
    def said(self) -> str:
        return self.err.read_text("utf-8")

    @property
    def shown(self) -> str:
        return self.out.read_text("utf-8")

    @property
    def key(self) -> str:
        found = re.search(r"#key=(\S+)", self.shown)
        assert found is not None, self.shown
        return found[1]

    def wait(self) -> None:
        def there() -> bool:
            assert self.process.poll() is None, self.said
            return "an event:" in self.shown

        wait_for(there, START_SECONDS, "everything answers")
        self.remember()

    def remember(self) -> None:
        """Note who belongs to it now."""
        self.family |= set(psutil.Process(self.process.pid).children(recursive=True))

    def child(self, word: str) -> psutil.Process:
        """The child whose command has a word."""
        children = psutil.Process(self.process.pid).children()
        (found,) = (one for one in children if any(word in part for part in one.cmdline()))
        return found

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ports["serving.transformer_port"], timeout=60
        )
        headers = {"authorization": f"Bearer {key}"} if key else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        return answer.status, json.loads(told) if told[:1] in (b"{", b"[") else told

    def page(self, user: int, session: str) -> dict[str, Any]:
        body = {"instances": [{"user_id": user, "session_id": session}]}
        status, answer = self.ask("POST", "/v1/models/shortlist:predict", body)
        assert status == 200, answer
        page: dict[str, Any] = answer["predictions"][0]
        return page

    def gone(self) -> None:
        """All of it ends."""
        alive = [one for one in self.family if one.is_running()]
        _, left = psutil.wait_procs(alive, timeout=STOP_SECONDS)
        assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
        for port in self.ports.values():
            with socket.create_server(("127.0.0.1", port)):
                pass


def command(work: Path, **assigned: object) -> list[str]:
    told = {**PATIENT, "paths.work": work, **assigned}
    sets = [part for name, value in told.items() for part in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "shortlist.cli.main", "up", *sets]


def environ() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if "SHORTLIST" not in name}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"}


def done(told: list[str], seconds: float = 120.0) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        told, env=environ(), capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture(scope="module")
def work(trained, redis_server, tmp_path_factory) -> Path:
    # Short, for sockets lie below it.
    work = tmp_path_factory.mktemp("up")
    for name in ("bundles", "datasets"):
        shutil.copytree(trained.settings.paths.work / name, work / name)
    return work


@pytest.fixture
def started(work, tmp_path) -> Iterator[Callable[[], Up]]:
    all_of_them: list[Up] = []

    def start() -> Up:
        ports = {name: free_port() for name in PORTS}
        out, err = tmp_path / f"out{len(all_of_them)}", tmp_path / f"err{len(all_of_them)}"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                command(work, **ports), env=environ(), stdout=to_out, stderr=to_err
            )
        all_of_them.append(Up(process, out, err, ports, set()))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        if one.process.poll() is None:
            one.remember()
            one.process.kill()
            one.process.wait()
        for left in one.family:
            if left.is_running():
                left.kill()


def test_it_serves_mends_itself_and_stops_without_orphans(started, trained, work) -> None:
    up = started()
    up.wait()
    assert "60 users of small are loaded" in up.said
    assert trained.bundle.id in up.shown
    user = int(trained.dataset.users().column("user_id")[0].as_py())
    assert f"/?viewer={user}#key=" in up.shown

    page = up.page(user, "one")
    assert (page["bundle"], len(page["videos"])) == (trained.bundle.id, 10)
    wait_for(lambda: not up.page(user, "again")["degraded"], 120, "a whole page")
    clicked = page["videos"][0]["video_id"]
    event = {
        "event_id": "a-click",
        "user_id": user,
        "video_id": clicked,
        "kind": "click",
        "at": time.time(),
        "request_id": page["request_id"],
    }
    assert up.ask("POST", "/v1/events", {"events": [event]})[0] == 401
    assert up.ask("POST", "/v1/events", {"events": [event]}, up.key) == (
        200,
        {"events": [{"event_id": "a-click", "status": "accepted"}]},
    )
    later = up.page(user, "two")
    assert clicked not in [video["video_id"] for video in later["videos"]]
    assert up.ask("GET", "/")[0] == 200

    # A second service in the same place is refused, and harms nothing.
    other = {name: free_port() for name in PORTS}
    second = done(command(work, **other))
    assert second.returncode == 3
    assert "another `shortlist up` uses" in second.stderr

    # What is killed comes back.
    up.child("pytorch.serve").kill()
    wait_for(lambda: "predictor was ended by SIGKILL" in up.said, 60, "the death is said")
    wait_for(lambda: "predictor answers again" in up.said, START_SECONDS, "the predictor is back")
    wait_for(lambda: not up.page(user, "three")["degraded"], 120, "a whole page again")
    up.child("redis").kill()
    wait_for(lambda: "redis answers again" in up.said, 120, "Redis is back")
    up.child("model_handlers.transformer").kill()
    wait_for(lambda: "transformer answers again" in up.said, START_SECONDS, "it is back")
    wait_for(lambda: not up.page(user, "four")["degraded"], 120, "a whole page again")
    # The click survived Redis, which writes to disk once a second.
    history = up.ask("GET", f"/v1/users/{user}/history", key=up.key)[1]["events"]
    assert clicked in [one["video_id"] for one in history]

    # What Redis lost is loaded again.
    with Redis(port=up.ports["online.embedded_port"]) as redis:
        redis.flushall()
    up.child("redis").kill()
    # "With some users" where it was looked at between the two, and had begun to be filled.
    full = re.compile(r"redis came back with (nothing|some users); 60 users of small are loaded")
    wait_for(lambda: full.search(up.said) is not None, 120, "it is full")
    viewer = int(trained.dataset.impressions(["user_id"]).column("user_id")[0].as_py())
    assert up.ask("GET", f"/v1/users/{viewer}/history", key=up.key)[1]["events"] != []

    up.remember()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(STOP_SECONDS) == 0, up.said
    assert up.said.splitlines()[-2:] == ["stopping", "stopped"]
    up.gone()


def test_started_again_it_finds_its_data_and_killed_it_leaves_no_orphans(started) -> None:
    up = started()
    up.wait()
    assert "are loaded" not in up.said
    up.process.kill()
    up.process.wait()
    up.gone()


def test_ended_while_it_starts_it_stops_what_runs(started) -> None:
    up = started()
    wait_for(lambda: "redis answers" in up.said, START_SECONDS, "Redis answers")
    up.remember()
    up.process.terminate()
    assert up.process.wait(STOP_SECONDS) == 130, up.said
    assert up.said.splitlines()[-1].startswith("error: interrupted")
    up.gone()


@pytest.mark.parametrize("name", ["online.embedded_port", "serving.transformer_port"])
def test_a_port_in_use_is_named(work, name) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ports = {one: free_port() for one in PORTS} | {name: port}
        ended = done(command(work, **ports))
    assert ended.returncode == 2
    assert f"error: {name} cannot be {port} at 127.0.0.1" in ended.stderr
    assert f"--set {name}=PORT" in ended.stderr


def test_tried_it_shows_a_page_and_the_page_after_a_click(trained, work, tmp_path) -> None:
    user = int(trained.dataset.users().column("user_id")[1].as_py())
    before = {path: path.stat().st_mtime_ns for path in sorted(work.rglob("*"))}
    ended = done([*command(work), "--try", "--user", f"{user}"], 2 * START_SECONDS)
    assert ended.returncode == 0, ended.stderr
    assert f"page of user {user}, by http://127.0.0.1:" in ended.stdout
    assert f"page of user {user} after a click on video" in ended.stdout
    assert "total " in ended.stdout
    assert re.search(r"The click changed the page: \d+ of 10 videos are new", ended.stdout)
    assert {path: path.stat().st_mtime_ns for path in sorted(work.rglob("*"))} == before


def test_a_service_that_cannot_start_fails(work, tmp_path) -> None:
    lame = tmp_path / "java"
    lame.write_text("#!/bin/sh\necho this is no Java >&2\nexit 9\n")
    lame.chmod(0o755)
    ended = done([*command(work, **{"serving.java": lame}), "--try"], START_SECONDS)
    assert ended.returncode == 69
    assert "predictor ended with 9 before it ever answered" in ended.stderr
    assert "this is no Java" in ended.stderr


def test_without_a_bundle_the_remedy_is_named(tmp_path) -> None:
    ended = done(command(tmp_path))
    assert ended.returncode == 66
    assert "publish one with `shortlist demo`" in ended.stderr


def test_a_bundle_that_lacks_a_file_is_refused_before_anything_starts(work, trained, tmp_path):
    shutil.copytree(work / "bundles", tmp_path / "bundles")
    missing = tmp_path / "bundles" / trained.bundle.id / "items" / "declared.json"
    missing.unlink()
    ended = done(command(tmp_path))
    assert ended.returncode == 66
    assert f"{missing} is missing; make the items again" in ended.stderr
    assert not (tmp_path / "up").exists()


def test_a_bundle_with_a_wrong_byte_ends_it_at_once(work, trained, tmp_path):
    shutil.copytree(work / "bundles", tmp_path / "bundles")
    torn = tmp_path / "bundles" / trained.bundle.id / "items" / "content.npy"
    with torn.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        (last,) = stream.read(1)
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))
    patient = {"paths.bundles": tmp_path / "bundles", "serving.predictor_start_seconds": 600}
    ended = done([*command(work, **patient), "--try"], START_SECONDS)
    assert ended.returncode == 70, ended.stderr
    assert f"error: {torn} " in ended.stderr
