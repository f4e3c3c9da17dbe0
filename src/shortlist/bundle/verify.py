"""Opening a bundle: what is torn, edited, missing or foreign is refused by the name of the file."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shortlist.bundle.manifest import CARD, MANIFEST, RESERVED, RUN, Manifest, is_id
from shortlist.bundle.opened import Bundle
from shortlist.errors import CorruptError, NotFoundError
from shortlist.files import file_digest

REMEDY: Final = (
    "make or copy the bundle again, or go back to another with `shortlist bundle rollback`"
)


def open_bundle(path: Path, *, verify: bool = True, expected: str | None = None) -> Bundle:
    """Open the bundle at ``path``.

    A directory whose name has the form of an id must have the id of what it holds; one under
    another name (a mounted volume) is held to ``expected`` alone.

    Args:
        path: its directory; may itself be reached through a link.
        verify: whether to read every file and compare its hash; else only the manifest is checked.
        expected: the id that the bundle must have, where the reader knows it.

    Raises:
        NotFoundError: there is no directory.
        CorruptError: a file is torn, edited, missing, foreign or a link, the manifest is not one
            that this Shortlist reads, or the id is another; the message names the file.
    """
    if not path.is_dir():
        raise NotFoundError(f"no bundle at {path}; `shortlist bundle list` shows those there are")
    manifest = read_manifest(path)
    named = path.name if is_id(path.name) else None
    for wanted in (named, expected):
        if wanted not in (None, manifest.id):
            raise CorruptError(
                f"{path} holds bundle {manifest.id}, not {wanted}: it is foreign; {REMEDY}"
            )
    if verify:
        _compare(path, manifest)
    return Bundle(path, manifest)


def read_manifest(path: Path) -> Manifest:
    """The manifest of the bundle at ``path``, held to its own id; other files stay unread.

    Raises:
        CorruptError: it is missing or is not one that this Shortlist reads.
    """
    file = path / MANIFEST
    try:
        _plain_size(file)
        return Manifest.parse(file.read_bytes())
    except OSError as error:
        raise _unreadable(file, error) from error
    except ValueError as error:
        raise CorruptError(f"{file} is refused: {error}; {REMEDY}") from error


def _compare(path: Path, manifest: Manifest) -> None:
    """Hold every file of the directory to the manifest; sizes first, since they cost nothing."""
    recorded = {file.path: file.size for file in manifest.files}
    for name, size in recorded.items():
        found = _plain_size(path / name)
        if found != size:
            fault = "torn" if found < size else "edited"
            raise CorruptError(
                f"{path / name} is {fault}: {found:,} bytes, {MANIFEST} says {size:,}; {REMEDY}"
            )
    for name in (CARD, RUN):
        if name == CARD or os.path.lexists(path / name):
            _plain_size(path / name)
    foreign = sorted(set(_found(path)) - recorded.keys() - RESERVED)
    if foreign:
        raise CorruptError(
            f"{path / foreign[0]} is foreign: {MANIFEST} does not name it; delete it, or {REMEDY}"
        )
    _hold(path / CARD, manifest.card_sha256)
    for file in manifest.files:
        _hold(path / file.path, file.sha256)


def _found(path: Path, below: str = "") -> Iterator[str]:
    """Everything in the directory that holds bytes, leads away, or is an empty directory."""
    entries = sorted(os.scandir(path / below), key=lambda entry: entry.name)
    if below and not entries:
        yield below
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _found(path, name)
        else:
            yield name


def _plain_size(file: Path) -> int:
    """Size of a file that is one: a link may lead out of the bundle, a pipe may never end."""
    try:
        found = file.lstat()
    except OSError as error:
        raise _unreadable(file, error) from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a link" if stat.S_ISLNK(found.st_mode) else "no plain file"
        raise CorruptError(f"{file} is {kind}, and a bundle holds plain files alone; {REMEDY}")
    return found.st_size


def _hold(file: Path, sha256: str) -> None:
    try:
        digest = file_digest(file)
    except OSError as error:
        raise _unreadable(file, error) from error
    if digest != sha256:
        raise CorruptError(f"{file} was edited: its hash is not that in {MANIFEST}; {REMEDY}")


def _unreadable(file: Path, error: OSError) -> CorruptError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return CorruptError(f"{file} is missing; {REMEDY}")
    reason = error.strerror or type(error).__name__
    return CorruptError(f"{file} cannot be read ({reason}); {REMEDY}")
