"""From the Parquet store into Redis: histories and declared features of all users.

Loading is safe at any time and as often as one likes. What users did since the log ended stays on
top of what is loaded, a dataset that is under a history already is not entered again, and whoever
asked to be forgotten stays so. How far a load has come is noted in Redis itself, so a run that was
killed goes on, and a Redis that came back empty starts from nothing.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.events import Kind, kinds
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.errors import UnavailableError
from shortlist.online.client import Call
from shortlist.online.packing import HISTORY_HEAD, LATEST, LAYOUT, RECORD, Declared, digest
from shortlist.online.scripts import LOAD
from shortlist.online.store import OnlineStore

_BLOCK: Final = 100_000
"""Users whose log is held in memory at a time."""
_DAY: Final = 86_400
_UNUSED: Final = ("impression_id", "context")
_PATIENCE: Final = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did.

    Attributes:
        users: of the dataset.
        resumed_from: how many of them an earlier run had finished.
        entered: histories that were written.
        unchanged: users under whom the dataset lay already.
        forgotten: users who are left out because they asked for it.
        blocked: videos whose takedown was entered again.
        seconds: of this run.
    """

    users: int
    resumed_from: int
    entered: int
    unchanged: int
    forgotten: int
    blocked: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Packed:
    """One user as stored."""

    user: int
    history: bytes
    declared: bytes


async def load(
    dataset: Dataset,
    store: OnlineStore,
    *,
    last: dt.date | None = None,
    forgotten: Mapping[int, float] | None = None,
    blocked: Sequence[int] = (),
    progress: Callable[[int, int], None] = lambda _done, _users: None,
) -> Loaded:
    """Load a dataset.

    Args:
        dataset: what is loaded.
        store: into which.
        last: last day of the log that is loaded; all of it where None.
        forgotten: users who asked for it, and when, as the archive of the log knows them; what
            Redis knows itself counts as well.
        blocked: videos taken down, as the archive of the log knows them.
        progress: told how many users are done, of how many.

    Raises:
        UnavailableError: Redis is down, slow or full; the next run goes on.
        CorruptError: the dataset is torn.
    """
    began = time.monotonic()
    users, catalogue = Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    source, total = source_of(dataset, last), len(users)
    await store.block_all(blocked)
    await _note_forgotten(store, forgotten or {})
    start = await _progress(store, source, total)
    counts = {0: 0, 1: 0, 2: 0}
    done, batch = start, store.settings.load_users
    progress(done, total)
    for block in range(start, total, _BLOCK):
        stop = min(block + _BLOCK, total)
        packed = _packed(dataset, users, catalogue, slice(block, stop), source, store, last)
        for chunk in _chunks(packed, batch):
            calls = [_call(store, one) for one in chunk]
            for answer in await _patiently(store, calls):
                counts[int(answer)] += 1
            done += len(chunk)
            await _note_progress(store, source, done, total)
            progress(done, total)
    if start == total:
        await _note_progress(store, source, total, total)
    return Loaded(
        users=total,
        resumed_from=start,
        entered=counts[2],
        unchanged=counts[1],
        forgotten=counts[0],
        blocked=len(blocked),
        seconds=time.monotonic() - began,
    )


def source_of(dataset: Dataset, last: dt.date | None) -> int:
    """A number from 1 on that stands for a dataset's bytes up to a day."""
    return digest(dataset.record.digest.encode(), str(last).encode()) % LATEST + 1


def declared_of(row: Mapping[str, Any]) -> Declared:
    """What a row of the users table says."""
    return Declared(
        tuple(row["interests"] or ()), row["language"], row["activity"], row["age_band"]
    )


def _packed(
    dataset: Dataset,
    users: Users,
    catalogue: Catalogue,
    rows: slice,
    source: int,
    store: OnlineStore,
    last: dt.date | None,
) -> Iterator[_Packed]:
    """Users of a block of rows, in their order."""
    ids = users.ids[rows]
    columns = [name for name in schema.IMPRESSIONS.names if name not in _UNUSED]
    field = pc.field("user_id")
    where = (field >= int(ids[0])) & (field <= int(ids[-1]))
    table = dataset.impressions(columns, last=last, where=where)
    log = Interactions.from_table(table, users, catalogue)
    records = np.zeros(len(log), RECORD)
    records["video"], records["kind"] = table.column("video_id").to_numpy(), kinds(log)
    records["at"] = _seconds(table.column("shown_at"), log.day) + _moved(dataset, log.day)
    # Rows ascend by day, then by id: within a user in the order of time.
    order = np.argsort(log.user, kind="stable")
    records = records[order]
    clicked = np.r_[0, np.cumsum(records["kind"] >= Kind.CLICK)]
    first = rows.start
    borders = np.searchsorted(log.user[order], np.arange(first, rows.stop + 1))
    keep = store.settings.history_events
    said = users.table.slice(first, len(ids)).to_pylist()
    for place, row in enumerate(said):
        low, high = int(borders[place]), int(borders[place + 1])
        head = (LAYOUT, 0, high - low, int(clicked[high] - clicked[low]), source)
        mine = records[max(high - keep, low) : high]
        mine = mine[np.argsort(mine["at"], kind="stable")]
        yield _Packed(
            int(ids[place]),
            HISTORY_HEAD.pack(*head) + mine.tobytes(),
            declared_of(row).pack(),
        )


def _seconds(shown_at: pa.ChunkedArray, day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """When each row was shown; the beginning of its day where the log knows no more."""
    milliseconds = shown_at.cast(pa.int64()).fill_null(-1).to_numpy()
    known = np.where(milliseconds >= 0, milliseconds // 1000, day * _DAY)
    return np.clip(known, 0, LATEST)


def _moved(dataset: Dataset, day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Seconds by which the clock was later than the log, so that what Redis holds is known again.

    Live traffic that continues a log of the past is dated by the log there.
    """
    live = dataset.record.live
    if live is None:
        return np.zeros(len(day), np.int64)
    since = (live.first - dt.date(1970, 1, 1)).days
    return np.where(day >= since, live.moved * _DAY, 0)


def _call(store: OnlineStore, one: _Packed) -> Call:
    keys, settings = store.keys, store.settings
    names = [
        keys.history(one.user),
        keys.declared(one.user),
        keys.gone(keys.shard(one.user)),
    ]
    lifetime = max(int(settings.user_days * _DAY), 1)
    arguments: list[bytes | str | int] = [
        one.user,
        int(time.time()),
        settings.history_events,
        lifetime,
        one.history,
        one.declared,
    ]
    return Call(LOAD, names, arguments)


async def _patiently(store: OnlineStore, calls: Sequence[Call]) -> list[Any]:
    """Try again where Redis was away for a moment; every call may be sent twice."""
    for attempt in range(_PATIENCE):
        try:
            return await store.client.run(calls, slow=True)
        except UnavailableError:
            if attempt + 1 == _PATIENCE:
                raise
    raise AssertionError


async def _note_forgotten(store: OnlineStore, forgotten: Mapping[int, float]) -> None:
    commands = [
        ("ZADD", store.keys.gone(store.keys.shard(user)), "GT", int(at), user)
        for user, at in forgotten.items()
    ]
    for low in range(0, len(commands), 1_000):
        await store.client.run(commands[low : low + 1_000], slow=True)


async def _progress(store: OnlineStore, source: int, total: int) -> int:
    """How many users an unfinished load of this dataset has done."""
    (note,) = await store.client.run([("GET", store.keys.loaded)], slow=True)
    if note is None:
        return 0
    of, done, users = (int(part) for part in note.split(b":"))
    return done if (of, users) == (source, total) and done < total else 0


async def _note_progress(store: OnlineStore, source: int, done: int, total: int) -> None:
    note = f"{source}:{done}:{total}"
    await store.client.run([("SET", store.keys.loaded, note)], slow=True)


def _chunks(items: Iterator[_Packed], size: int) -> Iterator[list[_Packed]]:
    held: list[_Packed] = []
    for item in items:
        held.append(item)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
