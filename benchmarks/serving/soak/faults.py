"""What is done to the service: twelve faults, each until it is over, and what each found."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.serving.soak.service import Done, Soak
from shortlist.serving.company import answers
from shortlist.serving.readiness import why_not_ready
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.health import READY_PATH
from shortlist.wire.recommend import V1_PATH

RECOVERY_SECONDS: Final = 10.0
"""After a fault pages have so long to be whole, and a publication to serve."""

TRANSFORMER_KILLED: Final = "transformer killed"
"""The one fault that may cut off connections; a page is then asked for once more."""
_WORKER: Final = "model_handlers.transformer.worker"

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
    port = soak.ports["online.embedded_port"]

    async def asked() -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
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
    soak.role("worker").kill()
    await asyncio.sleep(1.0)
    await until(lambda: _ready(soak))


async def predictor_killed(soak: Soak, _: Done) -> None:
    """Java is killed, and its workers go with it; the supervisor starts it again."""
    soak.role("java").kill()
    await asyncio.sleep(1.0)
    await until(lambda: _ready(soak))


async def _ready(soak: Soak) -> bool:
    management = soak.ports["serving.predictor_management_port"]
    return await asyncio.to_thread(why_not_ready, management) is None


async def transformer_killed(soak: Soak, _: Done) -> None:
    """One process of the transformer is killed; others answer until its parent has another."""
    before = soak.roles("transformer")
    if len(before) < 2:
        raise LookupError("the transformer has one process; set serving.transformer_workers=2")
    killed, command = before[0], before[0].cmdline()
    directory = Path(command[command.index(_WORKER) + 3])
    killed.kill()

    def whole() -> bool:
        found = [one.pid for one in soak.roles("transformer") if one.pid != killed.pid]
        return len(found) == len(before) and all(answers(directory, pid) for pid in found)

    await until(lambda: asyncio.to_thread(whole))


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
    "predictor killed": (predictor_killed, True),
    TRANSFORMER_KILLED: (transformer_killed, True),
    "rollback": (rollback, False),
    "redis paused": (redis_paused, True),
    "malformed burst": (malformed, False),
    "event burst": (events, False),
}
"""What is done, and whether pages may be degraded while it lasts."""
