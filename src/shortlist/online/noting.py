"""Noting: the archive learns who asked to be forgotten and what is down, whatever the log dropped.

A log that is full drops its oldest entries, tombstones and takedowns among them. Redis remembers
both for ever beside the log, so what the archive lacks of them is written as a segment of its own.
A restore that was dropped is not made up for: the video stays down until it is restored again.
"""

import time
from collections.abc import Iterator
from typing import Final

from shortlist.online.archive import Archive, Place, Taken
from shortlist.online.blocklist import Blocklist
from shortlist.online.entries import EntryType, Note, pack_entry
from shortlist.online.keys import SHARDS
from shortlist.online.store import OnlineStore

_SHARDS_AT_ONCE: Final = 32
_LAST: Final = 2**63 - 1
"""A place in the log after all others of its millisecond, where no entry ever stood."""
_SLACK_MS: Final = 1_000
"""By which a tombstone may be older by Redis's clock than by that of whoever asked."""


async def note_what_is_missing(store: OnlineStore, archive: Archive) -> int:
    """Enter tombstones and takedowns that Redis knows and the archive does not; how many.

    Raises:
        UnavailableError: Redis is down, slow or refuses; the next run goes on.
        StorageError: the disk refuses.
        CorruptError: a segment is torn.
    """
    known = archive.notes()
    members, *gone = await _remembered(store)
    blocked = Blocklist.of(members, b"").video.tolist()
    down = sorted(set(blocked) - set(known.blocked))
    missing = [_taken(EntryType.TAKEDOWN, 0, video, int(time.time() * 1e3)) for video in down]
    for shard, users in enumerate(gone):
        for user, at_ms in _users(users):
            tombstone = known.forgotten.get(user)
            if tombstone is None or at_ms > tombstone[1] * 1e3 + _SLACK_MS:
                missing.append(_taken(EntryType.FORGET, shard, user, at_ms))
    if missing:
        archive.write(missing)
    return len(missing)


async def _remembered(store: OnlineStore) -> list[list[bytes]]:
    """The blocklist, then of every part who is gone, each followed by when."""
    found = list(await store.client.run([("SMEMBERS", store.keys.blocked)], slow=True))
    for low in range(0, SHARDS, _SHARDS_AT_ONCE):
        shards = range(low, min(low + _SHARDS_AT_ONCE, SHARDS))
        commands = [("ZRANGE", store.keys.gone(i), 0, -1, "WITHSCORES") for i in shards]
        found += await store.client.run(commands, slow=True)
    return [list(one) for one in found]


def _users(answer: list[bytes]) -> Iterator[tuple[int, int]]:
    """Users and milliseconds since 1970-01-01."""
    for user, at in zip(answer[::2], answer[1::2], strict=True):
        yield int(user), int(float(at) * 1e3)


def _taken(kind: EntryType, shard: int, subject: int, at_ms: int) -> Taken:
    note = Note(kind, subject, at_ms / 1e3)
    return Taken(Place(shard, at_ms, _LAST), note, pack_entry(note))
