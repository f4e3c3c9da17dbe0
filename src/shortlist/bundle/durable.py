"""What bundles ask of a disk beyond a rename: bytes that are really there, and one writer."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shortlist.errors import StorageError
from shortlist.files import make_directory, storage_errors

LOCK: Final = ".lock"
PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_HELD: Final = (errno.EAGAIN, errno.EACCES)


def flush(path: Path) -> None:
    """Wait until a file's bytes, or a directory's names, would survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems have nothing to flush for a directory, and say so.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def flush_tree(path: Path) -> None:
    """Flush everything below ``path``, and ``path`` itself last."""
    for directory, _, names in os.walk(path, topdown=False):
        for name in names:
            flush(Path(directory, name))
        flush(Path(directory))


@contextlib.contextmanager
def exclusive(root: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Be the only one who changes what lies in ``root``; the lock ends with the process.

    Readers need no lock. On a file system without locks nothing is held, and of two writers the
    last one wins.

    Args:
        root: the directory of bundles; made where it is missing.
        patience: seconds to wait for another writer.

    Raises:
        StorageError: another writer held it all the while, or the disk refused.
    """
    make_directory(root)
    with storage_errors(root):
        stream = (root / LOCK).open("ab")
    with stream:
        deadline = time.monotonic() + patience
        while not _taken(stream.fileno()):
            if time.monotonic() > deadline:
                raise StorageError(
                    f"another process has been changing {root} for {patience:.0f} s; wait for it "
                    "to end, and try again"
                )
            time.sleep(_POLL_SECONDS)
        yield


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True
