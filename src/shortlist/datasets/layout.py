"""How a dataset directory is laid out, and the record that says what it holds."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.datasets.schema import SCHEMA_VERSION
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.files import file_digest

RECORD: Final = "dataset.json"
USERS_FILE: Final = "users.parquet"
VIDEOS_FILE: Final = "videos.parquet"


class Origin(BaseModel):
    """A dataset that another one is built on: it has the same videos, and at least its users."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str
    key: str
    users: int


class LivePart(BaseModel):
    """Days of live traffic at the end of a log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: dt.date
    """The first of them, in the log's own time."""
    moved: int
    """Days by which the clock was later: 0 where the log goes by the clock."""


class DatasetRecord(BaseModel):
    """What ``dataset.json`` says: where the rows came from and how to know them again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int
    source: str
    key: str
    """Hash of all that the rows depend on (settings, inputs); equal keys mean equal rows."""
    data: str
    """The directory, inside the dataset's, that holds ``files``."""
    first_day: dt.date
    last_day: dt.date
    test_from: dt.date | None = None
    """First test day, where the source itself fixes its split."""
    users: int
    videos: int
    impressions: int
    files: dict[str, str]
    """SHA-256 of every data file, by its path inside ``data``."""
    base: Origin | None = None
    """The log that live traffic was drained beside, or that it goes on from here."""
    live: LivePart | None = None
    """Where in this log live traffic begins; None where it has none, or nothing else."""

    @property
    def digest(self) -> str:
        """One hash over all data files."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()


def read_record(path: Path) -> DatasetRecord:
    """The record of the dataset at ``path``.

    Raises:
        NotFoundError: there is no finished dataset.
        CorruptError: the record cannot be read, or is of another version of the schema.
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
    if record.schema_version != SCHEMA_VERSION:
        raise CorruptError(
            f"{record_path} has schema version {record.schema_version}, this Shortlist reads "
            f"{SCHEMA_VERSION}; make the dataset again"
        )
    return record


def day_file(day: dt.date) -> str:
    """The file of a day's impressions, by its path inside the data directory."""
    return f"impressions/day={day.isoformat()}/part-0.parquet"


def day_of(name: str) -> dt.date:
    """The day of an impressions file; the inverse of `day_file`.

    >>> day_of(day_file(dt.date(2026, 1, 5)))
    datetime.date(2026, 1, 5)
    """
    return dt.date.fromisoformat(name.split("/")[1].removeprefix("day="))


def rows_of(path: Path) -> int | None:
    """Rows of a Parquet file, or None where it is missing or torn: its footer comes last."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowInvalid):
        return None


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file, or None where it cannot be read."""
    try:
        return file_digest(path)
    except OSError:
        return None


def refuse_mixed_ids(data: Path, days: Sequence[str]) -> None:
    """Hold that the impression ids of each day lie above those of the days before.

    Args:
        data: the data directory.
        days: impressions files in it, ascending by day.

    Raises:
        InputError: they do not; the message names the day.
    """
    highest: int | None = None
    for name in days:
        metadata = pq.read_metadata(data / name)
        at = metadata.schema.names.index("impression_id")
        groups = [metadata.row_group(i).column(at) for i in range(metadata.num_row_groups)]
        bounds = [group.statistics for group in groups if group.statistics is not None]
        if not bounds:
            continue
        if highest is not None and bounds[0].min <= highest:
            raise InputError(
                f"impression ids of {day_of(name)} start at {bounds[0].min}, not above {highest} "
                "of an earlier day; ids must ascend in time"
            )
        highest = max(bound.max for bound in bounds)
