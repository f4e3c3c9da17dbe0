import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from shortlist.datasets import bring_your_own, foreign
from shortlist.datasets.bring_your_own import import_mapped
from shortlist.datasets.report import REPORT, Imported, ImportReport
from shortlist.datasets.spill import Spill
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import InputError, NotFoundError

MAPPING = """
timezone: Asia/Shanghai
impressions:
  files: log*.csv
  columns:
    user_id: uid
    video_id: vid
    shown_at: {column: t, unit: s}
    watch_seconds: {column: ms, unit: ms}
    propensity: p
    session_id: sess
videos:
  files: videos.csv
  columns:
    video_id: vid
    title: name
    tags: {column: genres, separator: "|"}
    duration_seconds: {column: len, unit: ms}
    creator_id: who
    uploaded_at: up
users:
  files: users.csv
  columns: {user_id: uid, activity: act, registered_days: age}
derive: {long_view: {watch_seconds: 18}}
"""
VIDEOS = """vid,name,genres,len,who,up
v2,two,b|a,5000,7,2022-04-01
v1,,,0,,
v3,three,a,60000,kim,2022-04-01 20:00:00
"""
USERS = "uid,act,age\nzoe,high,10\nann,,\n"
# 16:00 UTC is midnight in Shanghai: 1649001600 is 3 April 16:00 UTC.
LOG_1 = """t,uid,vid,ms,p,sess
1649001600,ann,v3,17999,0.5,s1
1649001599,ann,v2,5000,1,s1
1649001600,zoe,v1,18000,0.25,7
"""
LOG_2 = """t,uid,vid,ms,p,sess
1649001500,zoe,v3,,,
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    directory.mkdir()
    texts = {"m.yaml": MAPPING, "videos.csv": VIDEOS, "users.csv": USERS}
    for name, text in {**texts, "log1.csv": LOG_1, "log2.csv": LOG_2}.items():
        (directory / name).write_text(text)
    return directory


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Callable[[], Imported]:
    return lambda: import_mapped(source / "m.yaml", tmp_path / "out")


def test_a_log_becomes_a_dataset(run, tmp_path):
    dataset = run().dataset
    assert dataset.path == tmp_path / "out" / "m"
    dataset.verify()
    assert dataset.users().to_pylist() == [
        {"user_id": 0, "external_id": "ann", "activity": None, "registered_days": None,
         "language": None, "age_band": None, "interests": None},
        {"user_id": 1, "external_id": "zoe", "activity": "high", "registered_days": 10,
         "language": None, "age_band": None, "interests": None},
    ]  # fmt: skip
    videos = dataset.videos().to_pydict()
    assert videos["external_id"] == ["v1", "v2", "v3"]
    assert videos["title"] == [None, "two", "three"]
    assert videos["tags"] == [[], ["b", "a"], ["a"]]
    assert videos["duration_seconds"] == [None, 5.0, 60.0]
    assert videos["creator_id"][:2] == [None, 7]
    assert videos["uploaded_at"] == [
        None,
        dt.datetime(2022, 4, 1, 12, tzinfo=dt.UTC),
        dt.datetime(2022, 4, 1, 12, tzinfo=dt.UTC),
    ]
    log = dataset.impressions().to_pydict()
    assert log["impression_id"] == [0, 1, 2, 3]
    assert log["day"] == [dt.date(2022, 4, 3)] * 2 + [dt.date(2022, 4, 4)] * 2
    assert log["user_id"] == [1, 0, 0, 1]
    assert log["video_id"] == [2, 1, 2, 0]
    assert log["watch_seconds"] == [None, 5.0, pytest.approx(17.999), 18.0]
    # Whole of a short video; not quite 18 seconds; 18 seconds of who knows how many.
    assert log["long_view"] == [None, True, False, True]
    assert log["propensity"] == [None, 1.0, 0.5, 0.25]
    assert log["session_id"][0] is None
    assert log["session_id"][1] == log["session_id"][2] != 7
    assert log["session_id"][3] == 7
    assert log["click"] == log["context"] == [None] * 4


def test_the_report_says_what_was_read_and_what_is_there(run, source):
    imported = run()
    written = ImportReport.model_validate_json((imported.dataset.path / REPORT).read_bytes())
    assert written == imported.report
    assert [(file.table, Path(file.path).name, file.rows) for file in written.files] == [
        ("users", "users.csv", 2),
        ("videos", "videos.csv", 3),
        ("impressions", "log1.csv", 3),
        ("impressions", "log2.csv", 1),
    ]
    facts = written.facts
    assert facts.impressions.rows == 4
    assert facts.rates["long_view"] == pytest.approx(2 / 3)
    assert facts.rates["click"] is None


def test_without_tables_users_and_videos_come_from_the_log(source, run):
    text = MAPPING.split("videos:", maxsplit=1)[0]
    (source / "m.yaml").write_text(text)
    dataset = run().dataset
    assert dataset.users()["external_id"].to_pylist() == ["ann", "zoe"]
    videos = dataset.videos().to_pydict()
    assert videos["external_id"] == ["v1", "v2", "v3"]
    assert videos["tags"] == [[], [], []]
    assert videos["title"] == [None, None, None]


def test_whole_number_ids_are_kept(source, run):
    (source / "m.yaml").write_text(
        "impressions: {files: a.parquet, columns: {user_id: u, video_id: v, day: d, click: c}}"
    )
    day = dt.date(2026, 1, 2)
    pq.write_table(
        pa.table({"u": [40, 5], "v": ["3", "20"], "d": [day, day], "c": [1, 0]}),
        source / "a.parquet",
    )
    dataset = run().dataset
    assert dataset.users()["user_id"].to_pylist() == [5, 40]
    assert dataset.users()["external_id"].null_count == 2
    log = dataset.impressions(["user_id", "video_id", "day", "shown_at", "click"]).to_pydict()
    assert log == {
        "user_id": [40, 5], "video_id": [3, 20], "day": [day, day],
        "shown_at": [None, None], "click": [True, False],
    }  # fmt: skip


def test_a_second_call_reuses_what_is_unchanged(run, source, monkeypatch):
    first = run()
    (source / "log1.csv").rename(source / "log1a.csv")
    monkeypatch.setattr(bring_your_own, "DatasetWriter", None)
    second = run()
    assert (first.reused, second.reused) == (False, True)
    assert second.report == first.report
    monkeypatch.undo()
    (source / "log2.csv").write_text(LOG_2 + "1649001501,zoe,v3,1,,\n")
    third = run()
    assert (third.reused, third.dataset.record.impressions) == (False, 5)
    (source / "m.yaml").write_text(MAPPING.replace("watch_seconds: 18", "watch_seconds: 1"))
    assert not run().reused


def test_a_lost_report_is_measured_again(run):
    first = run()
    (first.dataset.path / REPORT).write_text("{")
    assert run().report.facts == first.report.facts


REFUSALS = [
    ("log1.csv", "ann,v3,17999", "ann,v3,soon", r"column 'ms': in 1 of 3 rows .* not a number, "
     r"for example 'soon' in row 1"),
    ("log1.csv", "ann,v2,5000", "ann,v2,-5", r"'ms': in 1 .* not at least 0, .*'-5' in row 2"),
    ("log1.csv", "0.25", "1.25", r"'p': in 1 .*not above 0 and at most 1.*'1.25' in row 3"),
    ("log1.csv", ",0.5,", ",0,", r"'p': in 1 of 3 rows the value is not above 0"),
    ("log1.csv", "1649001600,ann", "later,ann", r"'t': in 1 .* not a time .*'later' in row 1"),
    ("log1.csv", "1649001600,ann", "1649001600000,ann", r"'t': in 1 .*not a time between 1980"),
    ("log1.csv", "1649001600,ann", ",ann", r"'t': in 1 of 3 rows the value is missing, .* row 1"),
    ("log1.csv", "ann,v2", ",v2", r"'uid': in 1 of 3 rows the value is missing"),
    ("log1.csv", "ann", "bob", r"'uid': in 2 of 3 rows .*in no row of the users table.*'bob'"),
    ("log2.csv", "v3", "v9", r"log2.csv, column 'vid': in 1 of 1 rows .*videos table.*'v9'"),
    ("videos.csv", "v2,two", "v1,two", r"videos.csv, column 'vid': in 1 of 3 rows .*repeats an id"),
    ("videos.csv", "5000", "-1", r"'len': .*not above 0"),
    ("videos.csv", "2022-04-01\n", "April\n", r"'up': .*'April' in row 1"),
    ("users.csv", "10", "1.5", r"'age': .* not a whole number, for example '1.5'"),
    ("users.csv", "uid,", "uuid,", r"users.csv: no column 'uid'; did you mean uuid\?"),
    ("log2.csv", LOG_2, "", r"log2.csv is empty"),
    ("log2.csv", "1649001500,zoe,v3,,,", "", r"log2.csv has no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "message"), REFUSALS)
def test_a_violation_is_refused_with_file_column_count_and_example(
    run, source, tmp_path, name, old, new, message
):
    path = source / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message) as refusal:
        run()
    assert str(path) in str(refusal.value)
    with pytest.raises(NotFoundError):
        Dataset.open(tmp_path / "out" / "m")


def test_several_faults_name_the_first_and_count_the_others(run, source):
    (source / "log1.csv").write_text(LOG_1.replace("17999,0.5", "x,y").replace("5000", "z"))
    with pytest.raises(InputError, match=r"'ms': in 2 of 3 .*'x' in row 1 \(and 1 more faults\)"):
        run()


def test_a_wrong_type_and_a_foreign_format_are_refused(run, source):
    (source / "m.yaml").write_text(
        "impressions: {files: a.parquet, columns: {user_id: u, video_id: v, day: d, like: c}}"
    )
    table = pa.table({"u": [1], "v": [2], "d": ["2026-01-05"], "c": [[1]]})
    pq.write_table(table, source / "a.parquet")
    with pytest.raises(InputError, match="'c': in 1 of 1 rows the value is neither true nor false"):
        run()
    (source / "a.parquet").write_text("u,v\n1,2\n")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        run()
    (source / "a.parquet").unlink()
    with pytest.raises(NotFoundError, match=r"no file .*a\.parquet"):
        run()


def test_a_name_must_be_that_of_a_directory(source, tmp_path):
    for name in ("../x", ".x", "a/b", ""):
        with (
            pytest.raises(InputError, match="cannot be called")
            if name
            else pytest.raises(NotFoundError)
        ):
            import_mapped(source / ("m.yaml" if name else "n.yaml"), tmp_path, name)


def test_a_stopped_import_goes_on_from_its_files_and_days(run, source, monkeypatch):
    divided, written = [], []

    def stop_at_second_file(spill: Spill, file: int, batches: object) -> None:
        if file == 1 and "stopped" not in divided:
            divided.append("stopped")
            raise KeyboardInterrupt
        divided.append(file)
        divide(spill, file, batches)

    def stop_at_second_day(writer: DatasetWriter, day: dt.date, table: pa.Table) -> None:
        if day.day == 4 and "stopped" not in written:
            written.append("stopped")
            raise KeyboardInterrupt
        written.append(day.day)
        write_day(writer, day, table)

    divide, write_day = Spill.divide, DatasetWriter.write_day
    monkeypatch.setattr(Spill, "divide", stop_at_second_file)
    monkeypatch.setattr(DatasetWriter, "write_day", stop_at_second_day)
    with pytest.raises(KeyboardInterrupt):
        run()
    with pytest.raises(KeyboardInterrupt):
        run()
    imported = run()
    assert divided == [0, "stopped", 1]
    assert written == [3, "stopped", 4]
    monkeypatch.undo()
    clean = import_mapped(source / "m.yaml", source / "clean").dataset
    assert imported.dataset.record.files == clean.record.files


def test_rows_do_not_depend_on_how_the_log_is_cut_into_files(run, source):
    whole = run().dataset.impressions()
    (source / "log2.csv").unlink()
    (source / "log1.csv").write_text(LOG_1 + LOG_2.splitlines()[1] + "\n")
    again = run()
    assert not again.reused
    assert again.dataset.impressions() == whole


def test_rows_and_faults_are_counted_over_all_batches(run, source, monkeypatch):
    monkeypatch.setattr(foreign, "_BLOCK_BYTES", 64)
    rows = "".join(f"{1649001600 + i},ann,v3,{i},0.5,\n" for i in range(40))
    (source / "log1.csv").write_text(LOG_1.splitlines()[0] + "\n" + rows)
    assert run().dataset.record.impressions == 41
    rows = rows.replace(",ann,v3,17,", ",ann,v3,x,").replace(",ann,v3,30,", ",ann,v3,y,")
    (source / "log1.csv").write_text(LOG_1.splitlines()[0] + "\n" + rows)
    with pytest.raises(InputError, match=r"in 2 of 40 rows .* for example 'x' in row 18$"):
        run()
