"""Live traffic continues a log: in its time, beside its users, without those who asked to go."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shortlist.datasets.going_on import go_on
from shortlist.datasets.layout import LivePart
from shortlist.datasets.schema import TABLES
from shortlist.datasets.split import split
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.datasets.tables import filled
from shortlist.errors import InputError
from shortlist.settings.datasets import DatasetsSettings

FIRST = dt.date(2026, 1, 5)
LIVE = dt.date(2026, 11, 20)
DAY = dt.timedelta(days=1)
VIDEOS = range(10, 16)
Rows = list[tuple[int, int]]


def written(path: Path, users: list[int], days: dict[dt.date, Rows], base=None) -> Dataset:
    """A dataset; impressions are pairs of user and video, shown at noon."""
    writer = DatasetWriter(path, path.name, f"{path.name} {sorted(days.items())}", base=base)
    said = {"user_id": pa.array(users), "language": pa.array(["de"] * len(users))}
    writer.write_users(filled("users", said, len(users)))
    writer.write_videos(filled("videos", {"video_id": pa.array(VIDEOS)}, len(VIDEOS)))
    number = 0 if base is None else 10**6
    shown_at = TABLES["impressions"].field("shown_at").type
    for day, rows in sorted(days.items()):
        noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
        columns = {
            "impression_id": pa.array(range(number, number + len(rows))),
            "user_id": pa.array([user for user, _ in rows]),
            "video_id": pa.array([video for _, video in rows]),
            "day": pa.array([day] * len(rows)),
            "shown_at": pa.array([noon] * len(rows), shown_at),
        }
        writer.write_day(day, filled("impressions", columns, len(rows)))
        number += len(rows)
    return writer.finish()


@pytest.fixture
def base(tmp_path: Path) -> Dataset:
    """Users 1 to 4, three days."""
    days = {FIRST + n * DAY: [(1, 10), (2, 11 + n)] for n in range(3)}
    return written(tmp_path / "log", [1, 2, 3, 4], days)


@pytest.fixture
def live(tmp_path: Path, base: Dataset) -> Dataset:
    """Two days with one between them; user 9 is new, and 0 has an id below the log's."""
    days = {LIVE: [(2, 14), (9, 15)], LIVE + 2 * DAY: [(0, 10), (9, 10)]}
    return written(tmp_path / "online", [0, 1, 2, 3, 4, 9], days, base.origin)


def rows(dataset: Dataset) -> dict[dt.date, Rows]:
    found: dict[dt.date, Rows] = {}
    for row in dataset.impressions(["day", "user_id", "video_id"]).to_pylist():
        found.setdefault(row["day"], []).append((row["user_id"], row["video_id"]))
    return found


def test_live_days_follow_the_last_one_as_far_from_each_other_as_they_were(
    base: Dataset, live: Dataset, tmp_path: Path
) -> None:
    joined, reused = go_on(base, live, tmp_path / "joined", follow=True)
    assert not reused
    joined.verify()
    fourth = FIRST + 3 * DAY
    assert rows(joined) == {
        **rows(base),
        fourth: [(2, 14), (9, 15)],
        fourth + 2 * DAY: [(9, 10)],
    }
    assert joined.record.live == LivePart(first=fourth, moved=(LIVE - fourth).days)
    shown = joined.impressions(["day", "shown_at"], first=fourth).to_pylist()
    assert all(row["shown_at"].date() == row["day"] for row in shown)
    assert {row["shown_at"].hour for row in shown} == {12}
    # The log's own days are the same files.
    for day in base.days():
        name = f"impressions/day={day}/part-0.parquet"
        assert joined.file(name).samefile(base.file(name))


def test_by_the_clock_days_keep_their_dates_and_the_logs_own_come_once(
    base: Dataset, tmp_path: Path
) -> None:
    last = base.record.last_day
    days = {last: [(1, 13)], last + 5 * DAY: [(2, 14)]}
    live = written(tmp_path / "online", [1, 2, 3, 4], days, base.origin)
    joined, _ = go_on(base, live, tmp_path / "joined", follow=False)
    assert rows(joined) == {**rows(base), last + 5 * DAY: [(2, 14)]}
    assert joined.record.live == LivePart(first=last + 5 * DAY, moved=0)


def test_newcomers_come_after_the_users_of_the_log(
    base: Dataset, live: Dataset, tmp_path: Path
) -> None:
    joined, _ = go_on(base, live, tmp_path / "joined", follow=True)
    assert joined.users().column("user_id").to_pylist() == [1, 2, 3, 4, 9]
    assert joined.origin == joined.log == base.origin
    assert joined.log.users == 4
    # What was drained is no log that goes on.
    assert live.origin == base.origin
    assert live.log.name == "online"


def test_who_asked_to_be_forgotten_is_left_out_of_the_log_too(
    base: Dataset, live: Dataset, tmp_path: Path
) -> None:
    # User 9 came back afterwards: what he did since counts.
    joined, _ = go_on(base, live, tmp_path / "joined", forgotten=[1, 9], follow=True)
    assert {user for pairs in rows(joined).values() for user, _ in pairs} == {2, 9}
    said = joined.users().select(["user_id", "language"]).to_pylist()
    language = {row["user_id"]: row["language"] for row in said}
    assert language == {1: None, 2: "de", 3: "de", 4: "de", 9: "de"}


def test_what_stands_is_found_and_anything_new_makes_it_anew(
    base: Dataset, live: Dataset, tmp_path: Path
) -> None:
    into = tmp_path / "joined"
    first, _ = go_on(base, live, into, follow=True)
    again, reused = go_on(base, live, into, follow=True)
    assert reused
    assert again.record == first.record
    assert not go_on(base, live, into, forgotten=[1], follow=True)[1]
    more = written(tmp_path / "online", [1, 2, 3, 4], {LIVE: [(3, 10)]}, base.origin)
    changed, reused = go_on(base, more, into, follow=True)
    assert not reused
    assert rows(changed)[FIRST + 3 * DAY] == [(3, 10)]


def test_where_nothing_is_added_the_log_is_the_log(base: Dataset, tmp_path: Path) -> None:
    live = written(tmp_path / "online", [1, 2, 3, 4], {FIRST: [(1, 13)]}, base.origin)
    assert go_on(base, live, tmp_path / "joined", follow=False) == (base, True)
    assert not (tmp_path / "joined").exists()


def test_traffic_beside_another_log_is_refused(
    base: Dataset, live: Dataset, tmp_path: Path
) -> None:
    other = written(tmp_path / "other", [1, 2], {FIRST: [(1, 10)]})
    with pytest.raises(InputError, match=r"drained beside 'log' and not .* online drain other"):
        go_on(other, live, tmp_path / "joined", follow=True)
    with pytest.raises(InputError, match="drained beside no log"):
        go_on(base, other, tmp_path / "joined", follow=True)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ages=st.sets(st.integers(0, 400), min_size=1, max_size=8))
def test_whenever_live_traffic_came_the_split_ends_with_it(
    ages: set[int], base: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("any")
    days = {LIVE - age * DAY: [(1, 13)] for age in ages}
    live = written(there / "online", [1, 2, 3, 4], days, base.origin)
    joined, _ = go_on(base, live, there / "joined", follow=True)
    found = joined.days()
    new = [day for day in found if day > base.record.last_day]
    assert new[0] == base.record.last_day + DAY
    assert [day - new[0] for day in new] == [day - min(days) for day in sorted(days)]
    cut = split(joined, DatasetsSettings(test_days=1, validation_days=1))
    assert cut.test.last == found[-1]
    assert cut.history.last < cut.test.first
