"""Making: the archive becomes a dataset; days that nothing new touches are kept as they are.

A day is a function of the archive, the base dataset and the settings, and the dataset is replaced
in one rename: a run that was killed is simply done again. So an outcome that comes late changes its
impression's row, an event sent twice counts once, and whoever asked to be forgotten is gone from
the archive and from the dataset.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.datasets.layout import RECORD
from shortlist.datasets.schema import USERS
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import NotFoundError
from shortlist.files import staged_file
from shortlist.online.archive import (
    UNREADABLE,
    Archive,
    read_segments,
    utc_day,
)
from shortlist.online.entries import EntryType
from shortlist.online.joining import DAY_MS, HOUR_MS, impressions_table, join_day, reach
from shortlist.online.taking import Reached, unheard
from shortlist.settings.online import OnlineSettings

_MADE: Final = "made.json"
_SOURCE: Final = "the event log of the online store"
_EPOCH: Final = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of the archive.

    Attributes:
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

    purged: int
    dataset: Dataset | None
    days_made: tuple[dt.date, ...]
    waiting: int
    late: int
    unreadable: int
    duplicates: int
    unknown_videos: int


class _Note(BaseModel):
    """What the dataset was last made of; the next run finds by it which days have changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segments: tuple[str, ...]
    settled_ms: int
    of: str
    """Digest of the base dataset, and of the settings that shape rows."""


def make(
    archive: Archive,
    base: Dataset,
    into: Path,
    settings: OnlineSettings,
    now: float,
    *,
    reached: Reached = unheard,
) -> Made:
    """Make the dataset of an archive.

    Args:
        archive: of the event log; entries of forgotten users are deleted from it.
        base: whose users and videos the dataset has; users whom it lacks are added.
        into: directory of the dataset.
        settings: how outcomes join impressions.
        now: seconds since 1970-01-01.
        reached: told of each stage.

    Raises:
        StorageError: the disk refuses, or another process is writing the dataset.
        CorruptError: the archive or a dataset is torn.
    """
    notes, segments = archive.notes(), archive.segments()
    settled = int((now - settings.settle_minutes * 60) * 1e3)
    join = int(settings.join_hours * HOUR_MS)
    of = _digest(base.record.digest, base.origin.key, join, settings.event_id_days)
    before = _read_made(archive)
    previous = _opened(into)
    if before is None or before.of != of or previous is None:
        before = None
    names = tuple(segment.name for segment in segments)
    new = [one for one in segments if before is None or one.name not in before.segments]
    fresh = _forgotten_in(new, notes.forgotten)
    changed = _changed(new, segments, join, before)
    if before is not None and previous is not None:
        changed |= _days_of(previous, fresh)
    purged = archive.purge({user: notes.forgotten[user] for user in fresh})
    reached("purged")
    made = _Making(archive, base, settings, settled)
    kept = [] if before is None or previous is None else previous.days()
    days = sorted({*changed, *kept})
    dataset = previous
    if days:
        key = _digest(of, settled, names, sorted(notes.forgotten.items()))
        if previous is None or previous.record.key != key:
            writer = _Growing(into, _SOURCE, key, base=base.origin)
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
    reached("finished")
    _write_made(archive, _Note(segments=names, settled_ms=settled, of=of))
    reached("noted")
    facts = read_segments(segments, ["type", "duplicate"])
    return Made(
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
    """Writes a dataset, and knows who is in it."""

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


def _changed(
    new: list[Path], segments: list[Path], join: int, before: _Note | None
) -> set[dt.date]:
    """Days whose rows may differ from those of the dataset."""
    kinds = pc.field("type").isin([int(EntryType.EVENT), int(EntryType.PAGE)])
    at = read_segments(new, ["at_ms"], kinds).column("at_ms").to_numpy()
    if before is not None:
        # What waited then may be settled now.
        waited = kinds & (pc.field("at_ms") > before.settled_ms)
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


def _read_made(archive: Archive) -> _Note | None:
    try:
        return _Note.model_validate_json((archive.directory / _MADE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # Then every day is made again.


def _write_made(archive: Archive, made: _Note) -> None:
    with staged_file(archive.directory / _MADE) as aside:
        aside.write_text(made.model_dump_json(indent=1) + "\n")


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
