"""What a dataset holds, measured: counts, shares of null, ranges, rates, repeats and idle rows."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from shortlist.datasets import schema
from shortlist.datasets.layout import USERS_FILE, VIDEOS_FILE, day_file
from shortlist.datasets.store import Dataset

RATES: Final = ("click", "long_view", "like", "skip", "random_exposure")


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnFacts(_Facts):
    """One column. Ranges of lists are those of their parts."""

    name: str
    null_share: float = Field(description="Of rows without a value; an empty list has none.")
    low: str | None
    high: str | None


class TableFacts(_Facts):
    """One table."""

    rows: int
    columns: list[ColumnFacts]


class DatasetFacts(_Facts):
    """A whole dataset."""

    users: TableFacts
    videos: TableFacts
    impressions: TableFacts
    days: list[dt.date]
    rates: dict[str, float | None] = Field(description="Mean of each outcome where it is known.")
    duplicates: int = Field(
        description="Impressions with user, video, day and moment of an earlier one."
    )
    idle_users: int = Field(description="Users without an impression.")
    idle_videos: int = Field(description="Videos without an impression.")


def measure(dataset: Dataset) -> DatasetFacts:
    """Measure ``dataset``, a day at a time.

    Counts, nulls and ranges come from the Parquet footers; no context vector is read.
    """
    users, videos = set[int](), set[int]()
    known, true = dict.fromkeys(RATES, 0), dict.fromkeys(RATES, 0)
    duplicates = 0
    for table in dataset.each_day(["user_id", "video_id", "shown_at", *RATES]):
        users.update(pc.unique(table["user_id"]).to_pylist())
        videos.update(pc.unique(table["video_id"]).to_pylist())
        timed = table.filter(table["shown_at"].is_valid())
        distinct = timed.group_by(["user_id", "video_id", "shown_at"]).aggregate([])
        duplicates += timed.num_rows - distinct.num_rows
        for name in RATES:
            known[name] += len(table) - table[name].null_count
            true[name] += pc.sum(table[name]).as_py() or 0
    return DatasetFacts(
        users=_table(dataset, [USERS_FILE], schema.USERS.names),
        videos=_table(dataset, [VIDEOS_FILE], schema.VIDEOS.names),
        impressions=_table(
            dataset, [day_file(day) for day in dataset.days()], schema.IMPRESSIONS.names
        ),
        days=dataset.days(),
        rates={name: true[name] / known[name] if known[name] else None for name in RATES},
        duplicates=duplicates,
        idle_users=dataset.record.users - len(users),
        idle_videos=dataset.record.videos - len(videos),
    )


def _table(dataset: Dataset, names: Sequence[str], columns: Sequence[str]) -> TableFacts:
    footers = [pq.read_metadata(dataset.file(name)) for name in names]
    rows = sum(footer.num_rows for footer in footers)
    nulls = dict.fromkeys(columns, 0)
    bounds: dict[str, list[object]] = {name: [] for name in columns}
    for footer in footers:
        for group in (footer.row_group(at) for at in range(footer.num_row_groups)):
            for at in range(group.num_columns):
                column = group.column(at)
                name = column.path_in_schema.split(".")[0]
                statistics = column.statistics
                nulls[name] += statistics.null_count
                if statistics.has_min_max:
                    bounds[name] += [statistics.min, statistics.max]
    return TableFacts(
        rows=rows,
        columns=[
            ColumnFacts(
                name=name,
                null_share=nulls[name] / rows if rows else 0.0,
                low=_shown(min(bounds[name], default=None)),  # type: ignore[type-var]
                high=_shown(max(bounds[name], default=None)),  # type: ignore[type-var]
            )
            for name in columns
        ],
    )


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        # Parquet writes a lower bound of 0 as -0.
        return f"{value + 0.0:.6g}"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)[:40]
