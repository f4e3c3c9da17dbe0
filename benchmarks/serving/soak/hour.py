"""The hour itself: pages asked for at a rate, a fault every interval, processes looked at."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from benchmarks.serving.soak.faults import FAULTS, RECOVERY_SECONDS
from benchmarks.serving.soak.service import Done, Sample, Soak
from shortlist.online.keys import SHARDS, Keys
from shortlist.settings.online import OnlineSettings

GIVE_UP_SECONDS: Final = 30.0
SAMPLE_SECONDS: Final = 5.0


async def load(soak: Soak, seconds: float) -> None:
    """Ask at the rate, in sessions of three pages."""
    tasks: set[asyncio.Task[Any]] = set()

    def ended(task: asyncio.Task[Any]) -> None:
        tasks.discard(task)
        noted(soak, task.exception())

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
        task.add_done_callback(ended)
    await asyncio.gather(*tasks, return_exceptions=True)


def noted(soak: Soak, error: object) -> None:
    """Keep what the soak itself failed by; None is no failure."""
    if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
        soak.raised[f"{type(error).__name__}: {error}"] += 1


async def break_it(soak: Soak, seconds: float, say: Callable[[str], None]) -> None:
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
        say(f"{done.began:7.1f} s  {done.name}, for {done.ended - done.began:.1f} s")
        moment = max(moment + interval, done.ended + RECOVERY_SECONDS + 5)


async def log_bytes(soak: Soak) -> int | None:
    """What the event log takes in Redis, by its own count; None where it does not answer."""
    port, keys = soak.ports["online.embedded_port"], Keys(OnlineSettings().prefix)
    try:
        async with asyncio.timeout(1.0), Redis(port=port) as redis, redis.pipeline(False) as asked:
            for shard in range(SHARDS):
                asked.memory_usage(keys.log(shard))
            return sum(told or 0 for told in await asked.execute())
    except (RedisError, OSError, TimeoutError):
        return None


async def watch(soak: Soak) -> None:
    """Look at every process, for ever; at Redis where it tells how long its log is."""
    while True:
        at = soak.now
        log = await log_bytes(soak)
        for role, process in await asyncio.to_thread(lambda: list(soak.family())):
            if role == "redis" and log is None:
                continue
            with contextlib.suppress(psutil.Error):
                maps = await asyncio.to_thread(process.memory_maps)
                age = time.time() - process.create_time()
                soak.samples.append(
                    Sample(
                        *(at, role, process.pid, age, sum(one.anonymous for one in maps)),
                        *(process.num_fds(), process.num_threads()),
                        *((log or 0,) if role == "redis" else ()),
                    )
                )
        await asyncio.sleep(SAMPLE_SECONDS)


async def run(soak: Soak, say: Callable[[str], None]) -> None:
    """Load, faults and looking at processes together.

    Args:
        soak: the service.
        say: told of each fault that is over.
    """
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
        soak.due = 0
        soak.began = time.monotonic()
        watching = asyncio.create_task(watch(soak))
        await asyncio.gather(load(soak, seconds), break_it(soak, seconds, say))
        watching.cancel()
        (how,) = await asyncio.gather(watching, return_exceptions=True)
        noted(soak, how)
