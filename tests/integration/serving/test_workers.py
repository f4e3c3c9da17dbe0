"""Two processes of the transformer that answer as one: asked, killed under load, and ended."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import pytest
import redis
from running import START_SECONDS, Running, ids, wait_for  # type: ignore[import-not-found]

from shortlist.online.embedded import free_port

WORKER = "model_handlers.transformer.worker"
USERS = range(5_000, 5_004)
PAGES = "shortlist_pages_total"


class Two(Running):
    """The service with two processes of the transformer."""

    @property
    def parent(self) -> psutil.Process:
        return psutil.Process(self._processes["transformer"].pid)

    @property
    def workers(self) -> list[psutil.Process]:
        return [one for one in self.parent.children() if WORKER in one.cmdline()]

    @property
    def said(self) -> str:
        text: str = (self.scratch / "transformer.log").read_text()
        return text

    def pages_logged(self) -> int:
        with redis.Redis(port=self.redis_port) as client:
            return sum(client.xlen(key) for key in client.scan_iter(match="*:log"))


@dataclass
class Load:
    """What became of pages that several threads ask for, each on a connection of its own."""

    statuses: list[int] = field(default_factory=list)
    pages: list[dict] = field(default_factory=list)

    @contextmanager
    def on(self, service: Two) -> Iterator["Load"]:
        ends = threading.Event()

        def ask(user: int) -> None:
            while not ends.is_set():
                body = {"instances": [{"user_id": user, "session_id": f"{time.monotonic_ns()}"}]}
                try:
                    reply = service.ask("POST", "/v1/models/shortlist:predict", body)
                except OSError:  # Refused, or cut off with its process.
                    self.statuses.append(0)
                    time.sleep(0.05)
                    continue
                self.statuses.append(reply.status)
                self.pages += reply.body["predictions"] if reply.status == 200 else []

        threads = [threading.Thread(target=ask, args=(user,)) for user in USERS]
        for one in threads:
            one.start()
        try:
            yield self
        finally:
            ends.set()
            for one in threads:
                one.join()


@pytest.fixture(scope="module")
def two(trained, redis_server, tmp_path_factory) -> Iterator[Two]:
    told = {"SERVING__TRANSFORMER_WORKERS": "2"}
    with Two(trained.settings.paths.bundles, tmp_path_factory.mktemp("two"), told) as service:
        wait_for(lambda: service.said.count(" answers (") == 2, START_SECONDS)
        yield service


def test_each_makes_pages_and_each_tells_what_both_have_made(two) -> None:
    assert len(two.workers) == 2
    before, logged = two.metric(PAGES), two.pages_logged()
    shown: list[int] = []
    for number, stopped in enumerate(two.workers):
        with two.paused(stopped.pid):
            shown += ids(two.page(5_000, session_id="both", page=number))
            assert two.metric(PAGES) == before + number + 1
            # Until it is written only the one that made it knows of it.
            wait_for(lambda written=logged + number + 1: two.pages_logged() == written)
        assert two.get("/v2/health/ready").status == 200
    assert len(set(shown)) == 20, "what one has shown the other does not show again"
    page = two.ask("GET", "/metrics").body.decode()
    held = [line for line in page.splitlines() if line.startswith("shortlist_bundle_info{")]
    assert [line.rsplit(" ", 1)[1] for line in held] == ["1.0"]


def test_one_that_is_killed_comes_back_and_the_other_answers_meanwhile(two) -> None:
    killed, other = two.workers
    with Load().on(two) as load:
        wait_for(lambda: len(load.pages) > 20)
        counted = two.metric(PAGES)
        killed.kill()
        at = len(load.pages)
        wait_for(lambda: len(load.pages) > at + 50)
        wait_for(lambda: "of the transformer answers again" in two.said, START_SECONDS)
    assert other in two.workers
    assert killed not in two.workers
    assert set(load.statuses) <= {0, 200}
    # Only who was being answered by it just then is cut off.
    assert load.statuses.count(0) <= len(USERS)
    assert [page for page in load.pages if page["degraded"]] == []
    assert two.metric(PAGES) >= counted + 50, "what the dead one counted stays counted"


def settled(counted: Callable[[], int]) -> int:
    """What is counted, when that has not changed for a second."""
    last = -1
    while (now := counted()) != last:
        last = now
        time.sleep(1.0)
    return now


def started(service: Two, **told: str) -> "subprocess.Popen[str]":
    """The transformer once more, elsewhere."""
    own = {f"SHORTLIST_SERVING__{name}": value for name, value in told.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "model_handlers.transformer"],
        env=service.environ | {"SHORTLIST_SERVING__TRANSFORMER_PORT": f"{free_port()}"} | own,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_one_that_cannot_start_ends_the_server_with_its_reason(two) -> None:
    process = started(two, KEYS="short:key")
    _, said = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 69
    assert "serving.keys, entry 1: write NAME:KEY" in said
    assert "of the transformer ended with 2 before it ever answered" in said


def test_a_port_in_use_is_named_and_nobody_is_started(two) -> None:
    process = started(two, TRANSFORMER_PORT=f"{two.port}")
    _, said = process.communicate(timeout=START_SECONDS)
    assert process.returncode not in (0, 69)
    assert said.startswith(f"shortlist: cannot answer at 127.0.0.1:{two.port} (address already in")
    assert len(said.splitlines()) == 1


def test_told_to_end_while_they_load_all_end_at_once(two) -> None:
    process = started(two)
    parent = psutil.Process(process.pid)
    wait_for(lambda: len(parent.children()) == 2, START_SECONDS)
    time.sleep(1.0)
    family = parent.children()
    process.terminate()
    assert process.wait(START_SECONDS) == 0
    assert [one for one in family if one.is_running()] == []
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_told_to_end_both_finish_what_they_have_begun(two) -> None:
    before, family = settled(two.pages_logged), two.workers
    with Load().on(two) as load:
        wait_for(lambda: len(load.pages) > 20)
        two.parent.send_signal(signal.SIGTERM)
        assert two.wait("transformer") == 0
    psutil.wait_procs(family, timeout=10)
    assert [one for one in family if one.is_running()] == []
    assert set(load.statuses) <= {0, 200}
    assert two.pages_logged() == before + len(load.pages)
    assert "Traceback" not in two.said
    two.start_transformer()
    assert two.metric("shortlist_log_lost_total") == 0


def test_none_outlives_a_parent_that_is_killed(two) -> None:
    family = two.workers
    two.parent.kill()
    _, left = psutil.wait_procs(family, timeout=40)
    assert left == []
