"""A reader sees a whole file or directory, or none, whatever happens to the writer."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from shortlist.errors import StorageError
from shortlist.files import (
    STAGING_PREFIX,
    file_digest,
    make_directory,
    reach_refusal,
    staged_directory,
    staged_file,
    storage_errors,
    storage_refusal,
    sweep_staging,
)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    with staged_file(target) as aside:
        aside.write_text("whole")
        assert not target.exists()
        assert aside.suffix == ".txt"
    assert target.read_text() == "whole"
    assert names(target.parent) == ["a.txt"]
    assert target.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_half_way() -> None:
        with staged_file(target) as aside:
            aside.write_text("ha")
            raise error

    with pytest.raises(type(error)):
        fail_half_way()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_directory_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "d"
    for content in ("first", "second"):
        with staged_directory(target) as aside:
            (aside / content).write_text(content)
        assert names(target) == [content]
    assert names(tmp_path) == ["d"]
    assert target.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_a_failed_directory_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "d"
    target.mkdir()
    (target / "old").touch()

    def fail_half_way() -> None:
        with staged_directory(target) as aside:
            (aside / "new").touch()
            raise error

    with pytest.raises(type(error)):
        fail_half_way()
    assert names(target) == ["old"]
    assert names(tmp_path) == ["d"]


def test_a_killed_writer_leaves_nothing_that_is_read_and_its_leftovers_are_swept(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path; from shortlist.files import *\n"
        "target = Path(sys.argv[1])\n"
        "with staged_directory(target / 'd') as d, staged_file(target / 'f') as f:\n"
        "    f.write_text('half'); (d / 'half').touch(); print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert len(names(tmp_path)) == 2
    assert all(name.startswith(STAGING_PREFIX) for name in names(tmp_path))
    sweep_staging(tmp_path)
    assert names(tmp_path) == []


def test_sweeping_touches_nothing_finished_and_needs_no_directory(tmp_path: Path) -> None:
    (tmp_path / "finished").touch()
    sweep_staging(tmp_path)
    sweep_staging(tmp_path / "none")
    assert names(tmp_path) == ["finished"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "permission denied"),
    ],
)
def test_a_refusal_of_the_disk_is_one_sentence(code: int, reason: str) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(Path("there")):
        raise OSError(code, "words of the system")
    assert str(caught.value).startswith(f"cannot write there: {reason}; ")


def test_other_errors_of_the_system_pass() -> None:
    with pytest.raises(FileNotFoundError), storage_errors(Path("there")):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_what_may_come_from_reading_is_no_refusal_to_write() -> None:
    assert storage_refusal(PermissionError(errno.EACCES, "no"), Path("there")) is None
    assert storage_refusal(OSError("no number"), Path("there")) is None
    assert storage_refusal(OSError(errno.ENOSPC, "full"), Path("there")) is not None


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_digest(path) == hashlib.sha256(b"abc").hexdigest()
    assert file_digest(path).startswith("ba7816bf")


def test_a_disk_that_is_really_full_is_one_sentence() -> None:
    def fill() -> None:
        with storage_errors(Path("there")), Path("/dev/full").open("w") as full:
            full.write("x")

    with pytest.raises(StorageError, match="cannot write there: the disk is full"):
        fill()


@pytest.mark.parametrize("staged", [staged_file, staged_directory])
@pytest.mark.parametrize("below", ["a", "a/b"])
def test_a_file_in_the_place_of_a_directory_is_refused_by_name(
    tmp_path: Path, staged: Callable[[Path], AbstractContextManager[Path]], below: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    target = tmp_path / "taken" / below
    with (
        pytest.raises(StorageError, match="a file stands where a directory should"),
        staged(target),
    ):
        pass
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_place_where_nobody_can_make_a_directory_is_one_sentence() -> None:
    with pytest.raises(StorageError, match="/proc/none/a: the system lets nobody"):
        make_directory(Path("/proc/none/a"))


def test_a_directory_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    for _ in range(2):
        make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_path_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long") as caught:
        (tmp_path / ("x" * 300)).stat()
    refusal = reach_refusal(caught.value)
    assert "xxx: file name too long; check the path" in str(refusal)
    assert reach_refusal(PermissionError(errno.EACCES, "no")) is None
    assert reach_refusal(FileNotFoundError(errno.ENOENT, "gone", "there")) is None
