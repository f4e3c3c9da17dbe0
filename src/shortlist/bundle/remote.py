"""Bundles and their pointer in an object store, under the names that they have in a directory.

What S3 promises is that one object is whole or not there; the rest is order. A bundle's files go
first and its manifest last, and without a manifest there is no bundle; the pointer moves when the
bundle stands. Since a name below an id stands for bytes that the id hashes, an object of the right
size need not be sent again.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from shortlist.bundle.manifest import CARD, MANIFEST, RUN, BundleFile, Manifest, is_id
from shortlist.bundle.objects import CHUNK, Found, Objects
from shortlist.bundle.opened import Bundle
from shortlist.bundle.pointer import POINTER, Pointer
from shortlist.bundle.run import RunRecord
from shortlist.errors import CorruptError, NotFoundError, StorageError
from shortlist.files import file_digest, storage_errors

ABANDONED: Final = dt.timedelta(days=1)
"""Age at which files without a manifest are what a killed push left."""
_TRIES: Final = 5
_PART: Final = ".part"


@dataclass(frozen=True)
class Sent:
    """What a push did: files sent and their bytes; both 0 where the bundle stood already."""

    files: int
    size: int


@dataclass(frozen=True)
class Standing:
    """One bundle of the store, its manifest read but its files not.

    Attributes:
        id: its directory.
        made_at: when it was made, as its sidecar says; else when its newest file was sent.
        manifest: None where it cannot be used.
        fault: why not; None where it can.
        sent_at: when its newest file was sent; None where the store does not say.
    """

    id: str
    made_at: dt.datetime
    manifest: Manifest | None
    fault: str | None
    sent_at: dt.datetime | None

    @property
    def abandoned(self) -> bool:
        """Whether it is what a killed push left."""
        age = dt.timedelta(0) if self.sent_at is None else dt.datetime.now(dt.UTC) - self.sent_at
        return self.manifest is None and age > ABANDONED


class Remote:
    """The bundles in one object store; also a `pointer.Pointers`.

    Every method raises UnavailableError where the store does not answer, and StorageError where it
    has no such bucket or refuses the keys.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    @property
    def url(self) -> str:
        """Where it is."""
        return self.objects.url

    def read(self) -> Pointer:
        """The pointer in force; the empty one where nothing was ever published.

        Raises:
            CorruptError: the object is not a pointer.
        """
        wire = self.objects.read(POINTER)
        try:
            return Pointer() if wire is None else Pointer.parse(wire)
        except ValueError as error:
            raise CorruptError(
                f"{self.objects.address(POINTER)} is no pointer to a bundle; put a copy back, or "
                "delete it and send the published bundle again with `shortlist bundle push`"
            ) from error

    def swap(self, expected: Pointer, new: Pointer) -> None:
        """Put ``new`` in force; of two at the same moment the last one wins.

        Raises:
            StorageError: somebody else has moved the pointer since ``expected`` was read.
        """
        if self.read() != expected:
            address = self.objects.address(POINTER)
            raise StorageError(f"{address} was moved by another process; look, and try again")
        if new != expected:
            self.objects.write(POINTER, [new.wire()])

    def ids(self) -> tuple[str, ...]:
        """Ids of all bundles, and of what a push has begun, ascending."""
        return tuple(name for name in self.objects.directories() if is_id(name))

    def bundles(self) -> tuple[Standing, ...]:
        """Every bundle, and what a push has begun, the newest first."""
        found = (self._standing(one) for one in self.ids())
        return tuple(sorted(found, key=lambda one: (one.made_at, one.id), reverse=True))

    def manifest(self, bundle_id: str) -> Manifest:
        """The manifest of a bundle, held to its id.

        Raises:
            NotFoundError: there is no such bundle, or its push has not ended.
            CorruptError: it is damaged, or foreign.
        """
        address = self.objects.address(f"{bundle_id}/{MANIFEST}")
        wire = self.objects.read(f"{bundle_id}/{MANIFEST}")
        if wire is None:
            raise NotFoundError(f"no bundle {bundle_id} at {self.url}: {MANIFEST} is not there")
        try:
            manifest = Manifest.parse(wire)
        except ValueError as error:
            raise CorruptError(f"{address} is refused: {error}; {_again(bundle_id)}") from error
        if manifest.id != bundle_id:
            raise CorruptError(
                f"{address} is of bundle {manifest.id}: it is foreign; {_again(bundle_id)}"
            )
        return manifest

    def push(self, bundle: Bundle, *, again: bool = False) -> Sent:
        """Send a bundle; what is killed on the way leaves nothing that anybody takes for one.

        Where the store has the bundle, it stays as it is, card and sidecar too.

        Args:
            bundle: verified by whoever opened it.
            again: whether to send also what is there in the right size.

        Raises:
            CorruptError: the bundle changed here while it was sent; no manifest was.
        """
        held = {} if again else self.objects.list(bundle.id)
        if self._stands(bundle.id, held):
            return Sent(0, 0)
        missing = [file for file in bundle.manifest.files if not _fits(file, held)]
        for file in missing:
            self._send(bundle, file)
        last = {
            name: (bundle.path / name).read_bytes()
            for name in (CARD, RUN, MANIFEST)
            if (bundle.path / name).is_file()
        }
        for _ in range(_TRIES):
            for name, wire in last.items():
                self.objects.write(f"{bundle.id}/{name}", [wire])
            # Another process may push the same content under other words: what stands in the end
            # must be the card and the manifest of one of the two.
            if self._card_fits(bundle.id):
                size = sum(file.size for file in missing) + sum(map(len, last.values()))
                return Sent(len(missing) + len(last), size)
        raise StorageError(
            f"another process writes {self.objects.address(bundle.id)} all the while; wait for it "
            "to end, and try again"
        )

    def fetch(self, bundle_id: str, into: Path) -> Manifest:
        """Download a bundle into a directory, every byte held to its hash, the manifest last.

        What an earlier attempt has left there whole is not asked for again.

        Raises:
            NotFoundError: there is no such bundle.
            CorruptError: an object is missing, torn or edited; the message names it.
        """
        manifest = self.manifest(bundle_id)
        with storage_errors(into):
            into.mkdir(parents=True, exist_ok=True)
            for file in manifest.files:
                place = into / file.path
                if place.is_file() and file_digest(place) == file.sha256:
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                self._receive(bundle_id, file.path, place, file.sha256, file.size)
            self._receive(bundle_id, CARD, into / CARD, manifest.card_sha256)
            run = self.objects.read(f"{bundle_id}/{RUN}")
            if run is not None:
                (into / RUN).write_bytes(run)
            (into / MANIFEST).write_bytes(manifest.wire())
        return manifest

    def remove(self, bundle_id: str) -> None:
        """Delete a bundle, its manifest first: half of one is none."""
        self.objects.remove(bundle_id, first=MANIFEST)

    def _standing(self, bundle_id: str) -> Standing:
        manifest, fault = None, None
        held = self.objects.list(bundle_id)
        try:
            manifest = self.manifest(bundle_id)
        except (CorruptError, NotFoundError) as error:
            fault = str(error)
        moments = [found.changed for found in held.values() if found.changed is not None]
        sent_at = max(moments, default=None)
        made_at = self._made_at(bundle_id) or sent_at or dt.datetime.fromtimestamp(0, dt.UTC)
        return Standing(bundle_id, made_at, manifest, fault, sent_at)

    def _made_at(self, bundle_id: str) -> dt.datetime | None:
        wire = self.objects.read(f"{bundle_id}/{RUN}")
        try:
            return None if wire is None else RunRecord.model_validate_json(wire).made_at
        except ValidationError:
            return None

    def _stands(self, bundle_id: str, held: Mapping[str, Found]) -> bool:
        """Whether the store has a bundle: its own manifest, its card, and all files in size."""
        if MANIFEST not in held:
            return False
        try:
            manifest = self.manifest(bundle_id)
        except (CorruptError, NotFoundError):
            return False
        return all(_fits(file, held) for file in manifest.files) and self._card_fits(bundle_id)

    def _card_fits(self, bundle_id: str) -> bool:
        card = self.objects.read(f"{bundle_id}/{CARD}")
        try:
            wanted = self.manifest(bundle_id).card_sha256
        except (CorruptError, NotFoundError):
            return False
        return card is not None and hashlib.sha256(card).hexdigest() == wanted

    def _send(self, bundle: Bundle, file: BundleFile) -> None:
        path = bundle.path / file.path
        digest = hashlib.sha256()

        def told(chunk: bytes) -> bytes:
            digest.update(chunk)
            return chunk

        with path.open("rb") as stream:
            self.objects.write(f"{bundle.id}/{file.path}", map(told, _chunks(stream)))
        if digest.hexdigest() != file.sha256:
            raise CorruptError(f"{path} was edited while it was sent; verify the bundle here")

    def _receive(
        self, bundle_id: str, name: str, place: Path, sha256: str, size: int | None = None
    ) -> None:
        address = self.objects.address(f"{bundle_id}/{name}")
        digest, received = hashlib.sha256(), 0
        aside = place.with_name(place.name + _PART)
        try:
            with aside.open("wb") as stream:
                for chunk in self.objects.chunks(f"{bundle_id}/{name}"):
                    stream.write(chunk)
                    digest.update(chunk)
                    received += len(chunk)
        except FileNotFoundError as error:
            raise CorruptError(f"{address} is missing; {_again(bundle_id)}") from error
        except CorruptError as error:
            raise CorruptError(f"{error}; {_again(bundle_id)}") from error
        if digest.hexdigest() == sha256:
            aside.replace(place)
            return
        aside.unlink()
        if size is not None and received != size:
            fault = "torn" if received < size else "edited"
            raise CorruptError(
                f"{address} is {fault}: {received:,} bytes, {MANIFEST} says {size:,}; "
                f"{_again(bundle_id)}"
            )
        raise CorruptError(
            f"{address} was edited: its hash is not that in {MANIFEST}; {_again(bundle_id)}"
        )


def _fits(file: BundleFile, held: Mapping[str, Found]) -> bool:
    found = held.get(file.path)
    return found is not None and found.size == file.size


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _again(bundle_id: str) -> str:
    return f"send it again where it is whole, with `shortlist bundle push {bundle_id} --again`"
