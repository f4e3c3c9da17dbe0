"""`shortlist world`: make, preview, describe, and what a user sees when a run is cut short."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shortlist.cli import main as cli
from shortlist.cli.world import facts_table, glimpses_table
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.errors import CorruptError, NotFoundError, StorageError
from shortlist.settings.world import WorldSettings
from shortlist.world.generate import generate

SIZES = {
    "users": 60,
    "videos": 240,
    "creators": 30,
    "days": 3,
    "impressions": 2_000,
    "session_length": 5.0,
    "name": "small",
}
SEED = 5


def verb(name: str, directory: Path, *more: str, **sizes: object) -> list[str]:
    named = {f"world.{key}": value for key, value in {**SIZES, **sizes}.items()}
    named |= {
        "seed": SEED,
        "paths.work": directory,
        "paths.truth": directory / "truth",
        "paths.cache": directory / "cache",
    }
    return ["world", name, *(part for key in named for part in ("--set", f"{key}={named[key]}")),
            *more]  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("work")
    generate(WorldSettings(**SIZES), SEED, path / "datasets", path / "truth")  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def log(directory: Path) -> Interactions:
    dataset = Dataset.open(directory / "datasets" / "small")
    return Interactions.load(
        dataset, Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    )


def test_make_says_what_was_made_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(verb("make", tmp_path)) == 0
    out = capsys.readouterr().out
    record = Dataset.open(tmp_path / "datasets" / "small").record
    assert f"{record.impressions:,} impressions of 240 videos by 60 users" in out
    assert f"dataset: {tmp_path / 'datasets' / 'small'}" in out
    assert f"truth: {tmp_path / 'truth' / 'small'}" in out
    assert "made in" in out
    assert cli.run(verb("make", tmp_path)) == 0
    assert "stood already, reused" in capsys.readouterr().out


def test_preview_shows_the_last_rows_of_a_user(
    directory: Path, log: Interactions, capsys: pytest.CaptureFixture[str]
) -> None:
    busiest = int(np.bincount(log.user).argmax()) + 1
    assert cli.run(verb("preview", directory, "--user", str(busiest), "--last", "4")) == 0
    out = capsys.readouterr().out
    assert f"user {busiest} truly leans to" in out
    watched = log.watch_seconds[log.user == busiest - 1][-4:]
    for seconds in watched:
        assert f"{seconds:.1f} s" in out
    assert sum(line.startswith("│ 2026-") for line in out.splitlines()) == 4


def test_preview_of_a_silent_user_says_so(
    directory: Path, log: Interactions, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = int(np.flatnonzero(np.bincount(log.user, minlength=60) == 0)[0]) + 1
    assert cli.run(verb("preview", directory, "--user", str(silent))) == 0
    assert f"user {silent} has no impressions" in capsys.readouterr().out


def test_describe_shows_every_fact_and_the_probe(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(verb("describe", directory)) == 0
    out = capsys.readouterr().out
    for name in ("click rate, policy traffic", "oracle AUC of clicks", "main tag found by"):
        assert name in out


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_an_unknown_user_is_one_line(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(verb("preview", directory, "--user", "61")) == NotFoundError.exit_code
    expected = "error: no user 61 in this dataset (ids run from 1 to 60)\n"
    assert complaint(capsys) == expected


@pytest.mark.parametrize("name", ["preview", "describe"])
def test_a_world_not_made_yet_is_one_line_with_the_verb_that_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    more = ["--user", "1"] if name == "preview" else []
    assert cli.run(verb(name, tmp_path, *more)) == NotFoundError.exit_code
    assert "make one with `shortlist world make`" in complaint(capsys)


def test_a_truth_of_another_world_is_one_line(
    tmp_path: Path, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = WorldSettings(**{**SIZES, "days": 2})  # type: ignore[arg-type]
    generate(settings, SEED, tmp_path / "datasets", tmp_path / "truth")
    crossed = verb("describe", tmp_path, "--set", f"paths.truth={directory / 'truth'}")
    assert cli.run(crossed) == CorruptError.exit_code
    assert "belongs to another dataset" in complaint(capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing command; see `shortlist world --help`"),
        (["mak"], "No such command 'mak'. Did you mean 'make'?"),
        (["preview"], "Missing option '--user'"),
        (["make", "--set", "world.userz=5"], "did you mean world.users?"),
        (["make", "--set", "world.videos=5"], "world.videos cannot be '5'"),
        (["make", "--preset", "demmo"], "did you mean demo?"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["world", *arguments]) == cli.USAGE
    assert sentence in complaint(capsys)


def test_a_file_in_the_place_of_the_work_directory_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert cli.run(verb("make", tmp_path / "taken")) == StorageError.exit_code
    assert str(tmp_path / "taken") in complaint(capsys)


def days_written(directory: Path) -> dict[str, int]:
    found = sorted(directory.glob("datasets/small/data-*/impressions/day=*/part-0.parquet"))
    return {path.parent.name: path.stat().st_mtime_ns for path in found}


# Writes some tables, then half of the next, and says so.
HANGING = """
import sys, time
import pyarrow.parquet as pq
from shortlist.cli.main import run

write, left = pq.write_table, int(sys.argv[1])

def hanging(table, where, **options):
    global left
    left -= 1
    if left < 0:
        where.write_bytes(b"half a table")
        print("hanging", flush=True)
        time.sleep(120)
    write(table, where, **options)

pq.write_table = hanging
sys.exit(run(sys.argv[2:]))
"""


def cut(directory: Path, how: signal.Signals, tables: int) -> tuple[int, str]:
    """Make until ``tables`` are written, then send a signal; returns exit code and stderr."""
    run = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(tables), *verb("make", directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "hanging\n"
    run.send_signal(how)
    _, err = run.communicate(timeout=60)
    return run.returncode, err


def test_a_run_cut_short_goes_on_and_ends_in_the_same_bytes(
    tmp_path: Path, directory: Path
) -> None:
    code, err = cut(tmp_path, signal.SIGINT, tables=3)  # Users, videos and a day.
    assert code == cli.INTERRUPTED
    assert err == "error: interrupted; the next run goes on from what was finished\n"
    after_ctrl_c = days_written(tmp_path)
    assert len(after_ctrl_c) == 1

    code, _ = cut(tmp_path, signal.SIGKILL, tables=3)
    assert code == -signal.SIGKILL
    after_kill = days_written(tmp_path)
    assert len(after_kill) == 2
    assert list(tmp_path.glob("datasets/**/.staging-*")), "killed in the middle of a table"
    with pytest.raises(NotFoundError):
        Dataset.open(tmp_path / "datasets" / "small")

    assert cli.run(verb("make", tmp_path)) == 0
    finished = days_written(tmp_path)
    assert after_ctrl_c.items() <= after_kill.items() <= finished.items()
    dataset = Dataset.open(tmp_path / "datasets" / "small")
    undisturbed = Dataset.open(directory / "datasets" / "small")
    assert dataset.record.digest == undisturbed.record.digest
    assert not list(tmp_path.glob("datasets/**/.staging-*"))


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, written = pa.parquet.write_table, []

    def full(table: pa.Table, where: Path, **options: object) -> None:
        written.append(where)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device", str(where))
        write(table, where, **options)

    with monkeypatch.context() as patched:
        patched.setattr("pyarrow.parquet.write_table", full)
        assert cli.run(verb("make", tmp_path)) == StorageError.exit_code
    assert "the disk is full; free space or point `paths` elsewhere" in complaint(capsys)
    stood = days_written(tmp_path)
    assert len(stood) == 1
    assert cli.run(verb("make", tmp_path)) == 0
    assert stood.items() <= days_written(tmp_path).items()


def test_tables_are_empty_but_whole_without_rows() -> None:
    assert glimpses_table([]).row_count == 0
    assert facts_table([], "nothing").row_count == 0
