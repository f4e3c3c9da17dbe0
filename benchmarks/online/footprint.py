"""What a user costs in Redis, in bytes by value, and what each round trip costs, in microseconds.

Starts a Redis of its own. Wall time is the median of many round trips one after the other; CPU is
this process's and Redis's together, a round trip::

    .venv/bin/python benchmarks/online/footprint.py --trips 500
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from shortlist.online.embedded import embedded
from shortlist.online.entries import Action, Event, ServedPage, kind_of
from shortlist.online.lists import Planned, StoredList
from shortlist.online.packing import Declared, UserVector
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

OUT: Final = Path("work/benchmarks/online-footprint.json")
BUNDLE: Final = "0123456789abcdef" * 2
NOW: Final = 1.8e9
USER: Final = 5


def click(number: int) -> Event:
    """One of a user's events."""
    name = f"5f0c2f9e-7a31-4c6b-9c55-{number:012d}"
    kind = kind_of(Action.CLICK)
    return Event(name, USER, number, Action.CLICK, NOW + number, kind, None, name, "session")


def page(number: int) -> ServedPage:
    """A page of ten."""
    videos = np.arange(10) + 10 * number
    ones = np.ones(10)
    return ServedPage(
        f"5f0c2f9e-7a31-4c6b-9c55-{number:012d}",
        USER,
        NOW + number,
        videos,
        np.arange(10, dtype=np.int16),
        ones,
        np.zeros(10, np.bool_),
        BUNDLE,
        "session",
        "",
        np.ones(32, np.float32),
    )


def ranked() -> StoredList:
    """A list of a hundred, five pages of ten planned, for twelve reasons."""
    share = np.linspace(1, 0, 100).astype(np.float32)
    reasons = [f"You liked a video tagged thing {number % 12:02}" for number in range(50)]
    planned = Planned(10, np.arange(10, 60), tuple(reasons))
    sources = np.ones(100, np.uint8)
    return StoredList(BUNDLE, 1, NOW, 0, np.arange(100), share, share, sources, planned)


async def bytes_of(store: OnlineStore, name: str) -> int:
    """What Redis says that a key takes, its name and overhead included."""
    (size,) = await store.client.run([("MEMORY", "USAGE", name, "SAMPLES", 0)])
    return int(size or 0)


async def footprint(store: OnlineStore) -> dict[str, int]:
    """Bytes of a user with 100 events, and of one with all that is kept; and of the log."""
    keys, settings = store.keys, store.settings
    said = Declared(("cooking", "travel", "games", "music"), "de", "daily", "25-34")
    await store.client.run([("SET", keys.declared(USER), said.pack())])
    found: dict[str, int] = {}
    for number in range(settings.history_events):
        await store.append([click(number)], now=NOW + number)
        if number == 99:
            found["history, 100 events"] = await bytes_of(store, keys.history(USER))
            found["event ids, 100"] = await bytes_of(store, keys.event_ids(USER))
    for number in range(settings.history_events, settings.event_ids):
        await store.append([click(number)], now=NOW + number)
    found[f"history, {settings.history_events} events"] = await bytes_of(store, keys.history(USER))
    found[f"event ids, {settings.event_ids}"] = await bytes_of(store, keys.event_ids(USER))
    found["declared features"] = await bytes_of(store, keys.declared(USER))
    log = keys.log(keys.shard(USER))
    before = await bytes_of(store, log)
    found["log, an event"] = round(before / settings.event_ids)
    vector = UserVector(BUNDLE, 1, np.ones(128, np.float32))
    for number in range(100):
        await store.served(page(number), ranked=ranked(), vector=vector)
        if number == 4:
            found["session of 5 pages, and its list"] = await bytes_of(store, keys.sessions(USER))
    found["session of 50 pages, and its list"] = await bytes_of(store, keys.sessions(USER))
    found["user vector, width 128"] = await bytes_of(store, keys.vector(USER))
    found["log, a page of 10"] = round((await bytes_of(store, log) - before) / 100)
    return found


async def trips(store: OnlineStore, count: int) -> list[dict[str, Any]]:
    """Time of each kind of round trip."""
    vector = UserVector(BUNDLE, 1, np.ones(128, np.float32))
    kinds: dict[str, Any] = {
        "PING": lambda _: store.client.run([("PING",)]),
        "fetch": lambda _: store.fetch(USER, "session"),
        "append, 1 event": lambda n: store.append([click(10**6 + n)], now=NOW + 10**6 + n),
        "served, with list and vector": lambda n: store.served(
            page(n), ranked=ranked(), vector=vector
        ),
    }
    rows = []
    for name, trip in kinds.items():
        await trip(0)
        wall, began = [], await _cpu(store)
        for number in range(1, count + 1):
            start = time.perf_counter()
            await trip(number)
            wall.append((time.perf_counter() - start) * 1e6)
        ours, redis = (b - a for a, b in zip(began, await _cpu(store), strict=True))
        rows.append(
            {
                "round trip": name,
                "wall_us": statistics.median(wall),
                "cpu_us": ours / count * 1e6,
                "redis_cpu_us": redis / count * 1e6,
            }
        )
    return rows


async def _cpu(store: OnlineStore) -> tuple[float, float]:
    facts = await store.client.redis.info("cpu")
    redis = float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])
    return time.process_time(), redis


async def measure(settings: OnlineSettings, count: int) -> dict[str, Any]:
    """Both tables."""
    store = OnlineStore.connect(settings)
    try:
        return {"bytes": await footprint(store), "trips": await trips(store, count)}
    finally:
        await store.close()


def main() -> None:
    """Print both tables, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trips", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, embedded(Path(home), durable=False) as given:
        patient = given.model_copy(update={"timeout_ms": 10_000.0})
        found = asyncio.run(measure(patient, arguments.trips))
    console = Console()
    table = Table("value", "bytes in Redis")
    for name, size in found["bytes"].items():
        table.add_row(name, f"{size:,}")
    console.print(table)
    table = Table("round trip", "wall, us", "CPU here, us", "CPU of Redis, us")
    for row in found["trips"]:
        table.add_row(row["round trip"], *(f"{row[k]:,.0f}" for k in list(row)[1:]))
    console.print(table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2) + "\n")
    console.print(f"written to {OUT}")


if __name__ == "__main__":
    main()
