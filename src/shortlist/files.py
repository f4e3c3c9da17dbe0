"""Write aside, then rename: a reader sees a whole file or directory, or none."""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shortlist.errors import StorageError

STAGING_PREFIX = ".staging-"


_REFUSALS = {
    errno.ENOSPC: "the disk is full; free space or point `paths` elsewhere",
    errno.EDQUOT: "the quota is used up; free space or point `paths` elsewhere",
    errno.EFBIG: "the file outgrows what this system allows (see `ulimit -f`)",
    errno.EROFS: "the file system is read-only; point `paths` elsewhere",
}
_UNREACHABLE = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)
_PERMISSIONS = "permission denied; point `paths` at a directory of yours"


def storage_refusal(error: OSError, path: Path) -> StorageError | None:
    """The one sentence for an error that only writing can bring; None for any other."""
    reason = _REFUSALS.get(error.errno or 0)
    return StorageError(f"cannot write {path}: {reason}") if reason else None


def reach_refusal(error: OSError) -> StorageError | None:
    """The one sentence for a path that can be neither read nor written; None for other errors."""
    if error.errno not in _UNREACHABLE or not error.filename:
        return None
    return StorageError(
        f"cannot reach {error.filename}: {os.strerror(error.errno).lower()}; check the path and "
        "its permissions, or point `paths` elsewhere"
    )


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about a disk into one sentence.

    Raises:
        StorageError: the disk is full, over quota, read-only, or not ours to write.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise StorageError(f"cannot write {path}: {_PERMISSIONS}") from error
        refusal = storage_refusal(error, path)
        if refusal is not None:
            raise refusal from error
        raise


def make_directory(path: Path) -> None:
    """Make a directory and those above it, where they are missing.

    Raises:
        StorageError: the disk refuses, a file stands in the way, or no directory can be there.
    """
    with storage_errors(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise StorageError(
                f"cannot write to {path}: a file stands where a directory should; move it, or "
                "point `paths` elsewhere"
            ) from error
        except FileNotFoundError as error:  # Those above are made, so the system wants none here.
            raise StorageError(
                f"cannot write to {path}: the system lets nobody make a directory there; point "
                "`paths` elsewhere"
            ) from error


@contextlib.contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """Yield a path beside ``target`` to write to; rename it into place if the block succeeds.

    Raises:
        StorageError: the disk is full or refuses.
    """
    make_directory(target.parent)
    with storage_errors(target):
        handle, name = tempfile.mkstemp(
            prefix=STAGING_PREFIX, suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
        aside = Path(name)
        try:
            yield aside
            aside.chmod(0o644)
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def staged_directory(target: Path) -> Iterator[Path]:
    """Yield an empty directory beside ``target``; put it in place if the block succeeds.

    An existing ``target`` is moved away first and deleted last, so that it is lost only once the
    new one stands.

    Raises:
        StorageError: the disk is full or refuses.
    """
    make_directory(target.parent)
    with storage_errors(target):
        aside = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=target.parent))
        try:
            yield aside
            aside.chmod(0o755)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=target.parent))
                target.replace(old / target.name)
                aside.replace(target)
                shutil.rmtree(old)
            else:
                aside.replace(target)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def sweep_staging(directory: Path) -> None:
    """Delete what a killed run left aside in ``directory``; nothing finished carries the prefix."""
    if not directory.is_dir():
        return
    for leftover in directory.glob(f"{STAGING_PREFIX}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
