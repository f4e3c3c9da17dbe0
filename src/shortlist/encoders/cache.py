"""The content cache: a vector is found again by its encoder and its text, and encoded once.

Vectors are kept in float32, as they were encoded: a reused vector is the same to the last bit, so
nothing downstream depends on whether a run was the first. Below the cache directory each encoder
has a directory, and in it lie shards of up to 1,024 vectors (`shards`). A shard is written as soon
as it is full, so that an interrupted run goes on from there. With other versions of the libraries
an encoder counts as another one here.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.encoders import shards
from shortlist.encoders.protocol import Encoder, Vectors
from shortlist.errors import CorruptError, StorageError
from shortlist.libraries import versions_for
from shortlist.progress import track

FOLDER: Final = "vectors"
SHARD_ROWS: Final = 1_024
STEP_ROWS: Final = 128
_MERGE_ABOVE: Final = 32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors and how they came about.

    Attributes:
        vectors: float32 [n, width], rows of unit length.
        distinct: how many distinct texts there were.
        reused: how many of these came from the cache; the others were encoded.
        discarded: cache files that differed from their digests and were removed.
        encoder_key: identity of the encoder.
        directory: where the cached vectors lie.
    """

    vectors: Vectors
    distinct: int
    reused: int
    discarded: tuple[Path, ...]
    encoder_key: str
    directory: Path


def text_key(maker: str, text: str) -> bytes:
    """SHA-256 of a text and of who encodes it, 32 bytes.

    >>> text_key("a", "bc") == text_key("ab", "c")
    False
    """
    return hashlib.sha256(f"{maker}\0{text}".encode()).digest()


def encode_texts(
    texts: Sequence[str], encoder: Encoder, cache: Path, limit: int, step: int = STEP_ROWS
) -> Encoded:
    """Encode what the cache does not have, and keep it.

    Args:
        texts: n texts; repeats are encoded once.
        encoder: whose vectors are wanted.
        cache: directory of the cache; made where it is missing.
        limit: bytes to which the cached vectors of all encoders are cut back, least recently used
            first. What this call used always stays.
        step: texts handed to the encoder at once; what an interruption may cost.

    Raises:
        CorruptError: the encoder gave a vector that is not finite.
        StorageError: the disk is full or refuses, or ``cache`` is a file.
    """
    if cache.exists() and not cache.is_dir():
        raise StorageError(f"paths.cache {cache} is a file; point it at a directory")
    # An encoder's identity is what it does; the last bits are its libraries'.
    maker = f"{encoder.key} {versions_for(['encoders'])}"
    directory = cache / FOLDER / hashlib.sha256(maker.encode()).hexdigest()[:16]
    rows: dict[bytes, list[int]] = {}
    for row, text in enumerate(texts):
        rows.setdefault(text_key(maker, text), []).append(row)
    vectors = np.zeros((len(texts), encoder.width), np.float32)

    found, discarded = shards.read_shards(directory, encoder.width)
    for path in discarded:
        _log.warning("%s differed from its digest; removed, its videos are encoded again", path)
    missing = dict.fromkeys(rows)
    used = [shard for shard in found if _fill(vectors, rows, missing, shard)]
    for shard in used:
        shards.mark_used(shard)

    # Long texts first: what memory allows shows at once, and the time left is not flattered.
    order = sorted(missing, key=lambda key: (-len(texts[rows[key][0]]), key))
    steps = [order[start : start + step] for start in range(0, len(order), step)]
    written = _encode_missing(vectors, rows, steps, texts, encoder, directory)
    kept = {shard.path for shard in used}.union(written, _merged(found, directory))
    shards.prune(cache / FOLDER, limit, frozenset(kept))
    return Encoded(
        vectors, len(rows), len(rows) - len(order), tuple(discarded), encoder.key, directory
    )


def _fill(
    vectors: Vectors,
    rows: dict[bytes, list[int]],
    missing: dict[bytes, None],
    shard: shards.Shard,
) -> bool:
    """Copy the rows that a shard knows and that are still missing; whether there were any."""
    wanted = [(place, key) for place, key in enumerate(shard.keys) if key in missing]
    for place, key in wanted:
        vectors[rows[key]] = shard.vectors[place]
        del missing[key]
    return bool(wanted)


def _encode_missing(
    vectors: Vectors,
    rows: dict[bytes, list[int]],
    steps: Sequence[list[bytes]],
    texts: Sequence[str],
    encoder: Encoder,
    directory: Path,
) -> list[Path]:
    """Encode the texts step by step, writing a shard whenever one is full."""
    written: list[Path] = []
    pending: list[bytes] = []

    def flush() -> None:
        if pending:
            firsts = [rows[key][0] for key in pending]
            written.append(shards.write_shard(directory, pending, vectors[firsts]))
            pending.clear()

    try:
        for step in track(steps, "encoding videos"):
            part = encoder.encode([texts[rows[key][0]] for key in step])
            if not np.isfinite(part).all():
                raise CorruptError(
                    f"encoder {encoder.key} gave vectors that are not finite; its weights are "
                    "damaged, fetch them again or set encoders.kind to hashing"
                )
            for key, vector in zip(step, part, strict=True):
                vectors[rows[key]] = vector
            pending += step
            if len(pending) >= SHARD_ROWS:
                flush()
    finally:
        # Also on the way out of Ctrl-C: whole steps are worth keeping.
        flush()
    return written


def _merged(found: list[shards.Shard], directory: Path) -> list[Path]:
    """Replace many small shards, left by runs with few new videos each, by full ones."""
    small = [shard for shard in found if len(shard.keys) < SHARD_ROWS // 2]
    if len(small) <= _MERGE_ABOVE:
        return []
    keys = [key for shard in small for key in shard.keys]
    vectors = np.concatenate([shard.vectors for shard in small])
    firsts = list({key: place for place, key in reversed(list(enumerate(keys)))}.values())
    written = []
    for start in range(0, len(firsts), SHARD_ROWS):
        places = firsts[start : start + SHARD_ROWS]
        written.append(
            shards.write_shard(directory, [keys[place] for place in places], vectors[places])
        )
    for shard in small:
        if shard.path not in written:
            shard.path.unlink(missing_ok=True)
    return written
