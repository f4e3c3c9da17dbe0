"""An hour of `shortlist up` with a fault a minute: answered in time, whole again, nothing grows.

Pages are asked for at a fixed rate, whether or not the ones before were answered. Each minute one
fault is done to the processes for real; when it is over, pages have ten seconds to be whole. What a
process holds (memory, descriptors, threads) is judged by its slope over the second half, within
each process, so that one that was killed and started again is no growth::

    .venv/bin/python -m benchmarks.serving.soak --work work --minutes 60
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import orjson
import psutil
from rich.console import Console
from rich.table import Table

from shortlist.bundle import Bundle, BundleRecord, BundleStore, CardFacts, RunRecord, write_bundle
from shortlist.datasets.named import open_named
from shortlist.online.embedded import free_port
from shortlist.serving.readiness import why_not_ready
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.health import READY_PATH
from shortlist.wire.recommend import V1_PATH

CONSOLE: Final = Console(width=118)
KEY: Final = "a-key-for-the-soak"
RECOVERY_SECONDS: Final = 10.0
START_SECONDS: Final = 300.0
GIVE_UP_SECONDS: Final = 30.0
SAMPLE_SECONDS: Final = 5.0
YOUNG_SECONDS: Final = 30.0
"""A process is warm after that."""
GROWTH: Final = {"uss": (8 * 2**20, 0.05), "fds": (8, 0.1), "threads": (4, 0.1)}
"""What a process may grow by in the second half: so much, or so much of what it holds."""
PORTS: Final = {
    "online.embedded_port": "redis",
    "serving.predictor_port": "predictor",
    "serving.predictor_management_port": "management",
    "serving.predictor_metrics_port": "metrics",
    "serving.transformer_port": "transformer",
}


@dataclass(slots=True)
class Asked:
    """One request for a page.

    Attributes:
        at: when it was due, in seconds since the start.
        took: seconds from when it was due to its answer.
        status: of HTTP; 0 where there was no answer.
        causes: why the page was degraded.
    """

    at: float
    took: float
    status: int
    causes: tuple[str, ...] = ()


@dataclass(slots=True)
class Done:
    """One fault: what it was, when, and what it found."""

    name: str
    began: float
    ended: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Sample:
    """What one process held; memory is its own, for shares in files change with other processes."""

    at: float
    role: str
    pid: int
    age: float
    uss: int
    fds: int
    threads: int


@dataclass
class Soak:
    """The service, who asks it, and what became of it all."""

    given: argparse.Namespace
    work: Path
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

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    @property
    def address(self) -> str:
        """Of the transformer."""
        return f"http://127.0.0.1:{self.ports['transformer']}"

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
        """Ask for a page and note what became of it; None where there was none."""
        at = self.now if due is None else due
        body = {"instances": [{"user_id": user, "session_id": session}]}
        try:
            status, told = await self.send("POST", V1_PATH, body)
        except (aiohttp.ClientError, OSError, TimeoutError):
            status, told = 0, None
        page = told["predictions"][0] if status == 200 else None
        causes = tuple(page["degraded_by"]) if page else ()
        self.asked.append(Asked(at, self.now - at, status, causes))
        return page

    def role(self, name: str) -> psutil.Process:
        """The process that has a role now."""
        for role, process in self.family():
            if role == name:
                return process
        raise LookupError(f"no {name} runs")

    def family(self) -> Iterator[tuple[str, psutil.Process]]:
        """Every process of the service with its role."""
        supervisor = psutil.Process(self.process.pid)
        yield "supervisor", supervisor
        for one in supervisor.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command = " ".join(one.cmdline())
                for mark, role in (
                    ("redis-server", "redis"),
                    ("pytorch.serve", "java"),
                    ("model_service_worker", "worker"),
                    ("model_handlers.transformer", "transformer"),
                ):
                    if mark in command:
                        yield role, one
                        break


Fault = Callable[[Soak, Done], Awaitable[None]]


async def until(holds: Callable[[], Any], seconds: float = 120.0) -> None:
    """Wait until something holds; it may be asked of a coroutine."""
    ends = time.monotonic() + seconds
    while True:
        found = holds()
        if await found if asyncio.iscoroutine(found) else found:
            return
        if time.monotonic() > ends:
            raise TimeoutError("it never came back")
        await asyncio.sleep(0.05)


def redis_answers(soak: Soak) -> Callable[[], Awaitable[bool]]:
    """Whether Redis answers."""

    async def asked() -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", soak.ports["redis"])
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await reader.read(5)).startswith(b"+PONG")
        except OSError:
            return False
        finally:
            writer.close()

    return asked


async def redis_killed(soak: Soak, _: Done) -> None:
    """Killed; the supervisor starts it again."""
    soak.role("redis").kill()
    # Its threads end one after another, and the last of them closes what it listens at.
    await asyncio.sleep(0.3)
    await until(redis_answers(soak))


async def redis_paused(soak: Soak, _: Done) -> None:
    """Neither works nor dies."""
    await paused(soak, "redis")


async def redis_slow(soak: Soak, _: Done) -> None:
    """Works a tenth of the time."""
    process = soak.role("redis")
    ends = soak.now + soak.given.hold
    try:
        while soak.now < ends:
            process.suspend()
            await asyncio.sleep(0.09)
            process.resume()
            await asyncio.sleep(0.01)
    finally:
        process.resume()


async def worker_killed(soak: Soak, _: Done) -> None:
    """One process that ranks is killed; TorchServe starts another."""
    killed = soak.role("worker")
    killed.kill()
    await asyncio.sleep(1.0)
    await until(lambda: _ready(soak))


async def _ready(soak: Soak) -> bool:
    return await asyncio.to_thread(why_not_ready, soak.ports["management"]) is None


async def worker_paused(soak: Soak, _: Done) -> None:
    """Neither works nor dies."""
    await paused(soak, "worker")


async def paused(soak: Soak, role: str) -> None:
    """Stop a process for a while."""
    process = soak.role(role)
    process.suspend()
    try:
        await asyncio.sleep(soak.given.hold)
    finally:
        process.resume()


async def publication(soak: Soak, done: Done) -> None:
    """The other bundle is published, and served."""
    current = soak.store.pointer().current
    other = soak.bundles[soak.bundles[0] == current]
    await asyncio.to_thread(soak.store.publish, other)
    await served(soak, done, other)


async def rollback(soak: Soak, done: Done) -> None:
    """Back to the bundle before."""
    move = await asyncio.to_thread(soak.store.rollback)
    await served(soak, done, move.after)


async def served(soak: Soak, done: Done, bundle: str) -> None:
    """Wait until a bundle serves."""
    began = soak.now

    async def asked() -> bool:
        _, told = await soak.send("GET", READY_PATH)
        return bool(told.get("bundle") == bundle)

    try:
        await until(asked)
    except TimeoutError:
        done.problems.append(f"bundle {bundle[:8]} was never served")
    if soak.now - began > RECOVERY_SECONDS:
        done.problems.append(f"the switch took {soak.now - began:.1f} s")


async def takedowns(soak: Soak, done: Done) -> None:
    """Fifty videos go, and come back; none is shown in between."""
    gone = set(soak.draw.sample(soak.videos, min(50, len(soak.videos) // 10)))
    for video in gone:
        status, _ = await soak.send("POST", f"/v1/videos/{video}/takedown")
        if status != 200:
            done.problems.append(f"a takedown was answered by {status}")
    for _ in range(20):
        page = await soak.page(soak.draw.choice(soak.users), f"{uuid.uuid4()}")
        if page and gone & {video["video_id"] for video in page["videos"]}:
            done.problems.append("a video was shown that had been taken down")
    for video in gone:
        await soak.send("DELETE", f"/v1/videos/{video}/takedown")


async def malformed(soak: Soak, done: Done) -> None:
    """Five hundred bodies that nobody can read."""
    whole = bytearray(orjson.dumps({"instances": [{"user_id": 7, "page_size": 5}]}))
    statuses = Counter[int]()
    for _ in range(500):
        body = bytearray(whole)
        for _ in range(soak.draw.randint(1, 4)):
            body[soak.draw.randrange(len(body))] = soak.draw.randrange(256)
        status, _ = await soak.send("POST", V1_PATH, bytes(body[: soak.draw.randint(1, 60)]))
        statuses[status] += 1
    if wrong := set(statuses) - {200, 400}:
        done.problems.append(f"malformed bodies were answered by {sorted(wrong)}")


async def events(soak: Soak, done: Done) -> None:
    """Two thousand events in twenty bodies."""
    for _ in range(20):
        told = [
            {
                "event_id": f"{uuid.uuid4()}",
                "user_id": soak.draw.choice(soak.users),
                "video_id": soak.draw.choice(soak.videos),
                "kind": soak.draw.choice(["click", "like", "skip", "impression"]),
                "at": time.time(),
            }
            for _ in range(100)
        ]
        status, _ = await soak.send("POST", EVENTS_PATH, {"events": told})
        if status != 200:
            done.problems.append(f"events were answered by {status}")


FAULTS: Final[dict[str, tuple[Fault, bool]]] = {
    "redis killed": (redis_killed, True),
    "publication": (publication, False),
    "predictor paused": (worker_paused, True),
    "takedown burst": (takedowns, False),
    "redis slow": (redis_slow, True),
    "predictor worker killed": (worker_killed, True),
    "rollback": (rollback, False),
    "redis paused": (redis_paused, True),
    "malformed burst": (malformed, False),
    "event burst": (events, False),
}
"""What is done, and whether pages may be degraded while it lasts."""


async def load(soak: Soak, seconds: float) -> None:
    """Ask at the rate; sessions of three pages, and now and then an event."""
    tasks: set[asyncio.Task[Any]] = set()
    sessions: list[tuple[int, str, int]] = []
    for number in range(int(seconds * soak.given.rate)):
        due = number / soak.given.rate
        await asyncio.sleep(max(0.0, due - soak.now))
        if sessions and soak.draw.random() < 0.6:
            user, session, left = sessions.pop(soak.draw.randrange(len(sessions)))
        else:
            user, session, left = soak.draw.choice(soak.users), f"{uuid.uuid4()}", 3
        if left > 1:
            sessions.append((user, session, left - 1))
        task = asyncio.create_task(soak.page(user, session, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


async def break_it(soak: Soak, seconds: float) -> None:
    """One fault every interval, all of them in turn, in an order that is drawn anew each round."""
    waiting: list[str] = []
    interval = soak.given.interval
    moment = interval / 2
    while moment + interval / 2 <= seconds:
        if not waiting:
            waiting = list(FAULTS)
            soak.draw.shuffle(waiting)
            # There is something to go back to only after a publication.
            if waiting.index("rollback") > waiting.index("publication"):
                a, b = waiting.index("rollback"), waiting.index("publication")
                waiting[a], waiting[b] = waiting[b], waiting[a]
        await asyncio.sleep(max(0.0, moment - soak.now))
        done = Done(waiting.pop(), soak.now)
        soak.faults.append(done)
        try:
            await FAULTS[done.name][0](soak, done)
        except Exception as error:  # A fault that fails is a finding; the others go on.
            done.problems.append(f"{type(error).__name__}: {error}")
        done.ended = soak.now
        CONSOLE.print(f"{done.began:7.1f} s  {done.name}, for {done.ended - done.began:.1f} s")
        moment = max(moment + interval, done.ended + RECOVERY_SECONDS + 5)


async def watch(soak: Soak) -> None:
    """Look at every process, for ever."""
    while True:
        at = soak.now
        for role, process in await asyncio.to_thread(lambda: list(soak.family())):
            with contextlib.suppress(psutil.Error):
                told = await asyncio.to_thread(process.memory_full_info)
                age = time.time() - process.create_time()
                soak.samples.append(
                    Sample(
                        *(at, role, process.pid, age, int(told.uss)),
                        *(process.num_fds(), process.num_threads()),
                    )
                )
        await asyncio.sleep(SAMPLE_SECONDS)


async def run(soak: Soak) -> None:
    """Load, faults and looking at processes together."""
    seconds = soak.given.minutes * 60
    soak.http = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=GIVE_UP_SECONDS),
        connector=aiohttp.TCPConnector(limit=0),
    )
    async with soak.http:
        soak.began = time.monotonic()
        for _ in range(20):
            await soak.page(soak.users[0], f"{uuid.uuid4()}")
        soak.asked.clear()
        soak.began = time.monotonic()
        watching = asyncio.create_task(watch(soak))
        await asyncio.gather(load(soak, seconds), break_it(soak, seconds))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def slope(samples: Sequence[Sample], what: str) -> tuple[float, float]:
    """Growth a second within processes, and the mean of what they hold.

    The slope is common to the processes of a role; each has a level of its own.
    """
    by_pid: dict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        by_pid[one.pid].append(one)
    times, values, level = [], [], []
    for group in by_pid.values():
        at = np.array([one.at for one in group])
        held = np.array([float(getattr(one, what)) for one in group])
        times.append(at - at.mean())
        values.append(held - held.mean())
        level.append(held)
    if not times:
        return 0.0, 0.0
    time_, value = np.concatenate(times), np.concatenate(values)
    square = float(time_ @ time_)
    return (float(time_ @ value) / square if square else 0.0), float(np.concatenate(level).mean())


def growth(soak: Soak) -> tuple[Table, list[str], dict[str, Any]]:
    """What processes grew by in the second half."""
    half = soak.given.minutes * 30
    table = Table("process", "what", "held", "grows", "allowed", title="second half of the run")
    problems, told = [], dict[str, Any]()
    for role in ("supervisor", "redis", "java", "worker", "transformer"):
        warm = [
            one
            for one in soak.samples
            if one.role == role and one.at >= half and one.age >= YOUNG_SECONDS
        ]
        for what, (least, share) in GROWTH.items():
            by, level = slope(warm, what)
            grown, allowed = by * half, max(least, share * level)
            # The event log of Redis grows until it is drained, by design.
            judged = not (role == "redis" and what == "uss") and len(warm) >= 6
            unit = 2**20 if what == "uss" else 1
            name = "MiB" if what == "uss" else what
            limit = f"{allowed / unit:.1f}" if judged else "not judged"
            table.add_row(role, name, f"{level / unit:.1f}", f"{grown / unit:+.2f}", limit)
            told[f"{role} {what}"] = {"held": level, "grown": grown, "allowed": allowed}
            if judged and grown > allowed:
                problems.append(f"{role} grew by {grown / unit:.1f} {name}")
    return table, problems, told


def judged(soak: Soak) -> tuple[Table, list[str]]:
    """What each kind of fault cost, and what must not have been."""
    budget = (soak.given.budget_ms + soak.given.grace_ms) / 1e3
    columns = (
        "fault",
        "times",
        "lasted s",
        "pages",
        "degraded",
        "last after s",
        "late",
        "worst ms",
    )
    table = Table(*columns, "found", title="what each fault cost")
    problems: list[str] = []
    at = np.array([one.at for one in soak.asked])
    took = np.array([one.took for one in soak.asked])
    bad = np.array([bool(one.causes) for one in soak.asked])
    near = np.zeros(len(at), np.bool_)
    for name, (_, may) in FAULTS.items():
        mine = [done for done in soak.faults if done.name == name]
        lasted, pages, spoilt, last, late, worst = 0.0, 0, 0, 0.0, 0, 0.0
        found = [problem for done in mine for problem in done.problems]
        for done in mine:
            within = (at >= done.began - budget) & (at <= done.ended + RECOVERY_SECONDS)
            near |= within
            lasted += done.ended - done.began
            pages, spoilt = pages + int(within.sum()), spoilt + int(bad[within].sum())
            after = at[within & bad & (at > done.ended)] - done.ended
            last = max(last, float(after.max()) if len(after) else 0.0)
            late += int((took[within] > budget).sum())
            worst = max(worst, float(took[within].max()) if within.any() else 0.0)
        if spoilt and not may:
            found.append(f"{spoilt} degraded pages, where none may be")
        problems += [f"{name}: {one}" for one in dict.fromkeys(found)]
        table.add_row(
            *(name, f"{len(mine)}", f"{lasted:.1f}", f"{pages:,}", f"{spoilt:,}", f"{last:.1f}"),
            *(f"{late:,}", f"{worst * 1e3:.0f}", "; ".join(dict.fromkeys(found))),
        )
    calm = ~near
    table.add_row(
        *("none", "", "", f"{int(calm.sum()):,}", f"{int(bad[calm].sum()):,}", ""),
        *(f"{int((took[calm] > budget).sum()):,}", f"{1e3 * took[calm].max(initial=0):.0f}", ""),
    )
    if bad[calm].any():
        causes = Counter(
            cause
            for one, quiet in zip(soak.asked, calm, strict=True)
            if quiet
            for cause in one.causes
        )
        problems.append(
            f"{int(bad[calm].sum())} degraded pages later than {RECOVERY_SECONDS:.0f} s after any "
            f"fault ({', '.join(f'{name} {count}' for name, count in causes.items())})"
        )
    statuses = Counter(one.status for one in soak.asked)
    if set(statuses) != {200}:
        problems.append(f"requests were not answered by a page: {dict(statuses)}")
    if (late_all := int((took > budget).sum())) > 0:
        problems.append(f"{late_all:,} of {len(took):,} answers came after {budget * 1e3:.0f} ms")
    return table, problems


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
        ports = {role: free_port() for role in PORTS.values()}
        told = {name: ports[role] for name, role in PORTS.items()}
        told |= {"paths.work": work, "serving.budget_ms": given.budget_ms}
        told |= {"serving.rate": 1e6, "serving.rate_burst": 1e6}
        sets = [f"{name}={value}" for name, value in told.items()] + given.assignments
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
                work=work,
                store=store,
                bundles=bundles,
                users=dataset.users().column("user_id").to_pylist(),
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
    fields = {name: getattr(told, name) for name in BundleRecord.model_fields}
    record = BundleRecord(**fields | {"encoder": f"{told.encoder}+{name}"})
    parts = {part: source.part(part) for part in told.parts}
    card = CardFacts("Copied for a soak.", (), (), "", (), ())
    return write_bundle(store.root, parts, record, card, RunRecord.here(name)).id


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while b"an event:" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"`shortlist up` did not start: {log.read_text()[-1_000:]}")
        time.sleep(0.2)


def main() -> None:
    """Soak, and end with a failure where something must not have been."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=Path, default=Path("work"), help="directory with bundles and datasets")
    add("--minutes", type=float, default=60.0, help="how long")
    add("--interval", type=float, default=60.0, help="seconds from one fault to the next")
    add("--hold", type=float, default=10.0, help="seconds that a pause or slowness lasts")
    add("--rate", type=float, default=20.0, help="pages a second")
    add("--budget-ms", type=float, default=100.0, help="serving.budget_ms")
    add("--grace-ms", type=float, default=50.0, help="for the hop to and from this program")
    add("--seed", type=int, default=7)
    add("--set", dest="assignments", action="append", default=[], help="a setting: NAME=VALUE")
    add("--out", type=Path, default=Path("work/benchmarks"), help="directory of the JSON")
    add("--log", type=Path, help="where what `shortlist up` said is copied to")
    given = parser.parse_args()
    with started(given) as soak:
        asyncio.run(run(soak))
        table, problems = judged(soak)
        held, grown, told = growth(soak)
    CONSOLE.print(table, held)
    took = np.array([one.took for one in soak.asked]) * 1e3
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    shown = f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f}, worst {took.max():.0f} ms"
    CONSOLE.print(f"{len(took):,} pages; {shown}")
    problems += grown
    given.out.mkdir(parents=True, exist_ok=True)
    whole = {
        "given": {name: str(value) for name, value in vars(given).items()},
        "load": os.getloadavg(),
        "faults": [asdict(done) for done in soak.faults],
        "pages": len(took),
        "ms": {"p50": p50, "p95": p95, "p99": p99, "worst": float(took.max())},
        "statuses": Counter(str(one.status) for one in soak.asked),
        "causes": Counter(cause for one in soak.asked for cause in one.causes),
        "growth": told,
        "problems": problems,
    }
    (given.out / "soak.json").write_text(json.dumps(whole, indent=2), encoding="utf-8")
    for problem in problems:
        CONSOLE.print(f"[red]FAILED[/red]: {problem}")
    CONSOLE.print("failed" if problems else "[green]held[/green]")
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
