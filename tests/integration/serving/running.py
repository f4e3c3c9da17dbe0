"""Redis, a predictor and the transformer as processes on free ports, to be asked and broken."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from shortlist.online.embedded import embedded, free_port
from shortlist.serving.tied import tied

HERE = Path(__file__).parent
KEY = "a-key-for-the-tests"
START_SECONDS = 240.0
RECOVERY_SECONDS = 10.0
BUDGET_MS = 4_000.0


@dataclass
class Reply:
    """An answer: status, body, and how long it took."""

    status: int
    body: Any
    headers: dict[str, str]
    seconds: float


@dataclass
class Running:
    """The service on this machine.

    Attributes:
        bundles: directory of bundles.
        scratch: for Redis and logs.
        settings: variables of the transformer beside the usual ones.
        budget_ms: of a request.
    """

    bundles: Path
    scratch: Path
    settings: dict[str, str] = field(default_factory=dict)
    budget_ms: float = BUDGET_MS
    redis_port: int = field(default_factory=free_port)
    predictor_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    _sessions: Iterator[int] = field(default_factory=itertools.count)
    _redis: ExitStack = field(default_factory=ExitStack)
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """Of the transformer."""
        told = {
            "PATHS__BUNDLES": str(self.bundles),
            "ONLINE__URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "ONLINE__TIMEOUT_MS": "400",
            "SERVING__TRANSFORMER_PORT": str(self.port),
            "SERVING__PREDICTOR_URL": f"http://127.0.0.1:{self.predictor_port}",
            "SERVING__BUDGET_MS": str(self.budget_ms),
            "SERVING__RESERVE_MS": "400",
            "SERVING__BREAKER_SECONDS": "0.5",
            "SERVING__POLL_SECONDS": "0.2",
            "SERVING__CLOCK": "bundle",
            "SERVING__KEYS": f"tests:{KEY}",
            "SERVING__RATE": "100000",
            "SERVING__RATE_BURST": "100000",
            **self.settings,
        }
        own = {f"SHORTLIST_{name}": value for name, value in told.items()}
        kept = {name: value for name, value in os.environ.items() if "SHORTLIST" not in name}
        return kept | own | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def __enter__(self) -> Self:
        try:
            self.start_redis()
            self.start_predictor()
            self.start_transformer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self.end(name, signal.SIGKILL)
        self._redis.close()

    def start_redis(self) -> None:
        """Start Redis, empty or with what it had."""
        directory = self.scratch / "redis"
        self._redis.enter_context(embedded(directory, port=self.redis_port))

    def kill_redis(self) -> None:
        """Kill Redis, unasked."""
        os.kill(self.redis_pid, signal.SIGKILL)
        time.sleep(0.1)
        self._redis.close()

    @property
    def redis_pid(self) -> int:
        """Of the server."""
        listing = subprocess.run(
            ["redis-cli", "-p", str(self.redis_port), "info", "server"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return next(
            int(line.split(":")[1])
            for line in listing.stdout.splitlines()
            if line.startswith("process_id")
        )

    def start_predictor(self) -> None:
        """Start a predictor; it answers some time later."""
        self._start(
            "predictor", [str(HERE / "predicting.py"), str(self.bundles), str(self.predictor_port)]
        )

    def start_transformer(self) -> None:
        """Start the transformer, and wait until it is ready."""
        self._start("transformer", ["-m", "model_handlers.transformer"])

        def ready() -> bool:
            ended = self._processes["transformer"].poll()
            assert ended is None, (self.scratch / "transformer.log").read_text()[-2_000:]
            return self.get("/v2/health/ready").status == 200

        wait_for(ready, START_SECONDS)

    def _start(self, name: str, arguments: list[str]) -> None:
        with (self.scratch / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                tied([sys.executable, *arguments]),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, name: str, how: signal.Signals) -> int:
        """End a process; its exit code."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, how)
        return process.wait(60)

    def wait(self, name: str) -> int:
        """Wait until a process has ended; its exit code."""
        return self._processes.pop(name).wait(60)

    @contextlib.contextmanager
    def paused(self, pid: int) -> Iterator[None]:
        """A process that neither works nor dies."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = KEY,
        port: int | None = None,
    ) -> Reply:
        """Ask the transformer; the body is JSON unless it is bytes."""
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            connection.request(method, path, raw, headers)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        took = time.perf_counter() - began
        with contextlib.suppress(ValueError):
            return Reply(answer.status, json.loads(told), dict(answer.headers), took)
        return Reply(answer.status, told, dict(answer.headers), took)

    def get(self, path: str) -> Reply:
        """Ask for something; where nobody answers, the status is 0."""
        try:
            return self.ask("GET", path)
        except OSError:
            return Reply(0, None, {}, 0.0)

    def page(self, user: int, **asked: Any) -> dict[str, Any]:
        """A page, answered within its budget; of a session of its own unless one is named."""
        asked = {"session_id": f"session-{next(self._sessions)}"} | asked
        body = {"instances": [{"user_id": user, **asked}]}
        reply = self.ask("POST", "/v1/models/shortlist:predict", body)
        assert reply.status == 200, reply
        assert reply.seconds * 1e3 < self.budget_ms + 1_000, reply
        page: dict[str, Any] = reply.body["predictions"][0]
        return page

    def report(self, *events: dict[str, Any]) -> Reply:
        """Report events."""
        return self.ask("POST", "/v1/events", {"events": list(events)})

    def metric(self, name: str) -> float:
        """The value of a series, as the metrics page writes it."""
        page = self.ask("GET", "/metrics").body.decode()
        values = [line.rsplit(" ", 1)[1] for line in page.splitlines() if line.startswith(name)]
        return sum(map(float, values))


def ids(page: dict[str, Any]) -> list[int]:
    """Of the videos of a page."""
    return [video["video_id"] for video in page["videos"]]


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"not within {seconds:.0f} s"
        time.sleep(0.1)
