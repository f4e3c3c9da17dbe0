import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.datasets import kuairand, schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.kuairand import FILES, HISTORY_DAY, import_kuairand
from shortlist.datasets.split import fit_and_tuning, split
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError, NotFoundError
from shortlist.settings.datasets import DatasetsSettings

COUNTERS = ("counts", "show_cnt", "play_cnt", "like_user_num", "play_progress", "share_all_cnt")
SECRET = 424242.0
"""Stands in every counter, and nowhere else."""


def tables() -> dict[str, pa.Table]:
    """Files of the shape of KuaiRand's: two users with a history, one without."""
    return {
        "users": pa.table({
            "user_id": [0, 1, 2],
            "user_active_degree": ["full_active", "UNKNOWN", "day_new"],
            "is_lowactive_period": [0, 0, 0],
            "fans_user_num": [int(SECRET)] * 3,
            "register_days": [799, 14, 3],
            "onehot_feat4": [1.0, None, 2.0],
        }),
        "videos": pa.table({
            "video_id": [0, 1, 2, 3],
            "author_id": [11, 12, 11, 13],
            "upload_dt": ["2022-04-09", "2022-04-10", "2022-04-11", "2022-04-09"],
            "video_duration": [5000.0, None, 0.0, 61250.0],
            "tag": ["39", "unknown", "12,62", "3"],
            **{name: [SECRET] * 4 for name in COUNTERS},
        }),
        "history": pa.table({
            "user_id": [1, 0],
            "history_len": [3, 2],
            "last_time_ms": [1650615878629, 1650352792048],
            "watch_seq": [[0, 1, 0], [2, 3]],
            "like_seq": pa.array([[1], []], pa.list_(pa.int64())),
            "long_watch_seq": [[3, 0], [2]],
        }),
        "impressions": pa.table({
            "user_id": [2, 0, 0],
            "video_id": [1, 3, 0],
            "date": [20220425, 20220430, 20220425],
            "hourmin": [0, 2300, 0],
            "time_ms": [1650812741436, 1651333923318, 1650812741000],
            "is_click": [1, 0, 1],
            "is_like": [0, 0, 1],
            "long_view": [1, 0, 0],
            "play_time_ms": [61802, 0, 1184],
            "duration_ms": [49866, 61250, 5000],
            "is_rand": [0, 0, 0],
            "watch_ratio": pa.array([SECRET, 0.0, 0.2], pa.float32()),
        }),
    }  # fmt: skip


@pytest.fixture
def write(tmp_path: Path):
    def to_disk(**changed: pa.Table) -> Path:
        for name, table in {**tables(), **changed}.items():
            pq.write_table(table, tmp_path / FILES[name])
        return tmp_path

    return to_disk


def changed(name: str, column: str, values: object) -> dict[str, pa.Table]:
    table = tables()[name]
    return {name: table.set_column(table.schema.get_field_index(column), column, pa.array(values))}


def test_histories_become_rows_of_the_last_day_in_their_order(write, tmp_path):
    dataset = import_kuairand(write(), tmp_path / "out").dataset
    history = dataset.impressions(last=HISTORY_DAY).to_pydict()
    assert history["impression_id"] == list(range(6))
    assert history["user_id"] == [0, 0, 1, 1, 1, 1]
    # Video 3 was watched long before the list of user 1 begins.
    assert history["video_id"] == [2, 3, 3, 0, 1, 0]
    assert history["long_view"] == [True, False, True, False, False, True]
    assert history["like"] == [False, False, False, False, True, False]
    assert set(history["day"]) == {HISTORY_DAY}
    for name in ("shown_at", "click", "watch_seconds", "skip", "random_exposure", "context"):
        assert history[name] == [None] * 6, name


def test_later_impressions_keep_day_time_and_outcomes(write, tmp_path):
    dataset = import_kuairand(write(), tmp_path / "out").dataset
    later = dataset.impressions(first=dt.date(2022, 4, 25)).to_pydict()
    assert later["impression_id"] == [6, 7, 8]
    assert later["user_id"] == [0, 2, 0]
    assert later["video_id"] == [0, 1, 3]
    assert [day.day for day in later["day"]] == [25, 25, 30]
    assert later["shown_at"][0] == dt.datetime(2022, 4, 24, 15, 5, 41, tzinfo=dt.UTC)
    assert later["click"] == [True, True, False]
    assert later["like"] == [True, False, False]
    assert later["long_view"] == [False, True, False]
    assert later["watch_seconds"] == [pytest.approx(1.184), pytest.approx(61.802), 0.0]
    assert later["random_exposure"] == [False] * 3
    for name in ("session_id", "position", "context", "propensity", "skip"):
        assert later[name] == [None] * 3, name


def test_tables_hold_profiles_and_nothing_of_the_month(write, tmp_path):
    dataset = import_kuairand(write(), tmp_path / "out").dataset
    assert dataset.users()["activity"].to_pylist() == ["full_active", None, "day_new"]
    assert dataset.users()["registered_days"].to_pylist() == [799, 14, 3]
    videos = dataset.videos().to_pydict()
    assert videos["tags"] == [["39"], [], ["12", "62"], ["3"]]
    assert videos["duration_seconds"] == [5.0, None, None, 61.25]
    assert videos["creator_id"] == [11, 12, 11, 13]
    assert videos["title"] == [None] * 4
    upload_day = Catalogue.from_table(dataset.videos()).upload_day
    assert [str(dt.date(1970, 1, 1) + dt.timedelta(int(day))) for day in upload_day] == [
        "2022-04-09", "2022-04-10", "2022-04-11", "2022-04-09",
    ]  # fmt: skip
    for table in (dataset.users(), dataset.videos(), dataset.impressions()):
        assert not any(SECRET in row.values() for row in table.to_pylist())


def test_only_columns_named_here_are_read_and_none_is_a_counter():
    read = {
        theirs for columns in (kuairand._USERS, kuairand._VIDEOS) for theirs, _ in columns.values()
    }
    assert read == {
        "user_id", "user_active_degree", "register_days",
        "video_id", "author_id", "upload_dt", "video_duration", "tag",
    }  # fmt: skip


def test_the_split_is_the_sources_own(write, tmp_path):
    dataset = import_kuairand(write(), tmp_path / "out").dataset
    cut = split(dataset, DatasetsSettings())
    assert (cut.history.last, cut.test.first) == (HISTORY_DAY, dt.date(2022, 4, 25))
    assert cut.validation is None
    users, videos = Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    history = Interactions.load(dataset, users, videos, cut.history.first, cut.history.last)
    fit, tuning = fit_and_tuning(history, cut)
    assert fit.video.tolist() == [2, 3, 0]
    assert tuning.video.tolist() == [3, 1, 0]


def test_a_second_import_reuses_the_first(write, tmp_path):
    first = import_kuairand(write(), tmp_path / "out")
    assert import_kuairand(tmp_path, tmp_path / "out").reused
    again = import_kuairand(
        write(**changed("users", "register_days", [799, 14, 4])), tmp_path / "out"
    )
    assert not again.reused
    assert [file.rows for file in first.report.files] == [3, 4, 2, 3]


LISTS = pa.list_(pa.int64())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("videos", "video_id", [0, 1, 1, 3]), r"'video_id': in 1 of 4 .*repeats an id"),
        (changed("users", "user_id", [0, 1, None]), "'user_id': in 1 of 3 .* is missing"),
        (changed("videos", "upload_dt", ["2022-04-09"] * 3 + ["soon"]), "'upload_dt': .*'soon'"),
        (changed("videos", "video_duration", [1.0, -2.0, 0.0, 0.0]), "'video_duration': .*above 0"),
        (changed("videos", "author_id", [[1]] * 4), "'author_id': in 4 of 4 .* whole number"),
        (changed("impressions", "video_id", [1, 3, 9]), "'video_id': .*item_features.* 9 in row 3"),
        (changed("impressions", "user_id", [7, 0, 0]), "'user_id': .*user_features.* 7 in row 1"),
        (changed("impressions", "play_time_ms", [-1, 0, 0]), "'play_time_ms': .* at least 0"),
        (changed("impressions", "is_click", [1, 0, 2]), "'is_click': .*neither true nor false"),
        (changed("impressions", "date", [20220424] * 3), "'date': in 3 .*not after 2022-04-24"),
        (changed("impressions", "date", [20221301] * 3), "'date': in 3 of 3 .*not a date"),
        (changed("history", "user_id", [1, 1]), "'user_id': in 1 of 2 .*repeats an id"),
        (changed("history", "user_id", [1, 8]), "'user_id': in 1 of 2 .*user_features"),
        (changed("history", "watch_seq", [[0, 77], [78]]), "'watch_seq': in 2 of 2 .* 77 in row 1"),
        (changed("history", "like_seq", ["a", "b"]), "'like_seq': its type is string"),
        ({"videos": tables()["videos"].drop_columns(["tag"])}, "no column 'tag'"),
        ({"history": tables()["history"].rename_columns({"watch_seq": "watches_seq"})},
         r"no column 'watch_seq'; did you mean watches_seq\?"),
        ({"users": tables()["users"].slice(0, 0)}, "user_features.parquet has no rows"),
    ],
)  # fmt: skip
def test_a_violation_is_refused_by_file_column_count_and_example(write, tmp_path, change, message):
    source = write(**change)
    with pytest.raises(InputError, match=message) as refusal:
        import_kuairand(source, tmp_path / "out")
    assert str(tmp_path / FILES[next(iter(change))]) in str(refusal.value)
    with pytest.raises(NotFoundError):
        Dataset.open(tmp_path / "out")


def test_a_missing_or_torn_file_is_named(write, tmp_path):
    source = write()
    path = source / FILES["impressions"]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"val\.parquet cannot be read as Parquet"):
        import_kuairand(source, tmp_path / "out")
    path.unlink()
    with pytest.raises(NotFoundError, match=r"no file .*val\.parquet"):
        import_kuairand(source, tmp_path / "out")


def test_every_column_read_has_a_place_in_the_schema():
    for table, columns in (
        ("users", kuairand._USERS),
        ("videos", kuairand._VIDEOS),
        ("impressions", kuairand._IMPRESSIONS),
    ):
        assert set(columns) <= set(schema.TABLES[table].names)
