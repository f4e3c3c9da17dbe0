"""The Parquet store: a dataset on disk, written day by day, read lazily by column and day.

Layout of a dataset directory::

    users.parquet
    videos.parquet
    impressions/day=2026-01-05/part-0.parquet
    dataset.json          the record, written last: without it there is no dataset

A writer works in a partial directory beside the target and renames it at the end, so that a reader
sees a whole dataset or none, and a run that was killed goes on from the days it had finished.
"""

import datetime as dt
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.datasets import schema
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.files import file_digest, staged_file, storage_errors, sweep_staging

RECORD: Final = "dataset.json"
_ROW_GROUP: Final = 64 * 1024


class DatasetRecord(BaseModel):
    """What ``dataset.json`` says: where the rows came from and how to know them again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int
    source: str
    key: str
    """Hash of all that the rows depend on (settings, inputs); equal keys mean equal rows."""
    first_day: dt.date
    last_day: dt.date
    users: int
    videos: int
    impressions: int
    files: dict[str, str]
    """SHA-256 of every data file, by its path inside the dataset."""

    @property
    def digest(self) -> str:
        """One hash over all data files."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()


class Dataset:
    """A finished dataset on disk. Opening reads only the record; tables wait to be asked for."""

    def __init__(self, path: Path, record: DatasetRecord) -> None:
        self.path = path
        self.record = record

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the dataset at ``path``.

        Raises:
            NotFoundError: there is no finished dataset.
            CorruptError: the record cannot be read, or names a file that is missing.
        """
        record_path = path / RECORD
        if not record_path.is_file():
            raise NotFoundError(
                f"no dataset at {path} ({RECORD} is missing); make one with `shortlist world make` "
                "or `shortlist import`"
            )
        try:
            record = DatasetRecord.model_validate_json(record_path.read_bytes())
        except ValidationError as error:
            raise CorruptError(
                f"{record_path} is not a dataset record ({error.error_count()} faults); delete the "
                "directory and make the dataset again"
            ) from error
        if record.schema_version != schema.SCHEMA_VERSION:
            raise CorruptError(
                f"{record_path} has schema version {record.schema_version}, this Shortlist reads "
                f"{schema.SCHEMA_VERSION}; make the dataset again"
            )
        for name in record.files:
            if not (path / name).is_file():
                raise CorruptError(f"{path / name} is missing; make the dataset again")
        return cls(path, record)

    def verify(self) -> None:
        """Compare every file with its recorded hash.

        Raises:
            CorruptError: a file was edited or torn; the message names it.
        """
        for name, digest in self.record.files.items():
            if file_digest(self.path / name) != digest:
                raise CorruptError(f"{self.path / name} differs from its record; make it again")

    def days(self) -> list[dt.date]:
        """The days that have impressions, ascending."""
        return sorted(
            dt.date.fromisoformat(Path(name).parent.name.removeprefix("day="))
            for name in self.record.files
            if name.startswith("impressions/")
        )

    def users(self) -> pa.Table:
        """The users table, ascending by ``user_id``."""
        return _read(self.path / "users.parquet", schema.USERS)

    def videos(self) -> pa.Table:
        """The videos table, ascending by ``video_id``."""
        return _read(self.path / "videos.parquet", schema.VIDEOS)

    def impressions(
        self,
        columns: Sequence[str] | None = None,
        first: dt.date | None = None,
        last: dt.date | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        """Read impressions, ascending by day and then by ``impression_id``.

        Args:
            columns: the columns wanted; all of them by default. Others are not read from disk.
            first: the first day wanted, inclusive; files of other days are not opened.
            last: the last day wanted, inclusive.
            where: a further condition on rows, pushed down to the Parquet reader.

        Raises:
            InputError: a column is not in the schema.
        """
        names = list(schema.IMPRESSIONS.names if columns is None else columns)
        for name in names:
            if name not in schema.IMPRESSIONS.names:
                raise InputError(
                    f"impressions have no column {name!r}; there are "
                    f"{', '.join(schema.IMPRESSIONS.names)}"
                )
        wanted = [
            self.path / _day_file(day)
            for day in self.days()
            if (first is None or day >= first) and (last is None or day <= last)
        ]
        fields = pa.schema([schema.IMPRESSIONS.field(name) for name in names])
        if not wanted:
            return fields.empty_table()
        # One thread keeps the order of rows; files are given in the order of their days.
        source = pads.dataset([str(path) for path in wanted], schema=schema.IMPRESSIONS)
        return source.to_table(columns=names, filter=where, use_threads=False).cast(fields)


class DatasetWriter:
    """Writes a dataset of one key; a later writer of that key goes on where an earlier stopped."""

    def __init__(self, path: Path, source: str, key: str) -> None:
        """Prepare the partial directory of ``path``; an existing dataset stays until ``finish``."""
        self.path = path
        self.source = source
        self.key = key
        self.partial = path.parent / f".partial-{path.name}-{key[:12]}"
        with storage_errors(self.partial):
            self.partial.mkdir(parents=True, exist_ok=True)

    def has_day(self, day: dt.date) -> bool:
        """Whether an earlier run with this key has already written ``day``."""
        return (self.partial / _day_file(day)).is_file()

    def write_users(self, table: pa.Table) -> None:
        """Write the users table; rows must ascend by ``user_id``."""
        _write(self.partial / "users.parquet", table, schema.USERS, "user_id")

    def write_videos(self, table: pa.Table) -> None:
        """Write the videos table; rows must ascend by ``video_id``."""
        _write(self.partial / "videos.parquet", table, schema.VIDEOS, "video_id")

    def write_day(self, day: dt.date, table: pa.Table) -> None:
        """Write one day of impressions; rows must ascend by ``impression_id``."""
        _write(self.partial / _day_file(day), table, schema.IMPRESSIONS, "impression_id")

    def finish(self) -> Dataset:
        """Write the record and put the dataset in place.

        Raises:
            InputError: users, videos or every day of impressions are missing.
            StorageError: the disk refused.
        """
        with storage_errors(self.path):
            for directory in [self.partial, *self.partial.glob("impressions/day=*")]:
                sweep_staging(directory)
        parts = sorted(self.partial.rglob("*.parquet"))
        names = [part.relative_to(self.partial).as_posix() for part in parts]
        days = [name.split("/")[1].removeprefix("day=") for name in names if "/" in name]
        for needed in ("users.parquet", "videos.parquet"):
            if needed not in names:
                raise InputError(f"{self.path} cannot be finished: {needed} was not written")
        if not days:
            raise InputError(f"{self.path} cannot be finished: it has no impressions")
        rows = dict(zip(names, [pq.read_metadata(part).num_rows for part in parts], strict=True))
        record = DatasetRecord(
            schema_version=schema.SCHEMA_VERSION,
            source=self.source,
            key=self.key,
            first_day=dt.date.fromisoformat(min(days)),
            last_day=dt.date.fromisoformat(max(days)),
            users=rows["users.parquet"],
            videos=rows["videos.parquet"],
            impressions=sum(count for name, count in rows.items() if "/" in name),
            files={name: file_digest(part) for name, part in zip(names, parts, strict=True)},
        )
        with storage_errors(self.path):
            with staged_file(self.partial / RECORD) as aside:
                aside.write_text(record.model_dump_json(indent=2) + "\n")
            old = self.path.parent / f".partial-{self.path.name}-replaced"
            shutil.rmtree(old, ignore_errors=True)
            if self.path.exists():
                self.path.replace(old)
            self.partial.replace(self.path)
            shutil.rmtree(old, ignore_errors=True)
        return Dataset(self.path, record)


def finished(path: Path, key: str) -> Dataset | None:
    """The dataset at ``path`` if it is whole and was made with ``key``, else None."""
    try:
        dataset = Dataset.open(path)
    except (NotFoundError, CorruptError):
        return None
    return dataset if dataset.record.key == key else None


def _day_file(day: dt.date) -> Path:
    return Path("impressions") / f"day={day.isoformat()}" / "part-0.parquet"


def _read(path: Path, fields: pa.Schema) -> pa.Table:
    return pq.read_table(path, schema=fields, use_threads=False)


def _write(path: Path, table: pa.Table, fields: pa.Schema, key: str) -> None:
    if not table.schema.equals(fields):
        raise InputError(f"{path.name}: the table's columns differ from the schema of {path.name}")
    keys = table.column(key).to_numpy()
    if len(keys) > 1 and not bool((keys[1:] > keys[:-1]).all()):
        raise InputError(f"{path.name}: {key} must ascend without repeats")
    with staged_file(path) as aside:
        pq.write_table(table, aside, compression="zstd", row_group_size=_ROW_GROUP)
