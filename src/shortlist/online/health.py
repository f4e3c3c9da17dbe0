"""What an operator asks of the store: is it there, how full is it, what is loaded."""

import time
from dataclasses import dataclass
from typing import Any

from shortlist.online.keys import SHARDS
from shortlist.online.store import OnlineStore


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the store.

    Attributes:
        version: of Redis.
        milliseconds: of one round trip.
        memory_bytes: that Redis uses.
        memory_limit_bytes: that it may use; 0 where it has no limit.
        eviction: what it does at the limit.
        persistent: whether it keeps what it was told on disk.
        loaded: users that were loaded, of how many; None where nothing was.
        waiting: entries of the event log that were not drained yet.
        fullest: entries in the fullest part of the log, over what a part holds at most.
        blocked: videos taken down.
    """

    version: str
    milliseconds: float
    memory_bytes: int
    memory_limit_bytes: int
    eviction: str
    persistent: bool
    loaded: tuple[int, int] | None
    waiting: int
    fullest: float
    blocked: int

    def faults(self) -> list[str]:
        """What should be changed, a sentence each."""
        found = []
        if self.eviction not in ("noeviction", "volatile-lru", "volatile-lfu", "volatile-ttl"):
            found.append(
                f"maxmemory-policy {self.eviction} may drop the event log and the blocklist; set "
                "volatile-lru"
            )
        if not self.persistent:
            found.append("nothing is on disk: a restart loses the event log; set appendonly yes")
        if self.fullest > 0.8:
            found.append(
                f"the event log is {self.fullest:.0%} full; drain it, or raise online.log_entries"
            )
        if self.loaded is None:
            found.append("no dataset is loaded; run `shortlist online load`")
        elif self.loaded[0] < self.loaded[1]:
            found.append("a load was not finished; run `shortlist online load` again")
        return found


async def health(store: OnlineStore) -> Health:
    """Ask.

    Raises:
        UnavailableError: Redis is down, slow or refuses.
    """
    client, keys = store.client, store.keys
    await client.run([("GET", keys.blocked_version)], slow=True)  # The first one connects.
    began = time.perf_counter()
    await client.run([("GET", keys.blocked_version)], slow=True)
    milliseconds = (time.perf_counter() - began) * 1e3
    facts: dict[str, Any] = await client.within(client.redis.info, slow=True)
    if "redis_version" not in facts:
        facts = next(iter(facts.values()))  # Of a cluster, the first node's.
    logs = [("XLEN", keys.log(shard)) for shard in range(SHARDS)]
    lengths = [int(length) for length in await client.run(logs, slow=True)]
    note, blocked = await client.run([("GET", keys.loaded), ("SCARD", keys.blocked)], slow=True)
    parts = [] if note is None else [int(part) for part in note.split(b":")]
    return Health(
        version=str(facts["redis_version"]),
        milliseconds=milliseconds,
        memory_bytes=int(facts["used_memory"]),
        memory_limit_bytes=int(facts.get("maxmemory", 0)),
        eviction=str(facts.get("maxmemory_policy", "noeviction")),
        persistent=bool(int(facts.get("aof_enabled", 0))),
        loaded=(parts[1], parts[2]) if parts else None,
        waiting=sum(lengths),
        fullest=max(lengths) / max(store.settings.log_entries // SHARDS, 1),
        blocked=int(blocked),
    )
