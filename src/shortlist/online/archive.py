"""The archive: what was taken from the log, in files that are never half-written or taken twice.

Each file (a segment) is one Parquet table of entries in the order in which they were taken. It is
on disk, whole, before its entries leave Redis; and it names them, so whoever finds the newest
segment can delete in Redis what a killed run had no time to. An entry that bears the id of an
earlier one is kept and marked: it counts for nothing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from shortlist.bundle.durable import flush
from shortlist.errors import CorruptError
from shortlist.files import make_directory, staged_file, sweep_staging
from shortlist.online.entries import Entry, EntryType, Event, Note, ServedPage
from shortlist.online.packing import digest

SEGMENT: Final = pa.schema(
    [
        # Where the entry stood in the log. The milliseconds say when it was received.
        pa.field("shard", pa.int16(), nullable=False),
        pa.field("received_ms", pa.int64(), nullable=False),
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("type", pa.int8(), nullable=False),
        # A hash of what tells an entry from others: of events user and id, of pages the request.
        pa.field("identity", pa.uint64(), nullable=False),
        pa.field("duplicate", pa.bool_(), nullable=False),
        pa.field("id", pa.string()),
        # The user; of a takedown, the video.
        pa.field("subject", pa.int64()),
        pa.field("at_ms", pa.int64(), nullable=False),
        pa.field("video", pa.int64()),
        pa.field("action", pa.int8()),
        pa.field("watch_seconds", pa.float32()),
        pa.field("request_id", pa.string()),
        pa.field("session_id", pa.string()),
        pa.field("position", pa.int16()),
        pa.field("propensity", pa.float64()),
        pa.field("bundle", pa.string()),
        pa.field("experiment", pa.string()),
        pa.field("context", pa.list_(pa.float32())),
        pa.field("videos", pa.list_(pa.int64())),
        pa.field("positions", pa.list_(pa.int16())),
        pa.field("propensities", pa.list_(pa.float64())),
        pa.field("random", pa.list_(pa.bool_())),
        # Of an entry that cannot be read.
        pa.field("raw", pa.binary()),
    ]
)
UNREADABLE: Final = 0
"""The type of an entry that cannot be read; its bytes are kept."""

_NAME: Final = "segment-{:08d}.parquet"


class Place(NamedTuple):
    """Where an entry stands in the log; later entries of a part have larger places."""

    shard: int
    received_ms: int
    sequence: int

    @property
    def name(self) -> str:
        """As Redis writes it, without the part."""
        return f"{self.received_ms}-{self.sequence}"


class Taken(NamedTuple):
    """An entry as it was taken from the log."""

    place: Place
    entry: Entry | None
    """None where it cannot be read."""
    wire: bytes


@dataclass(frozen=True, slots=True)
class Notes:
    """What the archive says beside events.

    Attributes:
        forgotten: by user, the place of the last tombstone and when it was asked for (seconds).
        blocked: ids of videos that are taken down, ascending.
    """

    forgotten: Mapping[int, tuple[Place, float]]
    blocked: tuple[int, ...]


def archive_directory(work: Path, name: str) -> Path:
    """Where the archive of a drained dataset lies, given the setting ``paths.work``."""
    return work / "online" / name


class Archive:
    """Segments in a directory, in the order of their names."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._identities: dict[Path, npt.NDArray[np.uint64]] = {}

    def prepare(self) -> None:
        """Make the directory, and delete what a killed run left half-written.

        Raises:
            StorageError: the disk refuses.
        """
        make_directory(self.directory)
        sweep_staging(self.directory)

    def segments(self) -> list[Path]:
        """All of them, the oldest first."""
        return sorted(self.directory.glob("segment-*.parquet"))

    def write(self, taken: Sequence[Taken]) -> Path:
        """Write the next segment; when this returns, it survives a loss of power.

        Raises:
            StorageError: the disk refuses.
            CorruptError: an earlier segment is torn.
        """
        earlier = self.segments()
        number = 1 + (int(earlier[-1].stem.removeprefix("segment-")) if earlier else 0)
        table = self._marked(pa.Table.from_pylist([_row(one) for one in taken], SEGMENT), earlier)
        path = self.directory / _NAME.format(number)
        _write(table, path)
        return path

    def places(self, segment: Path) -> list[Place]:
        """Places of a segment's entries."""
        table = read_segments([segment], ["shard", "received_ms", "sequence"])
        columns = (table.column(name).to_pylist() for name in table.column_names)
        return [Place(*row) for row in zip(*columns, strict=True)]

    def notes(self) -> Notes:
        """Who is forgotten and what is taken down, by all segments.

        Raises:
            CorruptError: a segment is torn.
        """
        forgotten: dict[int, tuple[Place, float]] = {}
        blocked: set[int] = set()
        columns = ["shard", "received_ms", "sequence", "type", "subject", "at_ms"]
        where = (pc.field("type") >= int(EntryType.FORGET)) & ~pc.field("duplicate")
        for row in read_segments(self.segments(), columns, where).to_pylist():
            subject = row["subject"]
            if row["type"] == EntryType.FORGET:
                place = Place(row["shard"], row["received_ms"], row["sequence"])
                forgotten[subject] = (place, row["at_ms"] / 1e3)
            elif row["type"] == EntryType.TAKEDOWN:
                blocked.add(subject)
            else:
                blocked.discard(subject)
        return Notes(forgotten, tuple(sorted(blocked)))

    def purge(self, users: Mapping[int, tuple[Place, float]]) -> int:
        """Delete what users did before they were forgotten; done twice, nothing more happens.

        Returns:
            How many entries were deleted.

        Raises:
            StorageError: the disk refuses.
            CorruptError: a segment is torn.
        """
        deleted = 0
        names = pa.array(list(users), pa.int64())
        for segment in self.segments() if users else []:
            subjects = read_segments([segment], ["subject", "type"])
            if not pc.any(pc.is_in(subjects.column("subject"), value_set=names)).as_py():
                continue
            table = read_segments([segment])
            gone = before_tombstone(table, users)
            if gone.any():
                deleted += int(gone.sum())
                _write(table.filter(~gone), segment)
                self._identities.pop(segment, None)
        return deleted

    def _marked(self, table: pa.Table, earlier: Sequence[Path]) -> pa.Table:
        """Mark entries whose identity an earlier one has, in this table or an earlier segment."""
        identity = table.column("identity").to_numpy()
        _, first = np.unique(identity, return_index=True)
        duplicate = np.ones(len(identity), np.bool_)
        duplicate[first] = False
        for segment in earlier:
            duplicate |= np.isin(identity, self._known(segment))
        at = SEGMENT.get_field_index("duplicate")
        return table.set_column(at, SEGMENT.field(at), pa.array(duplicate))

    def _known(self, segment: Path) -> npt.NDArray[np.uint64]:
        """Identities of a segment, read once, however many segments a drain writes after it."""
        if segment not in self._identities:
            column = read_segments([segment], ["identity"]).column("identity")
            self._identities[segment] = column.to_numpy()
        return self._identities[segment]


def before_tombstone(
    table: pa.Table, users: Mapping[int, tuple[Place, float]]
) -> npt.NDArray[np.bool_]:
    """Which entries of events and pages came before their user was forgotten, bool [n]."""
    gone = np.zeros(table.num_rows, np.bool_)
    kinds = table.column("type").to_numpy()
    mine = pc.is_in(table.column("subject"), value_set=pa.array(list(users), pa.int64()))
    rows = np.flatnonzero(mine.to_numpy() & np.isin(kinds, (EntryType.EVENT, EntryType.PAGE)))
    found = table.select(["subject", "shard", "received_ms", "sequence"]).take(rows)
    columns = (found.column(name).to_pylist() for name in found.column_names)
    for row, (subject, *place) in zip(rows, zip(*columns, strict=True), strict=True):
        gone[row] = Place(*place) < users[subject][0]
    return gone


def read_segments(
    segments: Iterable[Path], columns: Sequence[str] | None = None, where: Any = None
) -> pa.Table:
    """Entries of some segments, in their order.

    Raises:
        CorruptError: one is torn.
    """
    paths = [str(path) for path in segments]
    names = list(SEGMENT.names if columns is None else columns)
    if not paths:
        return pa.schema([SEGMENT.field(name) for name in names]).empty_table()
    try:
        source = pads.dataset(paths, schema=SEGMENT, format="parquet")
        table = source.to_table(columns=names, filter=where, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CorruptError(f"the archive of the event log cannot be read: {reason}") from error
    return table.cast(pa.schema([SEGMENT.field(name) for name in names]))


def _write(table: pa.Table, path: Path) -> None:
    with staged_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")
        flush(aside)
    flush(path.parent)


def _row(taken: Taken) -> dict[str, Any]:
    place, entry, wire = taken
    row: dict[str, Any] = {
        "shard": place.shard,
        "received_ms": place.received_ms,
        "sequence": place.sequence,
        "duplicate": False,
        # What happens to two entries alike in every byte happens to one.
        "identity": digest(wire),
        "at_ms": place.received_ms,
    }
    if entry is None:
        return row | {"type": UNREADABLE, "raw": wire}
    # An entry cannot tell of what came after it.
    row["at_ms"] = min(int(entry.at * 1e3), place.received_ms)
    if isinstance(entry, Note):
        return row | {"type": int(entry.type), "subject": entry.subject}
    if isinstance(entry, Event):
        return row | {
            "type": int(EntryType.EVENT),
            "identity": digest(b"event", b"%d" % entry.user, entry.event_id.encode()),
            "id": entry.event_id,
            "subject": entry.user,
            "video": entry.video,
            "action": int(entry.action),
            "watch_seconds": entry.watch_seconds,
            "request_id": entry.request_id or None,
            "session_id": entry.session_id or None,
            "position": entry.position,
            "propensity": entry.propensity,
        }
    return row | _page_row(entry)


def _page_row(page: ServedPage) -> dict[str, Any]:
    return {
        "type": int(EntryType.PAGE),
        "identity": digest(b"page", page.request_id.encode()),
        "id": page.request_id,
        "subject": page.user,
        "request_id": page.request_id,
        "session_id": page.session_id or None,
        "bundle": page.bundle or None,
        "experiment": page.experiment or None,
        "context": None if page.context is None else page.context.tolist(),
        "videos": page.video.tolist(),
        "positions": page.position.tolist(),
        "propensities": page.propensity.tolist(),
        "random": page.random.tolist(),
    }


def utc_day(milliseconds: int) -> dt.date:
    """The day in UTC.

    >>> utc_day(86_400_000)
    datetime.date(1970, 1, 2)
    """
    return dt.date(1970, 1, 1) + dt.timedelta(days=milliseconds // 86_400_000)
