"""Taking: entries go from the log in Redis into the archive, each once, whatever is killed when.

A segment is on disk before its entries are deleted in Redis; and whoever comes next deletes what
the newest segment names before taking more.
"""

from collections.abc import Callable
from typing import Final

from shortlist.errors import CorruptError
from shortlist.online.archive import Archive, Place, Taken
from shortlist.online.entries import unpack_entry
from shortlist.online.keys import SHARDS
from shortlist.online.store import OnlineStore

_DELETED_AT_ONCE: Final = 1_000
_SHARDS_AT_ONCE: Final = 32
_LEAST: Final = 100
"""Entries read of a part of the log at a time, at least."""

Reached = Callable[[str], None]
"""Told the name of each stage when it is reached; a test kills there."""


def unheard(_stage: str) -> None:
    """Nobody listens."""


async def take(store: OnlineStore, archive: Archive, reached: Reached = unheard) -> int:
    """Move all entries of the log into the archive; how many there were.

    Raises:
        UnavailableError: Redis is down, slow or refuses; the next run goes on.
        StorageError: the disk refuses.
    """
    segments = archive.segments()
    if segments:
        # What a run that was killed had written and not deleted.
        await _delete(store, archive.places(segments[-1]), reached)
    total = 0
    while True:
        taken = await _read(store, store.settings.drain_entries)
        if not taken:
            return total
        reached("read")
        segment = archive.write(taken)
        reached("written")
        await _delete(store, archive.places(segment), reached)
        reached("deleted")
        total += len(taken)


async def _read(store: OnlineStore, count: int) -> list[Taken]:
    """Some of the oldest entries of every part of the log."""
    taken: list[Taken] = []
    each = max(count // SHARDS, _LEAST)
    for low in range(0, SHARDS, _SHARDS_AT_ONCE):
        shards = range(low, min(low + _SHARDS_AT_ONCE, SHARDS))
        commands = [("XRANGE", store.keys.log(i), "-", "+", "COUNT", each) for i in shards]
        answers = await store.client.run(commands, slow=True)
        for shard, entries in zip(shards, answers, strict=True):
            taken.extend(_taken(shard, entry) for entry in entries)
        if len(taken) >= count:
            break
    return taken


def _taken(shard: int, entry: tuple[bytes, list[bytes] | dict[bytes, bytes]]) -> Taken:
    name, fields = entry
    milliseconds, _, sequence = name.partition(b"-")
    if isinstance(fields, dict):
        wire = fields.get(b"e", b"")
    else:
        wire = dict(zip(fields[::2], fields[1::2], strict=True)).get(b"e", b"")
    place = Place(shard, int(milliseconds), int(sequence))
    try:
        return Taken(place, unpack_entry(wire), wire)
    except CorruptError:
        return Taken(place, None, wire)


async def _delete(store: OnlineStore, places: list[Place], reached: Reached) -> None:
    by_shard: dict[int, list[str]] = {}
    for place in places:
        by_shard.setdefault(place.shard, []).append(place.name)
    for shard, names in by_shard.items():
        for low in range(0, len(names), _DELETED_AT_ONCE):
            some = names[low : low + _DELETED_AT_ONCE]
            await store.client.run([("XDEL", store.keys.log(shard), *some)], slow=True)
            reached("deleting")
