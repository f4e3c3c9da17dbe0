"""Pruning: of each step the outputs that were used last stay, and the others go.

An output counts as used whenever a run made or found it. A run holds a lock on the whole directory
of steps for as long as its process lives, for it reads what it found until then; pruning waits for
nobody, and leaves the directory alone while anybody is at work.
"""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from shortlist.errors import RefusedError
from shortlist.files import STAGING_PREFIX, make_directory, storage_errors, sweep_staging

FOLDER: Final = "steps"
"""Of all steps, below the work directory."""
_LOCK: Final = ".in-use"
_USED: Final = ".lock"


@dataclass(frozen=True)
class Old:
    """An output that goes.

    Attributes:
        step: whose it is.
        path: its directory.
        size: bytes of its files.
    """

    step: str
    path: Path
    size: int


def in_use(steps: Path) -> IO[bytes]:
    """Keep pruning away for as long as the stream that this returns is open.

    On a network file system without locks nothing is held: prune there while nothing runs.

    Args:
        steps: directory of all steps; made where it is missing.

    Raises:
        StorageError: the disk refused.
    """
    make_directory(steps)
    with storage_errors(steps):
        stream = (steps / _LOCK).open("ab")
    with contextlib.suppress(OSError):
        fcntl.flock(stream, fcntl.LOCK_SH)
    return stream


def prune(steps: Path, keep: int, *, dry_run: bool = False) -> list[Old]:
    """Delete all but the outputs of each step that were used last.

    Args:
        steps: directory of all steps.
        keep: how many of each step stay.
        dry_run: only say which would go.

    Returns:
        What went, or would go.

    Raises:
        RefusedError: a run is at work there.
        StorageError: the disk refused.
    """
    if not steps.is_dir():
        return []
    with _alone(steps), storage_errors(steps):
        sweep_staging(steps)
        doomed = [old for step in _below(steps) for old in _old(step, keep)]
        for old in () if dry_run else doomed:
            # Out of sight in one rename: a prune that is killed leaves no half of an output.
            aside = steps / f"{STAGING_PREFIX}{old.step}-{old.path.name}"
            old.path.rename(aside)
            shutil.rmtree(aside)
    return doomed


@contextlib.contextmanager
def _alone(steps: Path) -> Iterator[None]:
    with in_use(steps) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedError(
                f"a run is at work in {steps} and may need what would go; prune when it has ended"
            ) from error
        except OSError:
            pass
        yield


def _old(step: Path, keep: int) -> Iterator[Old]:
    outputs = sorted(_below(step), key=lambda path: (_used(path), path.name), reverse=True)
    for path in outputs[keep:]:
        size = sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
        yield Old(step.name, path, size)


def _below(directory: Path) -> list[Path]:
    found = (path for path in directory.iterdir() if not path.name.startswith("."))
    return sorted(path for path in found if path.is_dir())


def _used(output: Path) -> int:
    lock = output / _USED
    return (lock if lock.exists() else output).stat().st_mtime_ns
