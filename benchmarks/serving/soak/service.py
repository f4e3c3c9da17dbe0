"""The service under soak: `shortlist up` on copies of a bundle, asked for pages, its processes."""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import psutil

from benchmarks.serving.remade import remade
from benchmarks.serving.running import OPEN, free_ports
from shortlist.bundle import Bundle, BundleStore
from shortlist.datasets.named import open_named
from shortlist.wire.recommend import V1_PATH

KEY: Final = "a-key-for-the-soak"
ROLES: Final = {
    "redis-server": "redis",
    "pytorch.serve": "java",
    "model_service_worker": "worker",
    "model_handlers.transformer.worker": "transformer",
    "model_handlers.transformer": "transformer's parent",
}
"""By what the command of a process has in it; the first that fits."""
START_SECONDS: Final = 300.0


@dataclass(slots=True)
class Asked:
    """One request for a page.

    Attributes:
        at: when it was due, in seconds since the start.
        took: seconds from when it was due to its answer, that of the second try included.
        status: of HTTP; 0 where there was no answer.
        causes: why the page was degraded.
        cut: whether the first try was cut off, and it was asked again.
    """

    at: float
    took: float
    status: int
    causes: tuple[str, ...] = ()
    cut: bool = False


@dataclass(slots=True)
class Done:
    """One fault: what it was, when, and what it found."""

    name: str
    began: float
    ended: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Sample:
    """What one process held.

    Attributes:
        at: seconds since the start.
        role: of the process.
        pid: of the process.
        age: of the process in seconds.
        anonymous: bytes that stand in no file: what is mapped of a bundle is the page cache's, and
            counts for whoever maps it alone, as long as nobody else does.
        fds: open descriptors.
        threads: of the process.
        log: bytes of the event log that Redis keeps, by its own count.
    """

    at: float
    role: str
    pid: int
    age: float
    anonymous: int
    fds: int
    threads: int
    log: int = 0

    @property
    def memory(self) -> int:
        """Bytes of its own but for the event log, which grows until it is drained, by design."""
        return self.anonymous - self.log


@dataclass
class Soak:
    """The service, who asks it, and what became of it all.

    `due` counts the pages that were asked for, `raised` what failed in the soak itself.
    """

    given: argparse.Namespace
    store: BundleStore
    bundles: tuple[str, str]
    users: list[int]
    videos: list[int]
    ports: dict[str, int]
    process: "subprocess.Popen[bytes]"
    draw: random.Random
    asked: list[Asked] = field(default_factory=list)
    faults: list[Done] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    http: aiohttp.ClientSession = field(init=False)
    began: float = 0.0
    due: int = 0
    raised: Counter[str] = field(default_factory=Counter)

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    @property
    def address(self) -> str:
        """Of the transformer."""
        return f"http://127.0.0.1:{self.ports['serving.transformer_port']}"

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON; bytes are sent as they are."""
        raw = body if isinstance(body, bytes | None) else orjson.dumps(body)
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        async with self.http.request(method, self.address + path, data=raw, headers=headers) as it:
            told = await it.read()
            with contextlib.suppress(orjson.JSONDecodeError):
                return it.status, orjson.loads(told)
            return it.status, told

    async def page(self, user: int, session: str, due: float | None = None) -> Any:
        """Ask for a page and note what became of it; None where there was none.

        Where the connection is cut off it is asked for once more, at once.
        """
        self.due += 1
        at = self.now if due is None else due
        body = {"instances": [{"user_id": user, "session_id": session}]}
        status, cut = 0, False
        told: Any = None
        for again in (False, True):
            try:
                status, told = await self.send("POST", V1_PATH, body)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not again:
                    cut = True
                    continue
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            break
        page = told["predictions"][0] if status == 200 else None
        causes = tuple(page["degraded_by"]) if page else ()
        self.asked.append(Asked(at, self.now - at, status, causes, cut))
        return page

    def role(self, name: str) -> psutil.Process:
        """The process that has a role now."""
        found = self.roles(name)
        if not found:
            raise LookupError(f"no {name} runs")
        return found[0]

    def roles(self, name: str) -> list[psutil.Process]:
        """The processes that have a role now."""
        return [process for role, process in self.family() if role == name]

    def family(self) -> Iterator[tuple[str, psutil.Process]]:
        """Every process of the service with its role."""
        supervisor = psutil.Process(self.process.pid)
        yield "supervisor", supervisor
        for one in supervisor.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command = " ".join(one.cmdline())
                for mark, role in ROLES.items():
                    if mark in command:
                        yield role, one
                        break


@contextlib.contextmanager
def started(given: argparse.Namespace) -> Iterator[Soak]:
    """`shortlist up` on copies of the published bundle, of which there are two."""
    source = BundleStore(given.work / "bundles").serving(verify=False)
    with tempfile.TemporaryDirectory(prefix="sl-soak-", ignore_cleanup_errors=True) as scratch:
        work = Path(scratch)
        store = BundleStore(work / "bundles")
        bundles = (_copied(source, store, "first"), _copied(source, store, "second"))
        for bundle in bundles:
            store.publish(bundle)
        (work / "datasets").symlink_to((given.work / "datasets").absolute())
        dataset = open_named(given.work, source.manifest.data.name)
        ports = free_ports()
        told = {**ports, "paths.work": work, "serving.budget_ms": given.budget_ms}
        sets = [*(f"{name}={value}" for name, value in told.items()), *OPEN, *given.assignments]
        command = [sys.executable, "-m", "shortlist.cli.main", "up"]
        command += [part for one in sets for part in ("--set", one)]
        environ = {**os.environ, "SHORTLIST_SERVING__KEYS": f"soak:{KEY}", "COLUMNS": "200"}
        log = work / "up.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(command, env=environ, stdout=stream, stderr=stream)
        try:
            _wait(process, log)
            yield Soak(
                given=given,
                store=store,
                bundles=bundles,
                users=dataset.users().column("user_id").to_pylist()[: given.users],
                videos=dataset.videos().column("video_id").to_pylist(),
                ports=ports,
                process=process,
                draw=random.Random(given.seed),
            )
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            if given.log is not None:
                shutil.copyfile(log, given.log)


def _copied(source: Bundle, store: BundleStore, name: str) -> str:
    """A bundle of the same parts under an id of its own."""
    told = source.manifest
    parts = {part: source.part(part) for part in told.parts}
    encoder = f"{told.encoder}+{name}"
    return remade(source, store.root, parts, "Copied for a soak.", name, encoder=encoder).id


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while b"an event:" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"`shortlist up` did not start: {log.read_text()[-1_000:]}")
        time.sleep(0.2)
