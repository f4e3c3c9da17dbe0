"""The import of a log of one's own, as its mapping says, into a dataset."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.foreign import ForeignFile
from shortlist.datasets.ids import Ids, opaque
from shortlist.datasets.mapped import IDS, MappedTable, read_whole
from shortlist.datasets.mapping import LogMapping, load_mapping
from shortlist.datasets.named import plain_name
from shortlist.datasets.report import FileRead, Imported, report, reuse
from shortlist.datasets.schema import SCHEMA_VERSION
from shortlist.datasets.spill import Spill
from shortlist.datasets.store import DatasetWriter, finished
from shortlist.datasets.tables import filled, numbered
from shortlist.errors import NotFoundError
from shortlist.files import file_digest
from shortlist.progress import track

IMPORTER_VERSION: Final = 1
"""To be raised when the same files and mapping give other rows."""


def import_mapped(mapping_path: Path, datasets: Path, name: str | None = None) -> Imported:
    """Import the log that a mapping describes; do nothing if that was done and nothing changed.

    Args:
        mapping_path: the YAML file.
        datasets: directory that holds the datasets.
        name: of the dataset; by default the mapping's ``name``, or the file's.

    Raises:
        NotFoundError: the mapping or one of its files does not exist.
        InputError: the mapping or a file is refused; the message says what to change, and where.
        StorageError: the disk refused, or another process is writing this dataset.
    """
    mapping = load_mapping(mapping_path)
    target = datasets / plain_name(name or mapping.name or mapping_path.stem)
    files = {table: mapped.foreign_files(mapping_path.parent) for table, mapped in mapping.tables()}
    for table, mapped in mapping.tables():
        for file in files[table]:
            file.require([c.column for c in mapped.columns.values() if c.column is not None])
    key = _key(mapping, files)
    dataset = finished(target, key)
    if dataset is not None:
        return reuse(dataset)
    writer = DatasetWriter(target, f"mapping {mapping_path.name}", key, mapping.test_from)
    read = _Import(mapping, files, writer).write()
    made = writer.finish()
    return Imported(made, report(made, read), reused=False)


def _key(mapping: LogMapping, files: dict[str, list[ForeignFile]]) -> str:
    """Hash of the rows' origin: the files' bytes, not their places or names."""
    digests = {
        table: [_digest(file.path) for file in track(group, f"hashing {table}")]
        for table, group in files.items()
    }
    told = mapping.model_dump(mode="json", exclude={"name"})
    for table in digests:
        del told[table]["files"]
    inputs = [IMPORTER_VERSION, SCHEMA_VERSION, told, digests]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror}") from error


@dataclass
class _Import:
    mapping: LogMapping
    files: dict[str, list[ForeignFile]]
    writer: DatasetWriter

    def write(self) -> list[FileRead]:
        """Write all tables; what was read, by file."""
        read: list[FileRead] = []
        known: dict[str, Ids] = {}
        tables: dict[str, pa.Table] = {}
        for table, key in (("users", "user_id"), ("videos", "video_id")):
            if table in self.files:
                names, rows = read_whole(self._reader(table), self.files[table])
                read += self._read(table, rows)
                known[key] = Ids.of(names.column(key).combine_chunks())
                tables[table] = _ordered(table, names, known[key])
        every = {**known, **self._scan([key for key in IDS if key not in known])}
        for table, key in (("users", "user_id"), ("videos", "video_id")):
            ids = every[key]
            columns = {key: pa.array(ids.ids), "external_id": ids.external()}
            tables.setdefault(table, filled(table, columns, len(ids)))
        self.writer.write_users(tables["users"])
        self.writer.write_videos(tables["videos"])
        spill = self._divide(known, every, tables["videos"])
        counts = [spill.rows(file) for file in range(len(self.files["impressions"]))]
        self._write_days(spill, counts)
        return read + self._read("impressions", [sum(days.values()) for days in counts])

    def _read(self, table: str, rows: list[int]) -> list[FileRead]:
        paths = [str(file.path) for file in self.files[table]]
        return [
            FileRead(table=table, path=path, rows=count)
            for path, count in zip(paths, rows, strict=True)
        ]

    def _reader(self, table: str, known: dict[str, Ids] | None = None) -> MappedTable:
        mapped = dict(self.mapping.tables())[table]
        required = {"users": {"user_id"}, "videos": {"video_id"}}.get(table, {*IDS})
        if table == "impressions":
            required |= {"day" if "day" in mapped.columns else "shown_at"}
        return MappedTable(table, mapped, self.mapping.timezone, frozenset(required), known or {})

    def _scan(self, keys: list[str]) -> dict[str, Ids]:
        """Collect the ids that no table lists from the impressions."""
        if not keys:
            return {}
        names: dict[str, set[str]] = {key: set() for key in keys}
        reader = self._reader("impressions")
        for file in self.files["impressions"]:
            for batch in reader.batches(file, only=keys):
                for key in keys:
                    names[key].update(pc.unique(batch[key]).drop_null().to_pylist())
        return {key: Ids.of(pa.array(sorted(names[key]), pa.string())) for key in keys}

    def _divide(self, known: dict[str, Ids], every: dict[str, Ids], videos: pa.Table) -> Spill:
        spill = Spill(self.writer.scratch)
        reader = self._reader("impressions", known)
        for number, file in enumerate(self.files["impressions"]):
            if not spill.has(number):
                spill.divide(number, self._impressions(reader, file, every, videos))
        return spill

    def _impressions(
        self, reader: MappedTable, file: ForeignFile, every: dict[str, Ids], videos: pa.Table
    ) -> Iterator[pa.Table]:
        """Batches of what is mapped; the other columns wait until a day is written."""
        for batch in reader.batches(file):
            columns = {name: batch.column(name).combine_chunks() for name in batch.column_names}
            for key in IDS:
                columns[key] = every[key].encode(columns[key])
            if "session_id" in columns:
                columns["session_id"] = opaque(columns["session_id"])
            if "day" not in columns:
                columns["day"] = _local_day(columns["shown_at"], self.mapping.timezone)
            rule = self.mapping.derive.long_view
            if rule is not None:
                columns["long_view"] = long_view(
                    columns["watch_seconds"], columns["video_id"], videos, rule.watch_seconds
                )
            # Rows at fault are null here; they end the import with the file.
            yield pa.table(columns).filter(columns["day"].is_valid())

    def _write_days(self, spill: Spill, counts: list[dict[dt.date, int]]) -> None:
        start = 0
        for day in track(sorted(set().union(*counts)), "writing days"):
            number = sum(days.get(day, 0) for days in counts)
            if not self.writer.has_day(day):
                table = spill.gather(day)
                if "shown_at" in table.column_names:
                    moments = table["shown_at"].cast(pa.int64()).fill_null(0).to_numpy()
                    table = table.take(np.argsort(moments, kind="stable"))
                columns = {name: table[name] for name in table.column_names}
                whole = filled("impressions", columns, table.num_rows)
                self.writer.write_day(day, numbered(whole, start))
            start += number


def long_view(
    watch: pa.Array, video_id: pa.Array, videos: pa.Table, seconds: float
) -> pa.BooleanArray:
    """Whether each watch lasted ``seconds``, or the whole of a shorter video; null as the watch.

    Args:
        watch: seconds watched.
        video_id: of the same rows; ids of ``videos``.
        videos: a videos table, ascending by ``video_id``.
        seconds: enough for any video.
    """
    rows = np.searchsorted(videos["video_id"].to_numpy(), video_id.fill_null(0).to_numpy())
    durations = videos["duration_seconds"].fill_null(np.inf).to_numpy()
    enough = np.minimum(durations[rows.clip(max=len(durations) - 1)], np.float32(seconds))
    return pc.greater_equal(watch, pa.array(enough, pa.float32()))


def _local_day(moments: pa.Array, timezone: str) -> pa.Array:
    return pc.local_timestamp(moments.cast(pa.timestamp("ms", tz=timezone))).cast(pa.date32())


def _ordered(table: str, read: pa.Table, ids: Ids) -> pa.Table:
    """A table as read, ascending by its id, in the schema's columns."""
    key = f"{table[:-1]}_id"
    encoded = ids.encode(read.column(key).combine_chunks()).to_numpy()
    ordered = read.take(np.argsort(encoded, kind="stable"))
    columns = {name: ordered.column(name).combine_chunks() for name in ordered.column_names}
    columns |= {key: pa.array(ids.ids), "external_id": ids.external()}
    if "creator_id" in columns:
        columns["creator_id"] = opaque(columns["creator_id"])
    if "tags" in columns:
        none = pa.scalar([], pa.list_(pa.string()))
        columns["tags"] = pc.if_else(columns["tags"].is_valid(), columns["tags"], none)
    return filled(table, columns, read.num_rows)
