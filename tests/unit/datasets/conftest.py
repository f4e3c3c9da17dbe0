"""A log of three days, small enough to check by eye."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.store import Dataset, DatasetWriter

DAYS = [dt.date(2026, 1, day) for day in (5, 6, 7)]


def users_table(ids: list[int] | None = None) -> pa.Table:
    ids = [1, 4, 9] if ids is None else ids
    columns = {field.name: pa.nulls(len(ids), field.type) for field in schema.USERS}
    return pa.table({**columns, "user_id": ids}, schema=schema.USERS)


def videos_table() -> pa.Table:
    return pa.table(
        {
            "video_id": [10, 20, 30],
            "external_id": pa.nulls(3, pa.string()),
            "title": ["ten", None, "thirty"],
            "tags": [["b", "a"], [], ["a", "a"]],
            "creator_id": [7, None, 5],
            "duration_seconds": [10.0, None, 30.0],
            "language": ["en", None, "de"],
            "uploaded_at": pa.array(
                [
                    dt.datetime(2026, 1, 5, 23, 59, 59, 999000, dt.UTC),
                    None,
                    dt.datetime(2026, 1, 3, tzinfo=dt.UTC),
                ],
                pa.timestamp("ms", tz="UTC"),
            ),
        },
        schema=schema.VIDEOS,
    )


def day_table(day: dt.date, **changed: object) -> pa.Table:
    """Two impressions: user 4 clicks video 10, user 1 is shown video 30."""
    start = DAYS.index(day) * 100
    columns = {field.name: pa.nulls(2, field.type) for field in schema.IMPRESSIONS}
    columns |= {
        "impression_id": [start, start + 1],
        "user_id": [4, 1],
        "video_id": [10, 30],
        "day": [day, day],
        "click": [True, None],
        "watch_seconds": [2.5, None],
        "propensity": [0.25, None],
        "context": pa.array([[float(start)] * 32, None], schema.IMPRESSIONS.field("context").type),
        **changed,
    }
    return pa.table(columns, schema=schema.IMPRESSIONS)


def write_all(writer: DatasetWriter) -> Dataset:
    writer.write_users(users_table())
    writer.write_videos(videos_table())
    for day in DAYS:
        writer.write_day(day, day_table(day))
    return writer.finish()


@pytest.fixture
def small() -> SimpleNamespace:
    """The makers of this file; test modules cannot import it."""
    return SimpleNamespace(
        days=DAYS, users=users_table, videos=videos_table, day=day_table, write=write_all
    )


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    def make(key: str = "k" * 64, name: str = "small") -> Dataset:
        return write_all(DatasetWriter(tmp_path / name, "test", key))

    return make
