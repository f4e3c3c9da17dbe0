"""The whole service as processes: real Redis, real TorchServe, real transformer, doors between."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from unittest import mock

import numpy as np
import psutil
from door import Door  # type: ignore[import-not-found]
from running import RECOVERY_SECONDS, START_SECONDS, Running, wait_for  # type: ignore[import-not-found]

from model_handlers.ranker.server import predictor_server
from shortlist.datasets.events import Kind
from shortlist.online.embedded import free_port
from shortlist.online.packing import History
from shortlist.online.store import OnlineStore
from shortlist.serving.torchserve import TorchServe
from shortlist.settings import Settings, load
from shortlist.settings.online import OnlineSettings

T = TypeVar("T")

AHEAD_SECONDS = 7_200
_AHEAD = f"""import os, pathlib, time
_now = time.time
time.time = lambda: _now() + {AHEAD_SECONDS}
pathlib.Path(__file__).with_name(str(os.getpid())).write_text(str(time.time() - _now()))
"""


@dataclass
class Whole(Running):
    """The service with its real predictor; the transformer reaches both others through doors.

    The predictor's clock is two hours ahead all along, which nothing may notice.

    Attributes:
        workers: of the predictor.
        redis_door: before Redis.
        predictor_door: before the predictor.
    """

    workers: int = 1
    redis_door: Door = field(init=False)
    predictor_door: Door = field(init=False)
    _server: TorchServe | None = None

    def __post_init__(self) -> None:
        self.redis_door, self.predictor_door = Door(self.redis_port), Door(self.predictor_port)
        self.settings = {
            "ONLINE__URL": f"redis://127.0.0.1:{self.redis_door.port}/0",
            "SERVING__PREDICTOR_URL": f"http://127.0.0.1:{self.predictor_door.port}",
            "SERVING__PREDICTOR_WORKERS": str(self.workers),
            "SERVING__PREDICTOR_PORT": str(self.predictor_port),
            "SERVING__PREDICTOR_MANAGEMENT_PORT": str(free_port()),
            "SERVING__PREDICTOR_METRICS_PORT": str(free_port()),
            "SERVING__PREDICTOR_START_SECONDS": "240",
            "SERVING__CLOCK": "wall",
            **self.settings,
        }

    @property
    def in_force(self) -> Settings:
        """The settings of both servers."""
        return load(environ=self.environ).settings

    def __enter__(self) -> Self:
        self.redis_door.__enter__()
        self.predictor_door.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._server is not None:
            self._server.stop()
        self.redis_door.__exit__()
        self.predictor_door.__exit__()

    def start_predictor(self) -> None:
        """Start TorchServe; it answers some time later."""
        ahead = self.scratch / "ahead"
        ahead.mkdir(exist_ok=True)
        (ahead / "sitecustomize.py").write_text(_AHEAD)
        path = os.pathsep.join(filter(None, (str(ahead), os.environ.get("PYTHONPATH"))))
        with mock.patch.dict(os.environ, PYTHONPATH=path):
            server = predictor_server(self.in_force, self.scratch / "archive")
        server.start()
        self._server = server

    def wait_for_workers(self) -> None:
        """Wait until each of them is ready."""
        assert self._server is not None
        self._server.wait(START_SECONDS)

    @contextlib.contextmanager
    def redis_killed(self) -> Iterator[None]:
        """No Redis; afterwards one with what it had written."""
        self.kill_redis()
        try:
            yield
        finally:
            self.start_redis()

    @contextlib.contextmanager
    def predictor_killed(self) -> Iterator[None]:
        """No Java and no worker; afterwards new ones that answer."""
        assert self._server is not None
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.stop()
        try:
            yield
        finally:
            self.start_predictor()
            self._server.wait(START_SECONDS)

    def ahead(self, pid: int) -> float:
        """Seconds by which the clock of a process of the predictor was ahead when it began."""
        return float((self.scratch / "ahead" / f"{pid}").read_text())

    def worker_pids(self) -> list[int]:
        """Of the processes that rank."""
        assert self._server is not None
        java = psutil.Process(self._server.pid)
        return [
            one.pid
            for one in java.children()
            if any("model_service_worker" in part for part in one.cmdline())
        ]

    @contextlib.contextmanager
    def predictor_paused(self) -> Iterator[None]:
        """Workers that neither work nor die."""
        with contextlib.ExitStack() as stack:
            for pid in self.worker_pids():
                stack.enter_context(self.paused(pid))
            yield

    def in_store(self, do: Callable[[OnlineStore], Awaitable[T]]) -> T:
        """Do something to the store, past the door."""

        async def done() -> T:
            url = f"redis://127.0.0.1:{self.redis_port}/0"
            store = OnlineStore.connect(OnlineSettings(url=url, timeout_ms=5_000))
            try:
                return await do(store)
            finally:
                await store.close()

        return asyncio.run(done())

    def enter(self, user: int, videos: list[int], at: int | None = None) -> None:
        """Write a history straight into the store, as another server might."""
        at = int(time.time()) - 60 if at is None else at
        history = History(
            np.array(videos, np.int64),
            np.full(len(videos), Kind.CLICK, np.uint8),
            np.full(len(videos), at, np.int64),
            version=7,
            shown=len(videos),
            clicked=len(videos),
        )

        async def write(store: OnlineStore) -> None:
            await store.client.run([("SET", store.keys.history(user), history.pack())])

        self.in_store(write)

    @contextlib.contextmanager
    def taken_down(self, video: int) -> Iterator[None]:
        """A video that is taken down meanwhile."""
        assert self.ask("POST", f"/v1/videos/{video}/takedown").body["taken_down"] is True
        try:
            yield
        finally:
            self.ask("DELETE", f"/v1/videos/{video}/takedown")

    @contextlib.contextmanager
    def counting(self, *series: str, least: float = 1) -> Iterator[None]:
        """See that each of these series grows meanwhile, by so much at least."""
        before = {one: self.metric(one) for one in series}
        yield
        wait_for(lambda: all(self.metric(one) >= before[one] + least for one in series), 30)

    def whole(self, user: int, **asked: Any) -> dict[str, Any]:
        """A page that is not degraded; what was just broken has ten seconds to come back."""
        ends = time.monotonic() + RECOVERY_SECONDS
        while True:
            page: dict[str, Any] = self.page(user, **asked)
            if not page["degraded"]:
                return page
            assert time.monotonic() < ends, f"still degraded by {page['degraded_by']}"
            time.sleep(0.05)
