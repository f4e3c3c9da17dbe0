"""`shortlist encode` says what it encoded and what it found in the cache."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from shortlist.cli.main import run
from shortlist.datasets import schema
from shortlist.datasets.store import DatasetWriter

DAY = dt.date(2026, 1, 5)


def rows(fields: pa.Schema, **columns: list[object]) -> pa.Table:
    number = len(next(iter(columns.values())))
    nulls = {field.name: pa.nulls(number, field.type) for field in fields}
    return pa.table({**nulls, **columns}, schema=fields)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three videos, two of which say the same."""
    writer = DatasetWriter(tmp_path / "log", source="test", key="k" * 64)
    writer.write_users(rows(schema.USERS, user_id=[1]))
    videos = rows(
        schema.VIDEOS, video_id=[1, 2, 3], title=["Sea", "Sea", None], tags=[["a"], ["a"], []]
    )
    writer.write_videos(videos)
    writer.write_day(
        DAY,
        rows(schema.IMPRESSIONS, impression_id=[0], user_id=[1], video_id=[2], day=[DAY]),
    )
    return writer.finish().path


def test_a_second_run_reuses_all(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["encode", str(dataset), "--set", f"paths.cache={tmp_path / 'cache'}"]
    assert run(line) == 0
    first = capsys.readouterr()
    assert "3 videos, 2 distinct texts: 2 encoded, 0 reused" in first.out
    assert "vectors of width 768 by hashing/768/" in first.out
    assert first.err == ""
    assert run(line) == 0
    assert "0 encoded, 2 reused" in capsys.readouterr().out


def test_a_directory_that_is_no_encoder_is_one_line_and_an_exit_code(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = ["--set", "encoders.kind=transformers", "--set", f"encoders.model={tmp_path}"]
    assert run(["encode", str(dataset), *choice]) == 65
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "it has no configuration (config.json); set encoders.model" in error


def test_ctrl_c_is_one_line_and_the_next_run_goes_on(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from shortlist.encoders.hashing import HashingEncoder

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    line = ["encode", str(dataset), "--set", f"paths.cache={tmp_path / 'cache'}"]
    with monkeypatch.context() as patch:
        patch.setattr(HashingEncoder, "encode", interrupted)
        patch.setattr(HashingEncoder, "key", "key")
        assert run(line) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert run(line) == 0
    assert "2 encoded, 0 reused" in capsys.readouterr().out
