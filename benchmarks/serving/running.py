"""The whole service for a benchmark: the parts of `shortlist up` on free ports, and what they take.

Its settings are the product's own, but for the rate of a caller, since one caller asks for all.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import psutil

from model_handlers.local.parts import Predictor, Redis, Transformer
from model_handlers.local.plan import Plan, plan
from shortlist.bundle import Bundle, BundleStore
from shortlist.datasets.named import open_named
from shortlist.datasets.store import Dataset
from shortlist.online.archive import Archive, archive_directory
from shortlist.online.embedded import free_port
from shortlist.online.refill import refill
from shortlist.online.store import OnlineStore
from shortlist.serving.signals import ended_by_signals
from shortlist.settings import load

NAIVE: Final = "LADDER"
"""Variable by which a process of the ladder is told what is naive in it."""
_PORTS: Final = (
    "online.embedded_port",
    "serving.predictor_port",
    "serving.predictor_management_port",
    "serving.predictor_metrics_port",
    "serving.transformer_port",
)
OPEN: Final = ("serving.rate=1e9", "serving.rate_burst=1e9")
"""One caller asks for all."""
_POLL_SECONDS: Final = 0.1


class Part(Protocol):
    """A process of the service."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def pid(self) -> int | None:
        """None where it does not run."""

    def start(self) -> None:
        """Start it, without waiting for it."""

    def stop(self) -> None:
        """End it, and all that it left behind."""

    def why_not_ready(self) -> str | None:
        """None where it answers; else what is missing."""

    def last_words(self) -> list[str]:
        """The end of its log."""


@dataclass(frozen=True)
class Prepared:
    """What a service is started from.

    Attributes:
        plan: of the parts.
        bundle: that is served.
        dataset: with which Redis is filled.
        directory: for data and logs.
    """

    plan: Plan
    bundle: Bundle
    dataset: Dataset
    directory: Path

    @property
    def morning(self) -> float:
        """When the day after the log begins, in seconds since 1970-01-01."""
        day = self.bundle.manifest.data.last_day + dt.timedelta(days=1)
        return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes:
        prepared: what it was started from.
        parts: its processes, by name.
        started: seconds until each answered, by name.
    """

    prepared: Prepared
    parts: Mapping[str, Part]
    started: Mapping[str, float] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Of the transformer."""
        return self.prepared.plan.address

    @property
    def key(self) -> str | None:
        """Of a caller who may write."""
        return self.prepared.plan.key

    @property
    def users(self) -> list[int]:
        """Ids of the users of the dataset, ascending."""
        users: list[int] = self.prepared.dataset.users().column("user_id").to_pylist()
        return users

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, those of the kernel included, by part with all of its processes.

        The predictor is told apart: its Java, and its workers.
        """
        found: dict[str, float] = {}
        for name, part in self.parts.items():
            if part.pid is None:
                raise RuntimeError(f"{name} has died: {' | '.join(part.last_words()[-3:])}")
            for label, process in _processes(name, part):
                found[label] = found.get(label, 0.0) + _spent(process)
        return found

    def memory(self) -> dict[str, dict[str, float]]:
        """MiB by part with all of its processes: its own, and its share of files that it maps."""
        found: dict[str, dict[str, float]] = {}
        for name, part in self.parts.items():
            for label, process in _processes(name, part):
                told = process.memory_full_info()
                counted = found.setdefault(label, {"own": 0.0, "mapped": 0.0})
                # The resident pages of files are clean: the system may take them back.
                counted["own"] += (told.rss - told.shared) / 2**20
                counted["mapped"] += told.pss / 2**20
        return found


def _processes(name: str, part: Part) -> Iterator[tuple[str, psutil.Process]]:
    """All of a part, each with what it is counted as."""
    first = psutil.Process(part.pid)
    yield "java" if name == "predictor" else name, first
    for one in first.children(recursive=True):
        yield "worker" if name == "predictor" else name, one


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def prepared(given: argparse.Namespace, *settings: str) -> Iterator[Prepared]:
    """Choose settings and free ports, and find bundle and dataset; nothing is started.

    Args:
        given: by `reporting.arguments`.
        settings: of this benchmark; what is given comes after them.
    """
    known = load(
        assignments=[
            f"paths.work={given.work}",
            *OPEN,
            *(f"{name}={port}" for name, port in free_ports().items()),
            *settings,
            *given.assignments,
        ]
    )
    chosen = plan(known)
    store = BundleStore(chosen.settings.paths.bundles)
    bundle = store.serving(chosen.settings.serving.bundle, verify=False)
    dataset = open_named(chosen.settings.paths.work, bundle.manifest.data.name)
    with (
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="sl-bench-", ignore_cleanup_errors=True) as scratch,
    ):
        yield Prepared(chosen, bundle, dataset, Path(scratch))


def free_ports() -> dict[str, int]:
    """A free port for each setting of `shortlist up` that is one; no two are the same."""
    found: dict[int, None] = {}
    while len(found) < len(_PORTS):
        found[free_port()] = None
    return dict(zip(_PORTS, found, strict=True))


@contextlib.contextmanager
def serving(given: Prepared) -> Iterator[Running]:
    """The service of `shortlist up` while the block runs: Redis filled, everything answers."""
    with contextlib.ExitStack() as stack:
        redis, _ = stack.enter_context(started(Redis(given.plan, given.directory)))
        filled(given)
        found, took = {redis.name: redis}, {}
        for kind in (Predictor, Transformer):
            part, seconds = stack.enter_context(started(kind(given.plan, given.directory)))
            found[part.name], took[part.name] = part, seconds
        yield Running(given, found, took)


@contextlib.contextmanager
def started(part: Part) -> Iterator[tuple[Part, float]]:
    """A part that answers while the block runs, and the seconds until it did."""
    began = time.perf_counter()
    part.start()
    try:
        yield part, _ready(part, began)
    finally:
        part.stop()


def _ready(part: Part, began: float, seconds: float = 300.0) -> float:
    """Seconds until the part answered."""
    while (why := part.why_not_ready()) is not None:
        if part.pid is None or time.perf_counter() - began > seconds:
            raise RuntimeError(f"{part.name}: {why}: {' | '.join(part.last_words()[-5:])}")
        time.sleep(_POLL_SECONDS)
    return time.perf_counter() - began


def filled(given: Prepared) -> None:
    """Fill Redis with the users of the dataset."""
    asyncio.run(_filled(given))


async def _filled(given: Prepared) -> None:
    archive = Archive(archive_directory(given.directory, "archive"))
    async with storing(given) as store:
        await refill(store, given.dataset, archive)


@contextlib.asynccontextmanager
async def storing(given: Prepared) -> Any:
    """The store, with patience."""
    online = given.plan.settings.online.model_copy(update={"timeout_ms": 10_000.0})
    store = OnlineStore.connect(online)
    try:
        yield store
    finally:
        await store.close()


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was added, by name.

    >>> difference({"redis": 1.0}, {"redis": 1.5, "worker": 0.25})
    {'redis': 0.5, 'worker': 0.25}
    """
    return {name: value - before.get(name, 0.0) for name, value in after.items()}
