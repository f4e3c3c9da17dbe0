"""Writing a bundle: staged aside, flushed, and renamed whole to the id of what it holds."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from shortlist.bundle.card import CardFacts, render_card
from shortlist.bundle.durable import exclusive, flush, flush_tree
from shortlist.bundle.manifest import (
    CARD,
    MANIFEST,
    RUN,
    BundleFile,
    BundleRecord,
    Contents,
    Manifest,
    is_part,
)
from shortlist.bundle.opened import Bundle
from shortlist.bundle.run import RunRecord
from shortlist.bundle.verify import open_bundle
from shortlist.errors import CorruptError, InputError
from shortlist.files import STAGING_PREFIX, file_digest, storage_errors, sweep_staging


def write_bundle(
    root: Path, parts: Mapping[str, Path], record: BundleRecord, card: CardFacts, run: RunRecord
) -> Bundle:
    """Write a bundle below ``root``, under its id; nothing is ever half there.

    Files are copied: whatever befalls a bundle, what it was made of can make it again. A bundle of
    the same content that stands already, whole, is left as it is, card and sidecar too; one that is
    damaged is replaced.

    Args:
        root: the directory of bundles; made where it is missing.
        parts: source directory by name of the part (``recall``, ``ranker``, ``items``, ...).
        record: what shaped the files.
        card: what the model card says.
        run: the sidecar.

    Raises:
        InputError: a part is missing or empty, or holds what no bundle can (links, odd names).
        StorageError: the disk refused, or another writer holds ``root``.
    """
    with exclusive(root), storage_errors(root):
        sweep_staging(root)
        aside = _aside(root)
        try:
            for name, source in sorted(parts.items()):
                _bring(name, source, aside / name)
            manifest = _described(aside, record, card, run)
            flush_tree(aside)
            return placed(aside, root, manifest)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _bring(part: str, source: Path, target: Path) -> None:
    """Copy every file of a part."""
    if not is_part(part):
        raise InputError(f"a part cannot be called {part!r}; write small letters, digits and _")
    if not source.is_dir():
        raise InputError(f"part {part!r}: {source} is no directory; run the step that makes it")
    brought = 0
    for name in _files_below(part, source):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy(source / name, place)
        brought += 1
    if not brought:
        raise InputError(f"part {part!r}: {source} is empty; run the step that makes it")


def _files_below(part: str, source: Path, below: str = "") -> Iterator[str]:
    for entry in sorted(os.scandir(source / below), key=lambda entry: entry.name):
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith(STAGING_PREFIX):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(part, source, name)
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            raise InputError(
                f"part {part!r}: {source / name} is a link or no plain file; put the file itself "
                "there"
            )


def _copy(source: Path, target: Path) -> None:
    if not os.access(source, os.R_OK):
        raise InputError(f"{source} cannot be read; give yourself the right to, or make it again")
    shutil.copyfile(source, target)
    # Who serves a bundle must be able to read it, whoever could read the source.
    target.chmod(0o644)


def _described(aside: Path, record: BundleRecord, card: CardFacts, run: RunRecord) -> Manifest:
    """Write manifest, card and sidecar beside the parts."""
    paths = (Path(at, name) for at, _, names in os.walk(aside) for name in names)
    try:
        files = [
            BundleFile(
                path=path.relative_to(aside).as_posix(),
                size=path.stat().st_size,
                sha256=file_digest(path),
            )
            for path in paths
        ]
        contents = Contents(
            **{name: getattr(record, name) for name in BundleRecord.model_fields},
            files=tuple(sorted(files, key=lambda file: file.path)),
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"a bundle cannot hold this: {reason}; rename or remove it") from error
    (aside / CARD).write_text(render_card(contents, card), encoding="utf-8", newline="\n")
    manifest = Manifest.of(contents, file_digest(aside / CARD))
    (aside / RUN).write_bytes(run.wire())
    (aside / MANIFEST).write_bytes(manifest.wire())
    return manifest


def placed(aside: Path, root: Path, manifest: Manifest) -> Bundle:
    """Rename a whole bundle from ``aside`` to its id; one that stands there, whole, stays.

    Whoever calls holds the lock of ``root``.
    """
    final = root / manifest.id
    if final.is_dir():
        try:
            return open_bundle(final)
        except CorruptError:
            doomed = _aside(root)
            final.rename(doomed / final.name)
            aside.chmod(0o755)
            aside.rename(final)
            flush(root)
            shutil.rmtree(doomed, ignore_errors=True)
            return Bundle(final, manifest)
    aside.chmod(0o755)
    aside.rename(final)
    flush(root)
    return Bundle(final, manifest)


def _aside(root: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=root))
