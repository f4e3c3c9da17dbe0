"""The Parquet store: a dataset on disk, written day by day, read lazily by column and day.

Layout of a dataset directory::

    dataset.json                                    the record: names the data directory
    data-<key>/users.parquet
    data-<key>/videos.parquet
    data-<key>/impressions/day=2026-01-05/part-0.parquet

The record is the only way in, and it is replaced in one rename, after all that it names is
written. So at every moment readers see the old dataset whole or the new one whole, and a run that
was killed goes on from the files it had finished.
"""

import contextlib
import datetime as dt
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from shortlist.datasets import laws, schema
from shortlist.datasets.layout import (
    RECORD,
    USERS_FILE,
    VIDEOS_FILE,
    DatasetRecord,
    LivePart,
    Origin,
    day_file,
    day_of,
    digest_of,
    read_record,
    refuse_mixed_ids,
    rows_of,
)
from shortlist.errors import CorruptError, InputError, NotFoundError, StorageError
from shortlist.files import (
    file_digest,
    make_directory,
    staged_file,
    storage_errors,
    sweep_staging,
)

_LOCK: Final = ".lock"
_DATA: Final = "data-"
_SCRATCH: Final = "scratch-"
_ROW_GROUP: Final = 64 * 1024


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
        record = read_record(path)
        dataset = cls(path, record)
        for name in record.files:
            if not dataset.file(name).is_file():
                raise CorruptError(f"{dataset.file(name)} is missing; make the dataset again")
        return dataset

    @property
    def origin(self) -> Origin:
        """The log that this one is built on; itself where it stands on its own."""
        return self.record.base or self._itself

    @property
    def log(self) -> Origin:
        """The log that live traffic continues here; itself where none does."""
        return self._itself if self.record.live is None else self.origin

    @property
    def _itself(self) -> Origin:
        record = self.record
        return Origin(name=self.path.name, source=record.source, key=record.key, users=record.users)

    def file(self, name: str) -> Path:
        """Where the record's file ``name`` lies."""
        return self.path / self.record.data / name

    def verify(self) -> None:
        """Compare every file with its recorded hash.

        Raises:
            CorruptError: a file was edited or torn; the message names it.
        """
        for name, digest in self.record.files.items():
            if digest_of(self.file(name)) != digest:
                raise CorruptError(f"{self.file(name)} differs from its record; make it again")

    def days(self) -> list[dt.date]:
        """The days that have impressions, ascending."""
        return sorted(day_of(name) for name in self.record.files if "/" in name)

    def users(self) -> pa.Table:
        """The users table, ascending by ``user_id``."""
        return _read(self.file(USERS_FILE), schema.USERS)

    def videos(self) -> pa.Table:
        """The videos table, ascending by ``video_id``."""
        return _read(self.file(VIDEOS_FILE), schema.VIDEOS)

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
            CorruptError: a file is torn, or vanished because the dataset was made anew.
        """
        fields = _fields(columns)
        parts = list(self.each_day(columns, first, last, where))
        return pa.concat_tables(parts) if parts else fields.empty_table()

    def each_day(
        self,
        columns: Sequence[str] | None = None,
        first: dt.date | None = None,
        last: dt.date | None = None,
        where: pc.Expression | None = None,
    ) -> Iterator[pa.Table]:
        """As `impressions`, one table per day, so that no more than a day need be held."""
        fields = _fields(columns)
        for day in self.days():
            if (first is None or day >= first) and (last is None or day <= last):
                yield _read(self.file(day_file(day)), schema.IMPRESSIONS, fields.names, where)


class DatasetWriter:
    """Writes a dataset of one key; a later writer of that key goes on where an earlier stopped."""

    def __init__(
        self,
        path: Path,
        source: str,
        key: str,
        test_from: dt.date | None = None,
        *,
        base: Origin | None = None,
        live: LivePart | None = None,
        shared: bool = False,
    ) -> None:
        """Prepare to write; what stands at ``path`` stays readable until `finish`.

        Args:
            path: directory of the dataset; its last part is the dataset's name.
            source: where the rows come from, for people.
            key: hash of all that the rows depend on.
            test_from: first test day, where the source fixes its split.
            base: the log that this one is built on, as `DatasetRecord` has it.
            live: where in it live traffic begins.
            shared: whether others of this key may write at the same time. A shared writer writes
                tables and lets one that is alone sweep, check and finish.

        Raises:
            StorageError: the disk refused, or another process is writing this dataset.
        """
        self.path = path
        self.source = source
        self.key = key
        self.test_from = test_from
        self._base, self._live = base, live
        self._data = path / f"{_DATA}{key[:12]}"
        self._scratch = path / f"{_SCRATCH}{key[:12]}"
        make_directory(path)
        with storage_errors(path):
            self._lock = _locked(path, shared=shared)
            if shared:
                return
            for directory in [path, self._data, *self._data.glob("impressions/day=*")]:
                sweep_staging(directory)
        self._drop_damaged()

    def close(self) -> None:
        """Let others write, without finishing."""
        self._lock.close()

    @property
    def scratch(self) -> Path:
        """A directory for what a writer wants to find again after a crash; gone after `finish`."""
        with storage_errors(self._scratch):
            self._scratch.mkdir(exist_ok=True)
        return self._scratch

    def has_day(self, day: dt.date) -> bool:
        """Whether an earlier run with this key has already written ``day``, whole."""
        return rows_of(self._data / day_file(day)) is not None

    def keep_day(self, day: dt.date, of: Dataset) -> bool:
        """Take a day over from another dataset, byte for byte, without copying where the disk can.

        Returns:
            Whether it was as its record says; if not, nothing was taken over.
        """
        name = day_file(day)
        target, source = self._data / name, of.file(name)
        if digest_of(source) != of.record.files[name]:
            return False
        make_directory(target.parent)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            with staged_file(target) as aside:
                shutil.copyfile(source, aside)
        return True

    def write_users(self, table: pa.Table) -> None:
        """Write the users table; rows must ascend by ``user_id``."""
        self._write(USERS_FILE, "users", table)

    def write_videos(self, table: pa.Table) -> None:
        """Write the videos table; rows must ascend by ``video_id``."""
        self._write(VIDEOS_FILE, "videos", table)

    def write_day(self, day: dt.date, table: pa.Table) -> None:
        """Write one day of impressions; rows must ascend by ``impression_id``.

        Ids must also ascend from day to day.
        """
        self._write(day_file(day), "impressions", table, day)

    def finish(self) -> Dataset:
        """Write the record, which puts the dataset in place, and delete what it replaces.

        Raises:
            InputError: users, videos or every day of impressions are missing, or impression ids
                do not ascend from day to day.
            CorruptError: a written file cannot be read back.
            StorageError: the disk refused.
        """
        parts = sorted(self._data.rglob("*.parquet"))
        rows = {part.relative_to(self._data).as_posix(): rows_of(part) for part in parts}
        for needed in (USERS_FILE, VIDEOS_FILE):
            if needed not in rows:
                raise InputError(f"{self.path} cannot be finished: {needed} was not written")
        days = sorted(name for name in rows if "/" in name)
        if not days:
            raise InputError(f"{self.path} cannot be finished: it has no impressions")
        for name, count in rows.items():
            if count is None:
                (self._data / name).unlink()
                raise CorruptError(f"{self._data / name} was torn and is deleted; run this again")
        refuse_mixed_ids(self._data, days)
        record = DatasetRecord(
            schema_version=schema.SCHEMA_VERSION,
            source=self.source,
            key=self.key,
            data=self._data.name,
            first_day=day_of(days[0]),
            last_day=day_of(days[-1]),
            test_from=self.test_from,
            users=rows[USERS_FILE] or 0,
            videos=rows[VIDEOS_FILE] or 0,
            impressions=sum(rows[name] or 0 for name in days),
            files={name: file_digest(self._data / name) for name in rows},
            base=self._base,
            live=self._live,
        )
        with staged_file(self.path / RECORD) as aside:
            aside.write_text(record.model_dump_json(indent=2) + "\n")
        for stale in [*self.path.glob(f"{_DATA}*"), *self.path.glob(f"{_SCRATCH}*")]:
            if stale != self._data:
                shutil.rmtree(stale, ignore_errors=True)
        self.close()
        return Dataset(self.path, record)

    def _write(self, name: str, kind: str, table: pa.Table, day: dt.date | None = None) -> None:
        laws.check(kind, table, day)
        with staged_file(self._data / name) as aside:
            pq.write_table(table, aside, compression="zstd", row_group_size=_ROW_GROUP)

    def _drop_damaged(self) -> None:
        """Delete files of this key that no longer match their record, so that they are remade."""
        with contextlib.suppress(NotFoundError, CorruptError):
            record = read_record(self.path)
            if record.key == self.key and record.data == self._data.name:
                for name, digest in record.files.items():
                    if digest_of(self._data / name) != digest:
                        (self._data / name).unlink(missing_ok=True)


def finished(path: Path, key: str) -> Dataset | None:
    """The dataset at ``path`` if it was made with ``key`` and every byte is as recorded."""
    try:
        dataset = Dataset.open(path)
        if dataset.record.key != key:
            return None
        dataset.verify()
    except (NotFoundError, CorruptError):
        return None
    return dataset


def _fields(columns: Sequence[str] | None) -> pa.Schema:
    names = schema.IMPRESSIONS.names if columns is None else columns
    for name in names:
        if name not in schema.IMPRESSIONS.names:
            raise InputError(
                f"impressions have no column {name!r}; there are "
                f"{', '.join(schema.IMPRESSIONS.names)}"
            )
    return pa.schema([schema.IMPRESSIONS.field(name) for name in names])


def _read(
    path: Path,
    fields: pa.Schema,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    names = list(fields.names if columns is None else columns)
    try:
        # One thread keeps the order of rows.
        source = pads.dataset(str(path), schema=fields, format="parquet")
        table = source.to_table(columns=names, filter=where, use_threads=False)
    except FileNotFoundError as error:
        raise CorruptError(f"{path} has vanished; open the dataset again") from error
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CorruptError(f"cannot read {path} ({reason}); make the dataset again") from error
    return table.cast(pa.schema([fields.field(name) for name in names]))


def _locked(path: Path, *, shared: bool) -> IO[bytes]:
    """Hold the dataset for this process; the lock ends with the stream or with the process."""
    stream = (path / _LOCK).open("a+b")
    try:
        fcntl.lockf(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        stream.close()
        raise StorageError(
            f"another process is writing {path}; wait for it, or choose another name"
        ) from error
    except OSError:
        # Some network file systems have no locks; there the caller must not write twice at once.
        pass
    return stream
