"""Following: a directory is kept at what an object store says is published, as long as it runs.

Beside each process that serves runs one that follows. Whatever is wrong with the store, with the
way to it or with a bundle there, the directory keeps what it has; what is wrong is said once, and
counted.
"""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.bundle.manifest import BundleId
from shortlist.bundle.shared import Pulled, SharedStore
from shortlist.errors import ShortlistError, StorageError
from shortlist.files import staged_file

MARK: Final = "pulled.json"
_LONGEST_PAUSE: Final = 30.0


class Mark(BaseModel):
    """What ``pulled.json`` says. It is there as long as a bundle is here, whole, to be served."""

    model_config = ConfigDict(frozen=True)

    bundle: BundleId
    """That is to be served."""
    fetched: tuple[BundleId, ...] = ()
    """Downloaded here by following; only these are deleted again."""
    failed: int = 0
    """Looks at the store that failed, in a row."""
    failed_in_all: int = 0
    """Looks that failed since following began."""
    fault: str | None = None
    """Why the last one did."""


def read_mark(root: Path) -> Mark | None:
    """The mark in a directory of bundles; None where there is none."""
    try:
        return Mark.model_validate_json((root / MARK).read_bytes())
    except (OSError, ValidationError):
        return None


class Follower:
    """One process that follows."""

    def __init__(
        self,
        store: SharedStore,
        *,
        pinned: str | None = None,
        poll_seconds: float = 5.0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Look at nothing yet.

        Args:
            store: the object store, and the directory that follows it.
            pinned: the bundle to have whatever is published: an id, or the beginning of one.
            poll_seconds: between two looks; after failures up to 30.
            say: told what changes, a sentence each.
        """
        self._store = store
        self._pinned = pinned
        self._poll = poll_seconds
        self._say = say
        before = read_mark(store.root)
        self._fetched: tuple[str, ...] = () if before is None else before.fetched
        self._bundle: str | None = None
        self._pulled = False
        self._failed = self._failed_in_all = 0
        self._fault: str | None = None
        self._marked: Mark | None = None
        # An earlier process's word for what is here does not count.
        (store.root / MARK).unlink(missing_ok=True)

    @property
    def bundle(self) -> str | None:
        """The bundle that is here, whole, to be served; None where there is none yet."""
        return self._bundle

    def look(self) -> bool:
        """Look at the store once, and bring what it asks for; False where that failed."""
        if self._pinned is not None and self._pulled:
            return True
        try:
            pulled = self._store.pull(self._pinned)
            self._fetched = tuple(dict.fromkeys((*self._fetched, *pulled.fetched)))
            self._drop(pulled)
        except ShortlistError as error:
            self._fail(str(error))
            return False
        if self._failed:
            self._say(f"{self._store.remote.url} is followed again; failed looks: {self._failed}")
        self._failed, self._fault = 0, None
        if pulled.bundle != self._bundle:
            self._say(f"bundle {pulled.bundle} is here")
        self._bundle, self._pulled = pulled.bundle, True
        self._mark()
        return True

    def run(self, stopping: threading.Event) -> None:
        """Look until ``stopping`` is set."""
        while True:
            self.look()
            if stopping.wait(self._pause()):
                return

    def _pause(self) -> float:
        doubled = self._poll * 2.0 ** min(self._failed, 10)
        return min(doubled, max(self._poll, _LONGEST_PAUSE))

    def _fail(self, reason: str) -> None:
        self._failed += 1
        self._failed_in_all += 1
        if self._bundle is None:
            self._bundle = self._standing()
        if reason != self._fault:
            has = "without a bundle" if self._bundle is None else f"with bundle {self._bundle}"
            self._say(f"going on {has}: {reason}")
        self._fault = reason
        self._mark()

    def _standing(self) -> str | None:
        """What is here from before, whole, and can be served while the store is away."""
        try:
            return self._store.here.serving(self._pinned).id
        except ShortlistError:
            return None

    def _drop(self, pulled: Pulled) -> None:
        """Delete what was downloaded for a pointer that has moved on."""
        if pulled.pointer is None:
            return
        used = pulled.pointer.in_use()
        for one in self._fetched:
            if one not in used:
                self._store.discard(one)
        self._fetched = tuple(one for one in self._fetched if one in used)

    def _mark(self) -> None:
        if self._bundle is None:
            return
        mark = Mark(
            bundle=self._bundle,
            fetched=self._fetched,
            failed=self._failed,
            failed_in_all=self._failed_in_all,
            fault=self._fault,
        )
        if mark == self._marked:
            return
        # A disk that is full has been complained of where it mattered.
        with contextlib.suppress(StorageError), staged_file(self._store.root / MARK) as aside:
            aside.write_text(mark.model_dump_json(indent=2) + "\n")
            self._marked = mark
