"""The dataset of an archive: made where something is new, kept where nothing is."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.events import Kind
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.online.archive import Archive
from shortlist.online.entries import Action, EntryType, Event, Note, ServedPage
from shortlist.online.making import make
from shortlist.settings.online import OnlineSettings

SETTINGS = OnlineSettings(join_hours=1, settle_minutes=30)
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
NOON = DAY.timestamp() + 43_200
HOUR = 3_600


def event(name: str, action: Action, at: float, user: int = 1, video: int = 10) -> Event:
    return Event(name, user, video, action, at, Kind.SHOWN)


def shown(name: str, at: float, user: int = 1, video: int = 10) -> tuple[Event, float]:
    return event(name, Action.IMPRESSION, at, user, video), at


def rows(dataset: Dataset | None) -> list[tuple[int, int, bool]]:
    assert dataset is not None
    table = dataset.impressions(["user_id", "video_id", "click"])
    return [tuple(row.values()) for row in table.to_pylist()]


def test_a_drained_dataset_is_one_that_models_can_be_fitted_to(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    page = ServedPage(
        "r",
        9,
        NOON,
        np.array([11]),
        np.array([2], np.int16),
        np.array([0.5]),
        np.array([True]),
        context=np.ones(32, np.float32),
    )
    click = Event("b", 9, 11, Action.CLICK, NOON + 5, Kind.CLICK, request_id="r")
    archive.write(taken([shown("a", NOON - 90), (page, NOON), (click, NOON + 5)]))
    made = make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR)
    assert rows(made.dataset) == [(1, 10, False), (9, 11, True)]
    dataset = Dataset.open(tmp_path / "log")
    dataset.verify()
    users = dataset.users()
    assert users.column("user_id").to_pylist() == [1, 2, 3, 4, 9]
    assert users.column("language").to_pylist() == ["de", "en", "de", None, None]
    log = Interactions.load(
        dataset, Users.from_table(users), Catalogue.from_table(dataset.videos()), context=True
    )
    assert log.user.tolist() == [0, 4]
    assert log.propensity.tolist()[1] == 0.5
    assert log.random_exposure.tolist() == [False, True]
    assert log.context.sum(axis=1).tolist() == [0.0, 32.0]
    assert log.position.tolist() == [-1, 2]


def test_impressions_wait_for_their_outcomes_and_come_without_new_entries(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    archive.write(taken([shown("a", NOON), shown("b", NOON + 600, video=11)]))
    first = make(archive, base, tmp_path / "log", SETTINGS, NOON + 1_799)
    assert (first.dataset, first.waiting) == (None, 2)
    second = make(archive, base, tmp_path / "log", SETTINGS, NOON + 1_800)
    assert (rows(second.dataset), second.waiting) == ([(1, 10, False)], 1)
    third = make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR)
    assert (len(rows(third.dataset)), third.waiting) == (2, 0)


def test_a_late_outcome_changes_the_row_of_its_impression_and_keeps_the_id(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    archive.write(taken([shown("a", NOON)]))
    first = make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR).dataset
    assert first is not None
    before = first.impressions(["impression_id"]).to_pylist()
    archive.write(taken([(event("b", Action.CLICK, NOON + 9), NOON + 9 * HOUR)]))
    second = make(archive, base, tmp_path / "log", SETTINGS, NOON + 10 * HOUR).dataset
    assert rows(second) == [(1, 10, True)]
    assert second is not None
    assert second.impressions(["impression_id"]).to_pylist() == before


def test_an_event_that_was_a_week_on_its_way_is_left_out_and_counted(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    week = 7 * 24 * HOUR
    archive.write(taken([shown("a", NOON), (event("b", Action.CLICK, NOON + 9), NOON + week + 10)]))
    made = make(archive, base, tmp_path / "log", SETTINGS, NOON + 2 * week)
    assert (rows(made.dataset), made.late) == ([(1, 10, False)], 1)


def test_days_that_nothing_touches_are_the_same_file(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    days = [NOON + n * 24 * HOUR for n in range(4)]
    archive.write(taken([shown(f"e{n}", at) for n, at in enumerate(days)]))
    first = make(archive, base, tmp_path / "log", SETTINGS, days[-1] + HOUR).dataset
    assert first is not None
    nodes = {
        day: first.file(f"impressions/day={day}/part-0.parquet").stat().st_ino
        for day in first.days()
    }
    archive.write(taken([shown("new", days[3] + 60, video=11)]))
    made = make(archive, base, tmp_path / "log", SETTINGS, days[3] + HOUR)
    second = made.dataset
    assert second is not None
    assert list(made.days_made) == [DAY.date() + dt.timedelta(days=3)]
    kept = [
        day
        for day in second.days()
        if second.file(f"impressions/day={day}/part-0.parquet").stat().st_ino == nodes[day]
    ]
    assert len(kept) == 3
    assert len(rows(second)) == 5
    second.verify()


def test_made_step_by_step_or_at_once_it_is_the_same(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    generator = np.random.default_rng(5)
    entries = []
    for number in range(120):
        at = NOON + float(generator.integers(0, 40 * HOUR))
        action = Action(int(generator.integers(0, 5)))
        one = event(
            f"e{number}", action, at, int(generator.integers(1, 5)), int(generator.integers(10, 13))
        )
        entries.append((one, at + float(generator.integers(0, 30 * HOUR))))
    entries.sort(key=lambda pair: pair[1])
    end = NOON + 100 * HOUR
    batches = taken(entries)
    for low in range(0, 120, 30):
        archive.write(batches[low : low + 30])
        make(archive, base, tmp_path / "steps", SETTINGS, batches[low + 29].place.received_ms / 1e3)
    steps = make(archive, base, tmp_path / "steps", SETTINGS, end).dataset
    (archive.directory / "made.json").unlink()
    once = make(archive, base, tmp_path / "once", SETTINGS, end).dataset
    assert steps is not None
    assert once is not None
    assert steps.impressions().equals(once.impressions())
    assert len(rows(once)) > 40


def test_whoever_is_forgotten_is_gone_from_every_day_and_from_the_users(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    later = NOON + 72 * HOUR
    archive.write(taken([shown("a", NOON), shown("b", NOON, user=2), shown("c", later, video=11)]))
    make(archive, base, tmp_path / "log", SETTINGS, later + HOUR)
    archive.write(taken([(Note(EntryType.FORGET, 1, later + 60), later + 60)]))
    made = make(archive, base, tmp_path / "log", SETTINGS, later + 2 * HOUR)
    assert (rows(made.dataset), made.purged) == ([(2, 10, False)], 2)
    assert made.dataset is not None
    assert made.dataset.users().column("user_id").to_pylist() == [2, 3, 4]
    archive.write(taken([shown("d", later + 3 * HOUR, video=12)]))
    again = make(archive, base, tmp_path / "log", SETTINGS, later + 5 * HOUR).dataset
    assert rows(again) == [(2, 10, False), (1, 12, False)]
    assert again is not None
    assert again.users().column("language").to_pylist() == [None, "en", "de", None]


def test_where_nobody_is_left_there_is_no_dataset(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    archive.write(taken([shown("a", NOON)]))
    make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR)
    archive.write(taken([(Note(EntryType.FORGET, 1, NOON + 60), NOON + 60)]))
    assert make(archive, base, tmp_path / "log", SETTINGS, NOON + 2 * HOUR).dataset is None
    assert make(archive, base, tmp_path / "log", SETTINGS, NOON + 3 * HOUR).dataset is None


def test_a_video_that_the_base_lacks_is_counted_and_comes_with_a_base_that_has_it(
    archive: Archive, base: Dataset, taken, tmp_path: Path
) -> None:
    archive.write(taken([shown("a", NOON), shown("b", NOON, video=99)]))
    made = make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR)
    assert (rows(made.dataset), made.unknown_videos) == ([(1, 10, False)], 1)


@pytest.mark.parametrize("damage", ["missing", "nonsense"])
def test_without_a_note_of_the_last_time_all_is_made_again(
    archive: Archive, base: Dataset, taken, tmp_path: Path, damage: str
) -> None:
    archive.write(taken([shown("a", NOON)]))
    first = rows(make(archive, base, tmp_path / "log", SETTINGS, NOON + HOUR).dataset)
    note = archive.directory / "made.json"
    note.unlink() if damage == "missing" else note.write_text("{")
    again = make(archive, base, tmp_path / "log", SETTINGS, NOON + 2 * HOUR)
    assert rows(again.dataset) == first == [(1, 10, False)]
