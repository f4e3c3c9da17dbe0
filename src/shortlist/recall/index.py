"""The vector index: its type follows from the size, and its recall is measured and kept."""

import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np

from shortlist.datasets.interactions import Bools, Floats, Ints
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.files import staged_directory
from shortlist.settings.recall import RecallSettings

INDEX_FILE: Final = "index.faiss"
ROWS_FILE: Final = "rows.npy"
QUALITY_FILE: Final = "quality.json"
FLAT: Final = "flat-fp16"
IVF: Final = "ivf-sq8"

_SEED: Final = 20_260_105
_SWEEPS: Final = 10
_POINTS_PER_LIST: Final = 64
_MIXED: Final = 5
_QUERIES_AT_ONCE: Final = 16


@dataclass(frozen=True)
class IndexQuality:
    """What an index is, and how much of an exact search it finds.

    Attributes:
        kind: `FLAT` or `IVF`.
        vectors: how many it holds: the live videos.
        width: of a vector.
        lists: cells that the vectors are sorted into; 0 where the index is searched whole.
        probes: cells that a search looks into.
        k: how many neighbours were asked for in the measurement.
        queries: how many queries were asked.
        recall: mean share of the exact k best that the index finds; 1 where it is empty.
    """

    kind: str
    vectors: int
    width: int
    lists: int
    probes: int
    k: int
    queries: int
    recall: float


def build_index(
    vectors: Floats,
    live: Bools,
    settings: RecallSettings,
    into: Path,
    queries: Floats | None = None,
) -> IndexQuality:
    """Build, measure and write the index of the live videos; the same bytes for the same input.

    Args:
        vectors: of every video, float32 [n, width].
        live: which of them may be recalled, bool [n].
        settings: where types change, and what to measure.
        into: directory to write; replaced whole.
        queries: user vectors to measure with, float32 [m, width]; by default means of some videos,
            as the taste of a user is a mixture.

    Raises:
        InputError: a vector of a live video is not finite.
        StorageError: the disk refused.
    """
    rows = np.flatnonzero(live)
    items = np.ascontiguousarray(vectors[rows], np.float32)
    bad = np.flatnonzero(~np.isfinite(items).all(axis=1))
    if len(bad):
        raise InputError(
            f"vectors: those of {len(bad):,} of {len(rows):,} live videos are not finite, the "
            f"first in row {rows[bad[0]]}; the same training ends the same, so lower "
            "ranker.learning_rate or ranker.gradient_clip"
        )
    lists, probes = layout(len(rows), settings)
    asked = sample_queries(items, settings.index_queries) if queries is None else queries
    k = min(settings.candidates, len(rows))
    with staged_directory(into) as aside, one_thread():
        index = make_index(items, lists)
        quality = IndexQuality(
            kind=IVF if lists else FLAT,
            vectors=len(rows),
            width=items.shape[1],
            lists=lists,
            probes=probes,
            k=k,
            queries=len(asked),
            recall=recall_against_exact(index, items, asked, k, probes),
        )
        faiss.write_index(index, str(aside / INDEX_FILE))
        np.save(aside / ROWS_FILE, rows)
        (aside / QUALITY_FILE).write_text(json.dumps(asdict(quality), indent=2) + "\n")
    return quality


def load_index(directory: Path) -> tuple[Any, Ints, IndexQuality]:
    """Open an index, memory-mapped: the index, the rows of its vectors, and its quality.

    Raises:
        NotFoundError: there is no index.
        CorruptError: its parts cannot be read or do not belong together.
    """
    if not (directory / QUALITY_FILE).is_file():
        raise NotFoundError(f"there is no vector index in {directory}; build one first")
    try:
        quality = IndexQuality(**json.loads((directory / QUALITY_FILE).read_text()))
        rows: Ints = np.load(directory / ROWS_FILE, allow_pickle=False)
        index = faiss.read_index(str(directory / INDEX_FILE), faiss.IO_FLAG_MMAP_IFC)
    except (OSError, ValueError, TypeError, EOFError, RuntimeError) as error:
        raise CorruptError(f"the index in {directory} cannot be read; build it again") from error
    if not quality.vectors == len(rows) == index.ntotal or index.d != quality.width:
        raise CorruptError(f"the parts of {directory} are of different indexes; build it again")
    return index, rows, quality


def layout(vectors: int, settings: RecallSettings) -> tuple[int, int]:
    """Cells for so many vectors, about the square root of their number, and how many are probed.

    >>> layout(50_000, RecallSettings(flat_up_to=10_000, probe_share=0.25))
    (256, 64)
    """
    if vectors <= settings.flat_up_to:
        return 0, 0
    lists = 1 << round(math.log2(vectors) / 2)
    return lists, math.ceil(settings.probe_share * lists)


def make_index(items: Floats, lists: int) -> Any:
    """An index of FAISS by inner product: searched whole in fp16, or in lists of 8 bits."""
    width = items.shape[1]
    inner, codes = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer
    index: Any
    if lists == 0:
        index = faiss.IndexScalarQuantizer(width, codes.QT_fp16, inner)
    else:
        cells = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFScalarQuantizer(cells, width, lists, codes.QT_8bit, inner)
        index.cp.seed, index.cp.niter = _SEED, _SWEEPS
        index.cp.max_points_per_centroid = _POINTS_PER_LIST
        index.train(items)
    if len(items):
        index.add(items)
    return index


def search(index: Any, queries: Floats, k: int, probes: int) -> tuple[Floats, Ints]:
    """Scores [m, k] and places in the index [m, k], the best first; -1 where it ran out."""
    if k == 0:
        return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    limits = None
    if probes:
        limits = faiss.SearchParametersIVF()
        limits.nprobe = probes
    scores, places = index.search(queries, k, params=limits)
    return scores, places


def exact_search(items: Floats, queries: Floats, k: int) -> Ints:
    """The k items of the largest inner product for each query, in any order, int64 [m, k]."""
    parts = [np.zeros((0, k), np.int64)]
    for low in range(0, len(queries), _QUERIES_AT_ONCE):
        scores = queries[low : low + _QUERIES_AT_ONCE] @ items.T
        place = scores.shape[1] - k
        parts.append(np.argpartition(scores, min(place, scores.shape[1] - 1), axis=1)[:, place:])
    return np.concatenate(parts)


def recall_against_exact(index: Any, items: Floats, queries: Floats, k: int, probes: int) -> float:
    """Mean share of the exact k best that the index finds; 1 where there is nothing to find."""
    if k == 0 or len(queries) == 0:
        return 1.0
    asked = np.ascontiguousarray(queries, np.float32)
    _, found = search(index, asked, k, probes)
    wanted = exact_search(items, asked, k)
    shares = [np.isin(a, b).mean() for a, b in zip(wanted, found, strict=True)]
    return float(np.mean(shares))


def sample_queries(items: Floats, number: int) -> Floats:
    """Means of a few items each, drawn by a fixed seed, float32 [number, width]."""
    if len(items) == 0:
        return np.zeros((0, items.shape[1]), np.float32)
    drawn = np.random.default_rng(_SEED).integers(0, len(items), (number, _MIXED))
    mixed: Floats = items[drawn].mean(axis=1)
    return mixed


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sums of several threads would come in any order, and the bytes with them."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
