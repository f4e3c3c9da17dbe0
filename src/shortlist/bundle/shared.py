"""A directory of bundles and an object store that move together; the store says what is published.

Verbs that change what is published change it in the store first and here after it, so that no
directory is ever ahead. Serving knows nothing of it: it reads the directory.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from shortlist.bundle.durable import exclusive, flush_tree
from shortlist.bundle.manifest import is_id
from shortlist.bundle.objects import Objects
from shortlist.bundle.opened import Bundle
from shortlist.bundle.pointer import Pointer, PointerFile
from shortlist.bundle.remote import Remote, Sent, Standing
from shortlist.bundle.store import BundleStore, Listed, Move
from shortlist.bundle.verify import open_bundle
from shortlist.bundle.write import placed
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.files import storage_errors
from shortlist.settings.remote import RemoteSettings

PULLING: Final = ".pulling"
"""Directory, beside the bundles, in which downloads lie until they are whole."""


@dataclass(frozen=True)
class Pulled:
    """What a pull did.

    Attributes:
        bundle: the one that is to be served, whole and here.
        fetched: ids of those that were downloaded for it.
        pointer: that is in force here; None where a bundle was asked for by its id.
    """

    bundle: str
    fetched: tuple[str, ...]
    pointer: Pointer | None


class _Mirrored:
    """The pointer in the store, and its image here."""

    def __init__(self, remote: Remote, here: PointerFile) -> None:
        self._remote, self._here = remote, here

    def read(self) -> Pointer:
        return self._remote.read()

    def swap(self, expected: Pointer, new: Pointer) -> None:
        self._remote.swap(expected, new)
        self._here.put(new)


class SharedStore(BundleStore):
    """The bundles of an object store, and the directory into which they are brought.

    Every method raises UnavailableError where the object store does not answer, and StorageError
    where it has no such bucket or refuses the keys.
    """

    def __init__(self, root: Path, remote: Remote) -> None:
        """Ask nothing yet.

        Args:
            root: the directory of bundles (the setting ``paths.bundles``).
            remote: the object store.
        """
        self.here = BundleStore(root)
        self.remote = remote
        self._image = PointerFile(root)
        self._whole: set[str] = set()
        super().__init__(root, _Mirrored(remote, self._image))

    @classmethod
    def at(cls, root: Path, settings: RemoteSettings) -> Self:
        """The bundles at ``remote.url``, and the directory ``root``."""
        return cls(root, Remote(Objects(settings)))

    def bundles(self) -> tuple[Listed, ...]:
        """Every bundle of the object store, the newest first."""
        return tuple(map(self._shown, self.remote.bundles()))

    def stands(self, bundle_id: str) -> bool:
        """Whether a bundle is the published one, in the store and here."""
        return super().stands(bundle_id) and self.here.stands(bundle_id)

    def open(self, bundle_id: str, *, verify: bool = True) -> Bundle:
        """The bundle with this id, downloaded where it is not here or not whole here.

        Raises:
            NotFoundError: it is nowhere.
            CorruptError: it is damaged in the store, and not whole here.
        """
        try:
            return super().open(bundle_id, verify=verify)
        except (NotFoundError, CorruptError):
            self._whole.discard(bundle_id)
            self._bring(bundle_id)
            return super().open(bundle_id, verify=verify)

    def publish(self, bundle_id: str) -> Move:
        """Send a bundle and point to it, there and then here, once every byte is verified.

        Raises:
            NotFoundError: there is no such bundle here.
            CorruptError: it is damaged; both pointers stay.
            StorageError: the disk refused, or another process holds the directory.
        """
        self.push(bundle_id)
        return super().publish(bundle_id)

    def rollback(self, to: str | None = None) -> Move:
        """As `BundleStore.rollback`, of the object store's pointer; the target is downloaded."""
        before = self.pointer()
        if before.current is None:
            raise NotFoundError(f"no bundle is published at {self.remote.url}: nothing to go back")
        target = to if to is not None else self._earlier(before)
        self.open(target)
        self.remote.push(self.here.open(target))
        return super().rollback(target)

    def pin(self, bundle_id: str) -> None:
        """Keep a bundle from `prune`, wherever it is pruned.

        Raises:
            NotFoundError: the store has no such bundle.
            CorruptError: its manifest is damaged.
        """
        self.remote.manifest(bundle_id)
        with exclusive(self.root):
            before = self.pointer()
            self.pointers.swap(before, before.with_pin(bundle_id))

    def prune(
        self, keep: int, *, dry_run: bool = False, spared: frozenset[str] = frozenset()
    ) -> tuple[Listed, ...]:
        """Delete old bundles, there and here, and what killed pushes left a day ago or earlier.

        What is never deleted is as in `BundleStore.prune`.

        Raises:
            InputError: ``keep`` is below 1.
            StorageError: the disk refused, or another process holds the directory.
        """
        if keep < 1:
            raise InputError(f"keep cannot be {keep}; keep at least 1 bundle")
        standing = self.remote.bundles()
        used = self.pointer().in_use() | spared
        sound = [one for one in standing if one.fault is None]
        doomed = [one for one in sound[keep:] if one.id not in used]
        left = [one for one in standing if one.abandoned and one.id not in used]
        if not dry_run:
            for one in (*doomed, *left):
                self.remote.remove(one.id)
        gone = {one.id: self._shown(one) for one in doomed}
        here = self.here.prune(keep, dry_run=dry_run, spared=used)
        return (*gone.values(), *(one for one in here if one.id not in gone))

    def share(self) -> Move:
        """Send what is published here and publish it there; a store that is new takes the pointer.

        Raises:
            NotFoundError: nothing is published here.
            CorruptError: it is damaged here; both pointers stay.
            StorageError: the disk refused, or another process holds the directory.
        """
        bundle_id = self.here.find("current")
        self.push(bundle_id)
        with exclusive(self.root):
            before, here = self.pointer(), self._image.read()
            new = here if before == Pointer() else before.published(bundle_id)
            self.pointers.swap(before, new)
        return Move(before.current, bundle_id)

    def push(self, bundle_id: str, *, again: bool = False) -> Sent:
        """Send a bundle of this directory, verified; no pointer moves.

        Args:
            bundle_id: its id.
            again: whether to send also what is there in the right size.

        Raises:
            NotFoundError: there is no such bundle here.
            CorruptError: it is damaged here.
        """
        return self.remote.push(self.here.open(bundle_id), again=again)

    def pull(self, wanted: str | None = None) -> Pulled:
        """Bring what is published and let the pointer here follow, or bring one bundle by its id.

        The pointer moves here when the published bundle is whole here, and so is the one that those
        who are slow to follow may ask for, where the store has it.

        Args:
            wanted: an id, the beginning of one, ``current`` or ``previous``. With it no pointer
                moves. None: what is published.

        Raises:
            NotFoundError: nothing is published, or there is no such bundle.
            CorruptError: a bundle of the store is torn, edited or foreign; the pointer stays.
            StorageError: the disk refused, or another process holds the directory.
        """
        if wanted is not None:
            named = self.find(wanted)
            return Pulled(named, (named,) if self._bring(named) else (), None)
        pointer = self.remote.read()
        if pointer.current is None:
            raise NotFoundError(
                f"no bundle is published at {self.remote.url}; the pipeline publishes there, and "
                "`shortlist bundle push` sends what is published here"
            )
        fetched = [pointer.current] if self._bring(pointer.current) else []
        for beside in pointer.beside:
            try:
                fetched += [beside] if self._bring(beside) else []
                break
            except (NotFoundError, CorruptError):
                continue  # Pruned, or damaged: nobody comes to harm who does not ask for it.
        with exclusive(self.root):
            if not self._image_is(pointer):
                self._image.put(pointer)
        return Pulled(pointer.current, tuple(fetched), pointer)

    def discard(self, bundle_id: str) -> None:
        """Delete a bundle here, not in the store."""
        self._whole.discard(bundle_id)
        with exclusive(self.root), storage_errors(self.root):
            if (self.root / bundle_id).is_dir():
                self._remove(self.root / bundle_id)

    def _shown(self, one: Standing) -> Listed:
        return Listed(one.id, self.root / one.id, one.made_at, one.manifest, one.fault)

    def _ids(self) -> frozenset[str]:
        return frozenset(self.remote.ids())

    def _image_is(self, pointer: Pointer) -> bool:
        try:
            return self._image.read() == pointer
        except CorruptError:
            return False

    def _bring(self, bundle_id: str) -> bool:
        """Have a bundle here, whole; False where it was so already."""
        if self._is_whole(bundle_id):
            return False
        pulling = self.root / PULLING
        with exclusive(pulling):
            if self._is_whole(bundle_id):
                return False
            self._sweep(pulling, bundle_id)
            aside = pulling / bundle_id
            self.remote.fetch(bundle_id, aside)
            with storage_errors(aside):
                manifest = open_bundle(aside).manifest
                flush_tree(aside)
                with exclusive(self.root):
                    placed(aside, self.root, manifest)
        self._whole.add(bundle_id)
        return True

    def _is_whole(self, bundle_id: str) -> bool:
        """Whether a bundle is here; its bytes are compared once in the life of this object."""
        if bundle_id in self._whole and (self.root / bundle_id).is_dir():
            return True
        try:
            self.here.open(bundle_id)
        except (NotFoundError, CorruptError):
            return False
        self._whole.add(bundle_id)
        return True

    def _sweep(self, pulling: Path, wanted: str) -> None:
        """Delete what killed downloads of other bundles left."""
        for leftover in pulling.iterdir():
            if is_id(leftover.name) and leftover.name != wanted:
                shutil.rmtree(leftover, ignore_errors=True)
