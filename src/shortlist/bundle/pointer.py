"""The pointer: which bundle is published, which ones were before, and which must be kept.

The published bundles form a line in the order of their publication, and the pointer stands on one
of them: ``previous`` lie behind it, ``withdrawn`` before it. Rolling back moves it along the line;
publishing cuts off what is withdrawn and adds to the line's end.
"""

import json
from pathlib import Path
from typing import Final, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict

from shortlist.bundle.durable import flush
from shortlist.bundle.manifest import BundleId
from shortlist.errors import CorruptError, StorageError
from shortlist.files import staged_file

POINTER: Final = "current.json"
_REMEMBERED: Final = 100


class Pointer(BaseModel):
    """One state of the pointer; moves make new ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1] = 1
    current: BundleId | None = None
    left: BundleId | None = None
    """Where the pointer stood before its last move: who is slow to follow still serves it."""
    previous: tuple[BundleId, ...] = ()
    """Published before ``current``, the nearest first; at most 100."""
    withdrawn: tuple[BundleId, ...] = ()
    """Published after ``current`` and rolled back from, the nearest first."""
    pinned: tuple[BundleId, ...] = ()
    """Kept whatever is published, because somebody serves them by name; ascending."""

    @classmethod
    def parse(cls, wire: bytes) -> Self:
        """The pointer written as ``wire``.

        Raises:
            ValueError: it is not one, or not one that `wire` writes.

        >>> Pointer.parse(b"{}")
        Traceback (most recent call last):
        ValueError: its text was edited
        """
        pointer = cls.model_validate_json(wire)
        if pointer.wire() != wire:
            raise ValueError("its text was edited")
        return pointer

    def published(self, bundle_id: str) -> Self:
        """After publishing; the same state where that is the current one already."""
        if bundle_id == self.current:
            return self
        behind = self.previous if self.current is None else (self.current, *self.previous)
        return self._moved(bundle_id, behind[:_REMEMBERED], ())

    def rolled_back(self, to: str) -> Self:
        """After moving to the nearest ``to`` on the line; the same state where it stands there.

        Raises:
            ValueError: ``to`` is not on the line.

        >>> a, b, c = "a" * 32, "b" * 32, "c" * 32
        >>> three = Pointer().published(a).published(b).published(c)
        >>> back = three.rolled_back(a)
        >>> back.previous == (), back.withdrawn == (b, c), back.left == c
        (True, True, True)
        >>> back.rolled_back(c).previous == three.previous
        True
        """
        if to == self.current:
            return self
        if self.current is None:
            raise ValueError("nothing is published")
        if to in self.previous:
            at = self.previous.index(to)
            passed = (*reversed(self.previous[:at]), self.current)
            return self._moved(to, self.previous[at + 1 :], (*passed, *self.withdrawn))
        at = self.withdrawn.index(to)
        passed = (*reversed(self.withdrawn[:at]), self.current)
        return self._moved(to, (*passed, *self.previous), self.withdrawn[at + 1 :])

    def with_pin(self, bundle_id: str) -> Self:
        """With one more bundle that is kept."""
        return self.model_copy(update={"pinned": tuple(sorted({*self.pinned, bundle_id}))})

    def without_pin(self, bundle_id: str) -> Self:
        """With a bundle no longer kept."""
        kept = tuple(pinned for pinned in self.pinned if pinned != bundle_id)
        return self.model_copy(update={"pinned": kept})

    @property
    def beside(self) -> tuple[str, ...]:
        """Bundles that whoever is slow to follow may still ask for, the likeliest first.

        >>> a, b = "a" * 32, "b" * 32
        >>> Pointer().published(a).published(b).beside == (a,)
        True
        """
        behind = dict.fromkeys((self.left, *self.previous[:1]))
        return tuple(one for one in behind if one is not None and one != self.current)

    def in_use(self) -> frozenset[str]:
        """Bundles that somebody serves, may still serve, or goes back to next."""
        named = (self.current, self.left, *self.previous[:1], *self.pinned)
        return frozenset(bundle_id for bundle_id in named if bundle_id is not None)

    def wire(self) -> bytes:
        """The bytes of the pointer's file."""
        return (json.dumps(self.model_dump(mode="json"), indent=2) + "\n").encode()

    def _moved(self, to: str, previous: tuple[str, ...], withdrawn: tuple[str, ...]) -> Self:
        moved = {"current": to, "left": self.current}
        return self.model_copy(update=moved | {"previous": previous, "withdrawn": withdrawn})


class Pointers(Protocol):
    """Where the pointer is kept: a file here, an object with conditional writes elsewhere."""

    def read(self) -> Pointer:
        """The state in force; the empty one where nothing was ever published."""

    def swap(self, expected: Pointer, new: Pointer) -> None:
        """Put ``new`` in force, in one step, if ``expected`` still is.

        Raises:
            StorageError: somebody else has moved the pointer meanwhile.
        """


class PointerFile:
    """The pointer as a file that is replaced by a rename.

    Between reading and renaming in `swap` a lock must be held: `durable.exclusive`.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / POINTER

    def read(self) -> Pointer:
        """As `Pointers.read`.

        Raises:
            CorruptError: the file is not a pointer.
        """
        try:
            return Pointer.parse(self.path.read_bytes())
        except FileNotFoundError:
            return Pointer()
        except (OSError, ValueError) as error:
            raise CorruptError(
                f"{self.path} is no pointer to a bundle; put a copy back, or delete it and "
                "publish again"
            ) from error

    def swap(self, expected: Pointer, new: Pointer) -> None:
        """As `Pointers.swap`."""
        if self.read() != expected:
            raise StorageError(f"{self.path} was moved by another process; look, and try again")
        if new != expected:
            self.put(new)

    def put(self, new: Pointer) -> None:
        """Put ``new`` in force, whatever was.

        Raises:
            StorageError: the disk refused.
        """
        with staged_file(self.path) as aside:
            aside.write_bytes(new.wire())
            flush(aside)
        flush(self.path.parent)
