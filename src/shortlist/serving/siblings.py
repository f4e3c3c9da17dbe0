"""What the other workers of one server hold: a bundle is asked for only when all of them have it.

Workers load a new bundle each in its own time, and a request goes to any of them. So each tells the
others by a file what it holds, and none answers from a bundle before all who live hold it: whoever
asked one of them has asked all.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".holds"


class Siblings:
    """The workers that share a directory, this one among them.

    A worker is alive while it locks its file, so the file of one that was killed counts no more.
    """

    def __init__(self, directory: Path) -> None:
        """Join nobody yet: a worker joins with the first bundles that it holds.

        Args:
            directory: that all of them know, and nobody else.
        """
        self._directory = directory
        self._own = _file(directory, os.getpid())
        self._descriptor: int | None = None
        self._told: frozenset[str] = frozenset()
        self._common: frozenset[str] = frozenset()

    def tell(self, ids: Iterable[str]) -> None:
        """Tell the others what this one holds.

        Raises:
            OSError: the directory cannot be written to.
        """
        told = frozenset(ids)
        if not told or told == self._told:
            return
        raw = " ".join(sorted(told)).encode()
        if self._descriptor is None:
            self._descriptor = self._joined(raw)
        else:
            # Ids have one length, so whoever reads meanwhile sees whole ones, old or new.
            os.pwrite(self._descriptor, raw, 0)
            os.ftruncate(self._descriptor, len(raw))
        self._told, self._common = told, self._common & told

    def all_hold(self, bundle_id: str) -> bool:
        """Whether every worker that lives holds a bundle; once they do, it is not asked again."""
        if bundle_id in self._common:
            return True
        if bundle_id not in self._told:
            return False
        if not all(bundle_id in held for held in self.others()):
            return False
        self._common |= {bundle_id}
        return True

    def others(self) -> Iterator[list[str]]:
        """What each of the other workers that live has told."""
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path == self._own:
                continue
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield file.read().decode("ascii", "replace").split()
                else:
                    path.unlink(missing_ok=True)

    def _joined(self, raw: bytes) -> int:
        """Show a file that is locked already: one without a lock is taken for a dead worker's."""
        aside = self._own.with_suffix(".aside")
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, raw, 0)
        aside.rename(self._own)
        return descriptor


def told_by(directory: Path, pid: int) -> list[str]:
    """What the worker with this process id has told; nothing where it has not joined."""
    with contextlib.suppress(FileNotFoundError):
        return _file(directory, pid).read_text("ascii", "replace").split()
    return []


def _file(directory: Path, pid: int) -> Path:
    return directory / f"{pid}{_SUFFIX}"
