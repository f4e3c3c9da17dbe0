"""A shard: one file of vectors and the hashes of their texts, named after its own digest.

The bytes are a numpy array of records, so that a shard is read as a memory map; the name is the
SHA-256 of the bytes, so that a torn or edited shard is known before anything in it is believed, and
writers of the same vectors write the same file.
"""

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.encoders.protocol import Vectors
from shortlist.files import STAGING_PREFIX, file_digest, staged_file, storage_errors

SUFFIX: Final = ".npy"
_STALE_SECONDS: Final = 3_600.0


@dataclass(frozen=True)
class Shard:
    """A verified shard.

    Attributes:
        path: where it lies.
        keys: hash of each row's encoder and text, n of 32 bytes.
        vectors: memory-mapped, float32 [n, width].
    """

    path: Path
    keys: tuple[bytes, ...]
    vectors: Vectors


def write_shard(directory: Path, keys: Sequence[bytes], vectors: Vectors) -> Path:
    """Write one shard aside and rename it into ``directory``.

    Args:
        directory: the directory of one encoder; made where it is missing.
        keys: n hashes of 32 bytes.
        vectors: float32 [n, width].

    Raises:
        StorageError: the disk is full or refuses.
    """
    rows = np.empty(len(keys), _layout(vectors.shape[1]))
    rows["key"] = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32)
    rows["vector"] = vectors
    stream = io.BytesIO()
    np.save(stream, rows, allow_pickle=False)
    path = directory / f"{hashlib.sha256(stream.getbuffer()).hexdigest()}{SUFFIX}"
    with staged_file(path) as aside, aside.open("wb") as file:
        file.write(stream.getbuffer())
    return path


def read_shard(path: Path, width: int) -> Shard | None:
    """Open a shard if its bytes are those it is named after and its vectors have this width."""
    if file_digest(path) != path.name.removesuffix(SUFFIX):
        return None
    rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if rows.dtype != _layout(width):
        return None
    keys = np.ascontiguousarray(rows["key"]).tobytes()
    return Shard(path, tuple(keys[i : i + 32] for i in range(0, len(keys), 32)), rows["vector"])


def read_shards(directory: Path, width: int) -> tuple[list[Shard], list[Path]]:
    """Open every shard of a directory, oldest name first.

    Returns:
        The verified shards, and the files that differed from their digests and were removed.

    Raises:
        StorageError: a file may not be read or removed.
    """
    shards: list[Shard] = []
    removed: list[Path] = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        if path.name.startswith(STAGING_PREFIX):
            continue
        # Another process may prune while this one reads.
        with storage_errors(path), contextlib.suppress(FileNotFoundError):
            shard = read_shard(path, width)
            if shard is None:
                path.unlink()
                removed.append(path)
            else:
                shards.append(shard)
    return shards, removed


def mark_used(shard: Shard) -> None:
    """Date a shard to now, which is what pruning goes by; a cache that may only be read stays."""
    with contextlib.suppress(OSError):
        os.utime(shard.path)


def prune(root: Path, limit: int, keep: frozenset[Path] = frozenset()) -> int:
    """Delete the least recently used shards below ``root`` until they fit in ``limit`` bytes.

    Also deletes what writers killed more than an hour ago left aside.

    Args:
        root: the directory above those of the encoders.
        limit: bytes that may stay.
        keep: shards that stay whatever their age, so that a run never deletes what it just used.

    Returns:
        How many shards were deleted.
    """
    sizes: dict[Path, int] = {}
    ages: dict[Path, float] = {}
    for path, state in _files(root):
        if path.name.startswith(STAGING_PREFIX):
            if time.time() - state.st_mtime > _STALE_SECONDS:
                path.unlink(missing_ok=True)
        else:
            sizes[path], ages[path] = state.st_size, state.st_mtime
    excess = sum(sizes.values()) - limit
    deleted = 0
    for path in sorted(sizes.keys() - keep, key=lambda path: (ages[path], path)):
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= sizes[path]
        deleted += 1
    return deleted


def _files(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in root.glob(f"*/*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            yield path, path.stat()


def _layout(width: int) -> np.dtype[np.void]:
    return np.dtype([("key", np.uint8, (32,)), ("vector", "<f4", (width,))])
