"""A base dataset of a few users and videos, and an archive to fill."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from shortlist.datasets.schema import TABLES
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.datasets.tables import filled
from shortlist.online.archive import Archive, Place, Taken
from shortlist.online.entries import Entry, pack_entry
from shortlist.online.keys import Keys

KEYS = Keys("sl")


@pytest.fixture
def base(tmp_path: Path) -> Dataset:
    """Users 1 to 4, videos 10 to 15 (video 12 lasts 6 seconds), one old impression."""

    def column(table: str, name: str, values: list[object]) -> pa.Array:
        return pa.array(values, TABLES[table].field(name).type)

    writer = DatasetWriter(tmp_path / "base", "a test", "base")
    users = {"user_id": pa.array([1, 2, 3, 4]), "language": pa.array(["de", "en", "de", None])}
    writer.write_users(filled("users", users, 4))
    seconds = column("videos", "duration_seconds", [60.0, 60.0, 6.0, 60.0, 60.0, None])
    videos = {"video_id": pa.array(range(10, 16)), "duration_seconds": seconds}
    writer.write_videos(filled("videos", videos, 6))
    day = dt.date(2026, 1, 5)
    old = {
        "impression_id": pa.array([0]),
        "user_id": pa.array([1]),
        "video_id": pa.array([10]),
        "day": pa.array([day]),
    }
    writer.write_day(day, filled("impressions", old, 1))
    return writer.finish()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    made.prepare()
    return made


Taking = Callable[[Sequence[tuple[Entry, float]]], list[Taken]]


@pytest.fixture
def taken() -> Taking:
    """Entries with the seconds at which they were received, as if taken from the log."""
    sequence = 0

    def make(entries: Sequence[tuple[Entry, float]]) -> list[Taken]:
        nonlocal sequence
        result = []
        for entry, received in entries:
            sequence += 1
            subject = getattr(entry, "user", None) or getattr(entry, "subject", 0)
            place = Place(KEYS.shard(subject), int(received * 1e3), sequence)
            result.append(Taken(place, entry, pack_entry(entry)))
        return result

    return make
