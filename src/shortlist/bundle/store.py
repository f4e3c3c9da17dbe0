"""A directory of bundles and its pointer: publish, go back, pin, prune.

Whoever changes something holds the directory's lock, and each change is one rename: a process that
dies leaves the state before or the state after. Readers hold nothing.
"""

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shortlist.bundle.durable import exclusive
from shortlist.bundle.manifest import Manifest, is_id, shortened
from shortlist.bundle.opened import Bundle
from shortlist.bundle.pointer import Pointer, PointerFile, Pointers
from shortlist.bundle.run import read_run
from shortlist.bundle.verify import open_bundle
from shortlist.errors import CorruptError, InputError, NotFoundError, RefusedError
from shortlist.files import STAGING_PREFIX, storage_errors, sweep_staging
from shortlist.spelling import nearest


@dataclass(frozen=True)
class Listed:
    """One bundle of a store, its manifest read but its files not.

    Attributes:
        id: the name of its directory.
        path: its directory.
        made_at: when it was made; the directory's own time where the sidecar does not say.
        manifest: None where it cannot be used.
        fault: why not; None where it can.
    """

    id: str
    path: Path
    made_at: dt.datetime
    manifest: Manifest | None
    fault: str | None


@dataclass(frozen=True)
class Move:
    """Where the pointer stood, and where it stands."""

    before: str | None
    after: str


class BundleStore:
    """The bundles below one directory."""

    def __init__(self, root: Path, pointers: Pointers | None = None) -> None:
        """Look at ``root``, which need not exist yet.

        Args:
            root: the directory of bundles (the setting ``paths.bundles``).
            pointers: where the pointer is kept; a file in ``root`` where None.
        """
        self.root = root
        self.pointers: Pointers = PointerFile(root) if pointers is None else pointers

    def bundles(self) -> tuple[Listed, ...]:
        """Every bundle, the newest first."""
        found = (self._listed(path) for path in self._directories())
        return tuple(sorted(found, key=lambda one: (one.made_at, one.id), reverse=True))

    def pointer(self) -> Pointer:
        """Which bundle is published, and which were."""
        return self.pointers.read()

    def find(self, text: str) -> str:
        """The id that ``text`` means: an id, the beginning of one, ``current`` or ``previous``.

        Raises:
            NotFoundError: there is none.
            InputError: several begin so; the message names two.
        """
        if text in ("current", "previous"):
            pointer = self.pointer()
            meant = pointer.current if text == "current" else _behind(pointer)
            if meant is None:
                raise NotFoundError(f"no bundle in {self.root} is the {text} one")
            return meant
        known = sorted(self._ids())
        meeting = [name for name in known if text and name.startswith(text)]
        if not meeting:
            none = "make one with `shortlist demo`"
            ids = [shortened(name) for name in known]
            remedy = nearest(text, ids) if ids else f"; {none}"
            raise NotFoundError(f"no bundle {text!r} in {self.root}{remedy}")
        if len(meeting) > 1:
            raise InputError(
                f"{text!r} may be bundle {meeting[0]} or {meeting[1]}; write more of the id"
            )
        return meeting[0]

    def open(self, bundle_id: str, *, verify: bool = True) -> Bundle:
        """The bundle with this id, in full.

        Raises:
            NotFoundError: there is none.
            CorruptError: it is damaged; see `open_bundle`.
        """
        return open_bundle(self.root / bundle_id, verify=verify, expected=bundle_id)

    def serving(self, pinned: str | None = None, *, verify: bool = True) -> Bundle:
        """The bundle to serve: the pinned one whatever is published, else the published one.

        Args:
            pinned: as `find` takes it.
            verify: whether every byte of it is compared with its hash.

        Raises:
            NotFoundError: nothing is published, or the pinned one does not exist.
            InputError: several may be the pinned one.
            CorruptError: it is damaged.
        """
        wanted = self.pointer().current if pinned is None else self.find(pinned)
        if wanted is None:
            raise NotFoundError(
                f"no bundle is published in {self.root}; publish one with `shortlist demo`"
            )
        return self.open(wanted, verify=verify)

    def stands(self, bundle_id: str) -> bool:
        """Whether a bundle is the published one."""
        return self.pointer().current == bundle_id

    def publish(self, bundle_id: str) -> Move:
        """Point to a bundle, once every byte of it is verified.

        Raises:
            NotFoundError: there is no such bundle.
            CorruptError: it is damaged; the pointer stays.
            StorageError: the disk refused, or another process holds the store.
        """
        with exclusive(self.root):
            before = self.pointer()
            self.open(bundle_id)
            self.pointers.swap(before, before.published(bundle_id))
        return Move(before.current, bundle_id)

    def rollback(self, to: str | None = None) -> Move:
        """Point to a bundle that was published before, once every byte of it is verified.

        Args:
            to: its id; asking twice changes nothing more. A bundle that was rolled back from can
                be named too, which takes a rollback back. None: the nearest earlier one that was
                not pruned; asking twice goes back twice.

        Raises:
            NotFoundError: nothing was published before, or the bundle does not exist.
            RefusedError: ``to`` was never published.
            CorruptError: it is damaged; the pointer stays.
            StorageError: the disk refused, or another process holds the store.
        """
        with exclusive(self.root):
            before = self.pointer()
            if before.current is None:
                raise NotFoundError(f"no bundle is published in {self.root}: nothing to roll back")
            target = to if to is not None else self._earlier(before)
            try:
                after = before.rolled_back(target)
            except ValueError as error:
                raise RefusedError(
                    f"bundle {target} was never published in {self.root}, so there is no way back "
                    "to it; publish it through the gate"
                ) from error
            self.open(target)
            self.pointers.swap(before, after)
        return Move(before.current, target)

    def pin(self, bundle_id: str) -> None:
        """Keep a bundle from `prune`, because somebody serves it by its id.

        Raises:
            NotFoundError: there is no such bundle.
            CorruptError: its manifest is damaged.
        """
        with exclusive(self.root):
            self.open(bundle_id, verify=False)
            before = self.pointer()
            self.pointers.swap(before, before.with_pin(bundle_id))

    def unpin(self, bundle_id: str) -> None:
        """Let `prune` take a bundle again; nothing changes where it was not pinned."""
        with exclusive(self.root):
            before = self.pointer()
            self.pointers.swap(before, before.without_pin(bundle_id))

    def prune(
        self, keep: int, *, dry_run: bool = False, spared: frozenset[str] = frozenset()
    ) -> tuple[Listed, ...]:
        """Delete old bundles, and what killed writers left.

        Never deleted: the newest ``keep``, the published one, the one that the pointer left last,
        the one that a rollback leads to, pinned ones, and those whose manifest is damaged (somebody
        should look at them).

        Args:
            keep: how many of the newest to keep.
            dry_run: only say which would go.
            spared: ids of others that are never deleted.

        Returns:
            Those deleted, the newest first.

        Raises:
            InputError: ``keep`` is below 1.
            StorageError: the disk refused, or another process holds the store.
        """
        if keep < 1:
            raise InputError(f"keep cannot be {keep}; keep at least 1 bundle")
        if not self.root.is_dir():
            return ()
        with exclusive(self.root), storage_errors(self.root):
            used = self.pointer().in_use() | spared
            sound = [one for one in self.bundles() if one.fault is None]
            doomed = tuple(one for one in sound[keep:] if one.id not in used)
            if not dry_run:
                for one in doomed:
                    self._remove(one.path)
                sweep_staging(self.root)
        return doomed

    def _remove(self, path: Path) -> None:
        """Rename, then delete: half a bundle never stands under an id."""
        aside = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=self.root))
        path.rename(aside / path.name)
        shutil.rmtree(aside)

    def _earlier(self, pointer: Pointer) -> str:
        known = self._ids()
        for earlier in pointer.previous:
            if earlier in known:
                return earlier
        raise NotFoundError(
            f"no bundle that was published before {pointer.current} is left in {self.root}: "
            "nothing to roll back to"
        )

    def _ids(self) -> frozenset[str]:
        """Ids of the bundles that can be named, or gone back to."""
        return frozenset(path.name for path in self._directories())

    def _directories(self) -> tuple[Path, ...]:
        if not self.root.is_dir():
            return ()
        return tuple(path for path in self.root.iterdir() if is_id(path.name))

    def _listed(self, path: Path) -> Listed:
        manifest, fault = None, None
        try:
            manifest = open_bundle(path, verify=False).manifest
        except (CorruptError, NotFoundError) as error:
            fault = str(error)
        run = read_run(path)
        if run is not None:
            made_at = run.made_at
        else:
            changed = path.stat().st_mtime if path.exists() else 0.0
            made_at = dt.datetime.fromtimestamp(changed, dt.UTC)
        return Listed(path.name, path, made_at, manifest, fault)


def _behind(pointer: Pointer) -> str | None:
    return pointer.previous[0] if pointer.previous else None
