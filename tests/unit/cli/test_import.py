"""`shortlist import` as a user runs it, and stops it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shortlist.cli import main as cli
from shortlist.datasets.store import Dataset
from shortlist.errors import NotFoundError

MAPPING = """
impressions:
  files: log.csv
  columns: {user_id: user, video_id: item, day: day, like: liked}
"""
LOG = "day,user,item,liked\n2026-01-05,1,10,1\n2026-01-06,1,11,0\n2026-01-07,2,10,1\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(MAPPING)
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path


def test_a_log_is_imported_under_the_name_asked_for(here, capsys):
    assert cli.run(["import", "--mapping", "mine.yaml", "--name", "ours"]) == 0
    assert "made work/datasets/ours" in capsys.readouterr().out
    assert Dataset.open(here / "work/datasets/ours").record.impressions == 3
    assert cli.run(["import", "--mapping", "mine.yaml", "--name", "ours"]) == 0
    assert "unchanged; nothing was read again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 65, "write kuairand:PATH or --mapping FILE"),
        (["kuairand:x", "--mapping", "mine.yaml"], 65, "or two things"),
        (["movielens:x"], 65, "'movielens:x' is no source"),
        (["kuairand:"], 65, "'kuairand:' is no source"),
        (["kuairand:nowhere"], 66, "no file nowhere/user_features.parquet"),
        (["--mapping", "their.yaml"], 66, "no mapping their.yaml"),
        (["--mapping", "mine.yaml", "--name", "../up"], 65, "cannot be called '../up'"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(here, capsys, arguments, code, message):
    assert cli.run(["import", *arguments]) == code
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err


STOP_AT_THE_SECOND_DAY = """
import sys, time
from shortlist.cli import main as cli
from shortlist.datasets.store import DatasetWriter

write_day = DatasetWriter.write_day
written = []

def wait_at_the_second(self, day, table):
    if written:
        print("waiting", flush=True)
        time.sleep(60)
    written.append(day)
    write_day(self, day, table)

DatasetWriter.write_day = wait_at_the_second
sys.exit(cli.run(["import", "--mapping", "mine.yaml"]))
"""


@pytest.mark.parametrize(
    ("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_stopped_import_leaves_nothing_readable_and_goes_on(here, capsys, stop, code):
    command = [sys.executable, "-c", STOP_AT_THE_SECOND_DAY]
    with subprocess.Popen(command, text=True, stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, stop)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert not out
    if stop == signal.SIGINT:
        assert err == "error: interrupted; the next run goes on from what was finished\n"
    with pytest.raises(NotFoundError):
        Dataset.open(here / "work/datasets/mine")
    first_day = next((here / "work").rglob("day=2026-01-05/*.parquet"))
    written = first_day.stat().st_mtime_ns
    assert cli.run(["import", "--mapping", "mine.yaml"]) == 0
    assert first_day.stat().st_mtime_ns == written
    assert Dataset.open(here / "work/datasets/mine").record.impressions == 3
    assert sorted(path.name for path in (here / "work/datasets/mine").glob("[!.]*")) == [
        first_day.relative_to(here / "work/datasets/mine").parts[0],
        "dataset.json",
        "import-report.json",
    ]


FILL_THE_DISK = """
import pathlib, subprocess, sys
from shortlist.cli import main as cli

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", "work"], check=True)

mount("size=64k")
print(cli.run(["import", "--mapping", "mine.yaml"]))
print(len(list(pathlib.Path("work").rglob(".staging*"))))
mount("remount,size=8M")
sys.exit(cli.run(["import", "--mapping", "mine.yaml"]))
"""


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(here):
    (here / "work").mkdir()
    rows = "".join(f"2026-01-05,{i},{i * 7919 % 99991},1\n" for i in range(20_000))
    (here / "log.csv").write_text(LOG + rows)
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*namespace, "true"], check=False).returncode
    ):
        pytest.skip("this system lets nobody mount a small file system")
    command = [*namespace, sys.executable, "-c", FILL_THE_DISK]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("74\n0\nmade work/datasets/mine\n")
    assert ended.stderr.count("\n") == 1
    assert "the disk is full; free space or point `paths` elsewhere" in ended.stderr
