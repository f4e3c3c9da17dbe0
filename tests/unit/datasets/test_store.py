import datetime as dt
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from shortlist.datasets import schema
from shortlist.datasets.layout import RECORD, day_file
from shortlist.datasets.store import Dataset, DatasetWriter, finished
from shortlist.errors import CorruptError, InputError, NotFoundError, StorageError

KEY = "k" * 64


def test_what_was_written_is_read_back(small, make_dataset):
    dataset = Dataset.open(make_dataset().path)
    assert dataset.record.impressions == 6
    assert (dataset.record.first_day, dataset.record.last_day) == (small.days[0], small.days[-1])
    assert dataset.users().equals(small.users())
    assert dataset.videos().equals(small.videos())
    assert dataset.impressions() == pa.concat_tables(small.day(day) for day in small.days)
    dataset.verify()


def test_reads_follow_days_columns_and_conditions(small, make_dataset):
    dataset = make_dataset()
    table = dataset.impressions(
        ["day", "user_id"], small.days[1], small.days[2], pc.field("video_id") == 30
    )
    assert table.to_pydict() == {"day": small.days[1:], "user_id": [1, 1]}
    assert table.schema.field("user_id") == schema.IMPRESSIONS.field("user_id")
    later = dt.date(2027, 1, 1)
    assert dataset.impressions(["day"], later).schema == table.select(["day"]).schema
    with pytest.raises(InputError, match="no column 'vidoe_id'"):
        dataset.impressions(["vidoe_id"])


def test_one_column_of_one_day_opens_no_other_file(small, make_dataset):
    dataset = make_dataset()
    for name in dataset.record.files:
        if name != day_file(small.days[1]):
            dataset.file(name).write_bytes(b"nonsense")
    assert dataset.impressions(["video_id"], small.days[1], small.days[1])[
        "video_id"
    ].to_pylist() == [10, 30]
    with pytest.raises(CorruptError, match="day=2026-01-07"):
        dataset.impressions(["video_id"], small.days[2])
    dataset.file(day_file(small.days[2])).unlink()
    with pytest.raises(CorruptError, match="vanished"):
        dataset.impressions(["video_id"], small.days[2])


def test_one_column_is_read_without_touching_the_bytes_of_the_others(small, make_dataset):
    dataset = make_dataset()
    path = dataset.file(day_file(small.days[0]))
    metadata = pq.read_metadata(path)
    click = metadata.row_group(0).column(metadata.schema.names.index("click"))
    start = min(click.data_page_offset, click.dictionary_page_offset or click.data_page_offset)
    content = bytearray(path.read_bytes())
    content[start : start + click.total_compressed_size] = b"\xff" * click.total_compressed_size
    path.write_bytes(content)
    assert dataset.impressions(["video_id"], last=small.days[0]).num_rows == 2
    with pytest.raises(CorruptError, match="cannot read"):
        dataset.impressions(["click"], last=small.days[0])


def test_an_absent_dataset_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFoundError, match="shortlist import"):
        Dataset.open(tmp_path / "none")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text("{"), "not a dataset record"),
        (lambda path: path.write_text('{"surprise": 1}'), "not a dataset record"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "not a dataset record"),
        (
            lambda path: path.write_text(
                path.read_text().replace('"schema_version": 1', '"schema_version": 99')
            ),
            "schema version 99",
        ),
    ],
)
def test_a_foreign_record_is_refused(make_dataset, damage, message):
    path = make_dataset().path
    damage(path / RECORD)
    with pytest.raises(CorruptError, match=message):
        Dataset.open(path)


def test_a_missing_file_is_named_when_the_dataset_is_opened(make_dataset):
    dataset = make_dataset()
    dataset.file("videos.parquet").unlink()
    with pytest.raises(CorruptError, match=r"videos\.parquet is missing"):
        Dataset.open(dataset.path)


def test_an_edited_file_is_found_by_its_hash_and_not_reused(small, make_dataset):
    dataset = make_dataset()
    assert finished(dataset.path, KEY) is not None
    assert finished(dataset.path, "other") is None
    assert finished(dataset.path.parent / "none", KEY) is None
    path = dataset.file(day_file(small.days[1]))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CorruptError, match="day=2026-01-06"):
        dataset.verify()
    assert finished(dataset.path, KEY) is None


def test_a_damaged_dataset_is_repaired_from_its_whole_days(small, make_dataset):
    dataset = make_dataset()
    before = dict(dataset.record.files)
    path = dataset.file(day_file(small.days[1]))
    path.write_bytes(path.read_bytes() + b"\0")
    writer = DatasetWriter(dataset.path, "test", KEY)
    assert [writer.has_day(day) for day in small.days] == [True, False, True]
    assert small.write(writer).record.files == before


def test_the_digest_depends_on_rows_not_on_the_key(make_dataset):
    assert make_dataset("a" * 64).record.digest == make_dataset("b" * 64).record.digest


def test_the_old_dataset_stands_until_the_new_one_is_finished(small, make_dataset):
    old = make_dataset()
    writer = DatasetWriter(old.path, "test", "n" * 64)
    writer.write_users(small.users([1, 4]))
    writer.write_videos(small.videos())
    writer.write_day(small.days[0], small.day(small.days[0]))
    assert Dataset.open(old.path).users().num_rows == 3
    writer.finish()
    assert Dataset.open(old.path).users().num_rows == 2
    assert [entry.name for entry in old.path.glob("data-*")] == ["data-" + "n" * 12]
    with pytest.raises(CorruptError, match="vanished"):
        old.impressions()


def test_a_crash_at_the_record_leaves_the_old_dataset(small, make_dataset, monkeypatch):
    old = make_dataset()

    def crash(self: Path, target: Path) -> Path:
        if Path(target).name == RECORD:
            raise OSError(errno.EIO, "the power went")
        return os_replace(self, target)

    os_replace = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="the power went"):
            small.write(DatasetWriter(old.path, "test", "n" * 64))
    assert Dataset.open(old.path).record == old.record
    old.verify()
    writer = DatasetWriter(old.path, "test", "n" * 64)
    assert all(writer.has_day(day) for day in small.days)
    assert writer.finish().record.key == "n" * 64


def test_scratch_lasts_until_the_dataset_is_finished(small, tmp_path):
    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    (writer.scratch / "note").write_text("x")
    assert (DatasetWriter(tmp_path / "d", "test", KEY).scratch / "note").is_file()
    small.write(writer)
    assert not list((tmp_path / "d").glob("scratch-*"))


@pytest.mark.parametrize("missing", ["users", "videos", "days"])
def test_an_incomplete_dataset_cannot_be_finished(small, tmp_path, missing):
    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    if missing != "users":
        writer.write_users(small.users())
    if missing != "videos":
        writer.write_videos(small.videos())
    if missing != "days":
        writer.write_day(small.days[0], small.day(small.days[0]))
    with pytest.raises(InputError, match="cannot be finished"):
        writer.finish()
    assert finished(tmp_path / "d", KEY) is None


def test_ids_that_fall_from_one_day_to_the_next_are_refused(small, tmp_path):
    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    writer.write_users(small.users())
    writer.write_videos(small.videos())
    writer.write_day(small.days[0], small.day(small.days[0], impression_id=[3, 8]))
    writer.write_day(small.days[1], small.day(small.days[1], impression_id=[8, 9]))
    with pytest.raises(InputError, match="ids of 2026-01-06 start at 8, not above 8"):
        writer.finish()


def test_a_torn_day_of_a_crashed_run_is_written_again(small, tmp_path):
    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    small.write(writer)
    (tmp_path / "d" / RECORD).unlink()
    torn = tmp_path / "d" / f"data-{KEY[:12]}" / day_file(small.days[0])
    torn.write_bytes(torn.read_bytes()[:-20])
    again = DatasetWriter(tmp_path / "d", "test", KEY)
    assert [again.has_day(day) for day in small.days] == [False, True, True]
    with pytest.raises(CorruptError, match="torn"):
        again.finish()
    again.write_day(small.days[0], small.day(small.days[0]))
    assert again.finish().record.impressions == 6


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(small, tmp_path, monkeypatch):
    def full(table: pa.Table, where: Path, **options: object) -> None:
        Path(where).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StorageError, match="the disk is full"):
            writer.write_day(small.days[0], small.day(small.days[0]))
    assert not writer.has_day(small.days[0])
    assert not [path for path in (tmp_path / "d").rglob("*") if b"half" in _bytes(path)]
    assert small.write(writer).record.impressions == 6


def test_a_file_where_the_dataset_should_be_is_one_sentence(tmp_path):
    (tmp_path / "d").write_text("mine")
    with pytest.raises(StorageError, match="a file stands where a directory should"):
        DatasetWriter(tmp_path / "d", "test", KEY)
    with pytest.raises(StorageError, match="a file stands where a directory should"):
        DatasetWriter(tmp_path / "d" / "below", "test", KEY)


_WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
import pyarrow.parquet as pq
from shortlist.datasets.layout import day_file
from shortlist.datasets.store import DatasetWriter
table = pq.read_table(sys.argv[2], partitioning=None)
writer = DatasetWriter(Path(sys.argv[1]), "test", "k" * 64)
day = table["day"][0].as_py()
writer.write_day(day, table)
(writer.path / "data-kkkkkkkkkkkk" / "impressions" / ".staging-left").write_text("half")
print("waiting", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_and_goes_on_once_the_first_is_killed(small, tmp_path):
    pq.write_table(small.day(small.days[0]), tmp_path / "day.parquet")
    command = [sys.executable, "-c", _WRITE_AND_WAIT, tmp_path / "d", tmp_path / "day.parquet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == "waiting\n"
            with pytest.raises(StorageError, match="another process is writing"):
                DatasetWriter(tmp_path / "d", "test", "other")
            with pytest.raises(NotFoundError):
                Dataset.open(tmp_path / "d")
        finally:
            os.kill(first.pid, signal.SIGKILL)
    writer = DatasetWriter(tmp_path / "d", "test", KEY)
    assert [writer.has_day(day) for day in small.days] == [True, False, False]
    assert small.write(writer).record.impressions == 6
    assert json.loads((tmp_path / "d" / RECORD).read_text())["impressions"] == 6


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
