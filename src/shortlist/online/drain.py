"""From the event log to Parquet: every event once, whatever is killed when.

Two steps, each of which may be cut off anywhere and done again. *Taking* moves entries from Redis
into the archive: a segment is on disk before its entries are deleted, and whoever comes next
deletes what the newest segment names before taking more. *Making* turns the archive into a dataset:
days that new entries touch are made again from the archive, others are kept as they are, and the
dataset is replaced in one rename. So an outcome that comes late changes its impression's row, an
event sent twice counts once, and a user who asked for it is gone from both.
"""

import datetime as dt
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.bundle.durable import exclusive
from shortlist.datasets.layout import RECORD, day_file, digest_of
from shortlist.datasets.schema import USERS
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import CorruptError, NotFoundError
from shortlist.files import make_directory, staged_file
from shortlist.online.archive import (
    UNREADABLE,
    Archive,
    Place,
    Taken,
    read_segments,
    utc_day,
)
from shortlist.online.entries import EntryType, unpack_entry
from shortlist.online.joining import DAY_MS, HOUR_MS, impressions_table, join_day, reach
from shortlist.online.keys import SHARDS
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

_MADE: Final = "made.json"
_SOURCE: Final = "the event log of the online store"
_DELETED_AT_ONCE: Final = 1_000
_LOCK_SECONDS: Final = 1.0
_EPOCH: Final = dt.date(1970, 1, 1)

Reached = Callable[[str], None]
"""Told the name of each stage when it is reached; a test kills there."""


class _Made(BaseModel):
    """What the dataset was last made of; the next run finds by it which days have changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segments: tuple[str, ...]
    settled_ms: int
    of: str
    """Digest of the base dataset, and of the settings that shape rows."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain did.

    Attributes:
        taken: entries taken from the log.
        purged: entries deleted because their users asked to be forgotten.
        dataset: what there is now; None where no impression is settled yet.
        days_made: days that were made or made again.
        waiting: impressions that wait for their outcomes, and come with a later drain.
        late: outcomes, among the days made, that came too late for the page they name, and events
            that arrived more than ``online.event_id_days`` after they happened.
        unreadable: entries, of all, that cannot be read; the archive keeps their bytes.
        duplicates: entries, of all, that were sent again.
        unknown_videos: impressions, among the days made, of videos that the base lacks.
    """

    taken: int
    purged: int
    dataset: Dataset | None
    days_made: tuple[dt.date, ...]
    waiting: int
    late: int
    unreadable: int
    duplicates: int
    unknown_videos: int


def archive_directory(work: Path, name: str) -> Path:
    """Where the archive of a drained dataset lies, given the setting ``paths.work``."""
    return work / "online" / name


async def drain(
    store: OnlineStore,
    base: Dataset,
    archive: Archive,
    into: Path,
    *,
    now: float | None = None,
    reached: Reached = lambda _stage: None,
) -> Drained:
    """Take what the log has, and make the dataset anew.

    Args:
        store: whose log.
        base: whose users and videos the dataset has; users whom it lacks are added.
        archive: of this log alone.
        into: directory of the dataset.
        now: seconds since 1970-01-01; by the clock where None.
        reached: told of each stage.

    Raises:
        UnavailableError: Redis is down, slow or refuses; the next run goes on.
        StorageError: the disk refuses, or another drain is running.
        CorruptError: the archive or a dataset is torn.
    """
    archive.prepare()
    with exclusive(archive.directory, _LOCK_SECONDS):
        archive.prepare()
        taken = await take(store, archive, reached)
        clock = time.time() if now is None else now
        return make(archive, base, into, store.settings, clock, taken=taken, reached=reached)


async def take(store: OnlineStore, archive: Archive, reached: Reached = lambda _stage: None) -> int:
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


def make(
    archive: Archive,
    base: Dataset,
    into: Path,
    settings: OnlineSettings,
    now: float,
    *,
    taken: int = 0,
    reached: Reached = lambda _stage: None,
) -> Drained:
    """Make the dataset of an archive; see `drain`."""
    notes, segments = archive.notes(), archive.segments()
    settled = int((now - settings.settle_minutes * 60) * 1e3)
    join = int(settings.join_hours * HOUR_MS)
    of = _digest(base.record.digest, join, settings.event_id_days)
    before = _read_made(archive)
    previous = _opened(into)
    if before is None or before.of != of or previous is None:
        before = None
    names = tuple(segment.name for segment in segments)
    new = [one for one in segments if before is None or one.name not in before.segments]
    fresh = _forgotten_in(new, notes.forgotten)
    changed = _changed(new, segments, join, before, settled)
    if before is not None and previous is not None:
        changed |= _days_of(previous, fresh)
    purged = archive.purge({user: notes.forgotten[user] for user in fresh})
    reached("purged")
    made = _Making(archive, base, settings, settled)
    kept = [] if before is None or previous is None else previous.days()
    days = sorted({*changed, *kept})
    dataset = None
    if days:
        key = _digest(of, settled, names, sorted(notes.forgotten.items()))
        if previous is None or previous.record.key != key:
            writer = _Growing(into, _SOURCE, key)
            for day in days:
                if writer.has_day(day):
                    continue
                stays = previous is not None and day not in changed
                if not (stays and previous and writer.keep_day(day, previous)):
                    table = made.day(day)
                    if table.num_rows:
                        writer.write_day(day, table)
                reached("day")
            dataset = made.finish(writer, notes.forgotten, into)
        else:
            dataset = previous
    reached("finished")
    _write_made(archive, _Made(segments=names, settled_ms=settled, of=of))
    reached("noted")
    facts = read_segments(segments, ["type", "duplicate"])
    return Drained(
        taken=taken,
        purged=purged,
        dataset=dataset,
        days_made=tuple(sorted(changed)),
        waiting=made.waiting,
        late=made.late,
        unreadable=int(pc.sum(pc.equal(facts.column("type"), UNREADABLE)).as_py() or 0),
        duplicates=int(pc.sum(facts.column("duplicate")).as_py() or 0),
        unknown_videos=made.unknown,
    )


class _Growing(DatasetWriter):
    """Writes a dataset of which most days stay as they are."""

    def keep_day(self, day: dt.date, previous: Dataset) -> bool:
        """Take a day over, byte for byte and without copying where the disk can.

        Returns:
            Whether it was as its record says; if not, nothing was taken over.
        """
        name = day_file(day)
        target, source = self._data / name, previous.file(name)
        if digest_of(source) != previous.record.files[name]:
            return False
        make_directory(target.parent)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            with staged_file(target) as aside:
                shutil.copyfile(source, aside)
        return True

    def users_seen(self) -> set[int] | None:
        """Users of all days written; None where no day was."""
        files = sorted(self._data.glob("impressions/day=*/*.parquet"))
        seen: set[int] = set()
        for file in files:
            seen.update(pc.unique(pq.read_table(file, columns=["user_id"])[0]).to_pylist())
        return seen if files else None


class _Making:
    """Makes days, and counts what is left over."""

    def __init__(
        self, archive: Archive, base: Dataset, settings: OnlineSettings, settled: int
    ) -> None:
        self._segments = archive.segments()
        self._base = base
        self._join = int(settings.join_hours * HOUR_MS)
        self._oldest = int(settings.event_id_days * DAY_MS)
        self._settled = settled
        videos = base.videos()
        durations = videos.column("duration_seconds").cast(pa.float64()).fill_null(0.0).to_pylist()
        self._duration = dict(zip(videos.column("video_id").to_pylist(), durations, strict=True))
        self.waiting = self.late = self.unknown = 0

    def day(self, day: dt.date) -> pa.Table:
        """The impressions of a day."""
        first, last = reach(day, self._join)
        at = pc.field("at_ms")
        where = (at >= first) & (at <= last) & ~pc.field("duplicate")
        where &= pc.field("type").isin([int(EntryType.EVENT), int(EntryType.PAGE)])
        columns = [
            *("type", "identity", "subject", "at_ms", "received_ms"),
            *("video", "action", "watch_seconds"),
            *("request_id", "session_id", "position", "propensity", "context"),
            *("videos", "positions", "propensities", "random"),
        ]
        entries = read_segments(self._segments, columns, where).to_pylist()
        timely = [one for one in entries if one["received_ms"] - one["at_ms"] <= self._oldest]
        joined = join_day(timely, day, self._join)
        self.late += joined.late
        if len(timely) < len(entries):
            stale = [one for one in entries if one["received_ms"] - one["at_ms"] > self._oldest]
            self.late += sum(utc_day(one["at_ms"]) == day for one in stale)
        self.waiting += sum(row.at > self._settled for row in joined.rows)
        self.unknown += sum(row.video not in self._duration for row in joined.rows)
        return impressions_table(joined.rows, self._duration, self._settled)

    def finish(
        self, writer: _Growing, forgotten: Mapping[int, object], into: Path
    ) -> Dataset | None:
        """Put the dataset in place, with its users and videos; None where nothing is left."""
        seen = writer.users_seen()
        if seen is None:
            writer.close()
            # Nobody is left of whom it could speak: what stood here is gone as well.
            (into / RECORD).unlink(missing_ok=True)
            return None
        writer.write_videos(self._base.videos())
        writer.write_users(_users(self._base.users(), seen, forgotten))
        return writer.finish()


def _users(base: pa.Table, seen: set[int], forgotten: Iterable[int]) -> pa.Table:
    """Users of the base but for those forgotten, and whoever else was seen, ascending."""
    # Who came back after he was forgotten is a newcomer, of whom nothing is known.
    gone = pa.array(list(forgotten), pa.int64())
    left = base.filter(pc.invert(pc.is_in(base.column("user_id"), value_set=gone)))
    added = sorted(seen.difference(left.column("user_id").to_pylist()))
    blank = {field.name: pa.nulls(len(added), field.type) for field in USERS}
    blank["user_id"] = pa.array(added, pa.int64())
    both = pa.concat_tables([left, pa.table(blank, schema=USERS)])
    return both.take(pc.sort_indices(both, [("user_id", "ascending")])).combine_chunks()


async def _read(store: OnlineStore, count: int) -> list[Taken]:
    """Some of the oldest entries of every part of the log."""
    taken: list[Taken] = []
    each = max(count // SHARDS, 100)
    for low in range(0, SHARDS, 32):
        shards = range(low, min(low + 32, SHARDS))
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


def _changed(
    new: list[Path], segments: list[Path], join: int, before: _Made | None, settled: int
) -> set[dt.date]:
    """Days whose rows may differ from those of the dataset."""
    kinds = pc.field("type").isin([int(EntryType.EVENT), int(EntryType.PAGE)])
    at = read_segments(new, ["at_ms"], kinds).column("at_ms").to_numpy()
    if before is not None:
        # What waited then and is settled now.
        waited = kinds & (pc.field("at_ms") > before.settled_ms) & (pc.field("at_ms") <= settled)
        at = np.r_[at, read_segments(segments, ["at_ms"], waited).column("at_ms").to_numpy()]
    # An entry has a say in rows so far before it and after it.
    spans = np.unique(np.stack([at - join, at + join], axis=1) // DAY_MS, axis=0)
    return {_EPOCH + dt.timedelta(days=n) for low, high in spans for n in range(low, high + 1)}


def _forgotten_in(segments: list[Path], forgotten: Mapping[int, object]) -> set[int]:
    """Users with a tombstone in some segments."""
    where = (pc.field("type") == int(EntryType.FORGET)) & ~pc.field("duplicate")
    found = read_segments(segments, ["subject"], where).column("subject").to_pylist()
    return set(found) & set(forgotten)


def _days_of(dataset: Dataset, users: set[int]) -> set[dt.date]:
    if not users:
        return set()
    where = pc.field("user_id").isin(list(users))
    return set(dataset.impressions(["day"], where=where).column("day").to_pylist())


def _opened(path: Path) -> Dataset | None:
    try:
        return Dataset.open(path)
    except NotFoundError:
        return None


def _read_made(archive: Archive) -> _Made | None:
    try:
        return _Made.model_validate_json((archive.directory / _MADE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # Then every day is made again.


def _write_made(archive: Archive, made: _Made) -> None:
    with staged_file(archive.directory / _MADE) as aside:
        aside.write_text(made.model_dump_json(indent=1) + "\n")


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
