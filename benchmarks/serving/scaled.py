"""A bundle on a catalogue of any size, made from a trained one by resampling; nothing is trained.

A smaller catalogue keeps the videos that the log shows most. A larger one keeps all, and adds
videos that lie between two of them: tables and tags are those of the first, content and vector are
drawn a little towards the second, so that no two are the same. The index is built anew.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.serving.remade import remade
from shortlist.bundle import Bundle, BundleStore
from shortlist.datasets.interactions import Ints
from shortlist.datasets.store import Dataset
from shortlist.ranker.artefacts import ITEM_VECTORS, ITEMS, TAGS
from shortlist.recall.blend import VECTOR_DIRECTORY
from shortlist.recall.index import build_index
from shortlist.recall.tables import Tables
from shortlist.recommender.items import CONTENT, VIDEOS

_TOWARDS: Final = 0.3
_ROWS_AT_ONCE: Final = 16_384


def rows_of(shown: Ints, wanted: int, seed: int) -> tuple[Ints, Ints]:
    """Which videos a catalogue is made of: the rows of each, and of those that they lean to.

    Args:
        shown: how often the log shows each video, int64 [n].
        wanted: videos of the catalogue.
        seed: of the draw.

    Returns:
        Rows, int64 [wanted], the first n of them ascending; and rows, -1 where a video is kept.

    >>> rows, towards = rows_of(np.array([5, 1, 3]), 2, seed=1)
    >>> rows.tolist(), towards.tolist()
    ([0, 2], [-1, -1])
    """
    count = len(shown)
    if wanted <= count:
        rows = np.sort(np.argsort(-shown, kind="stable")[:wanted])
        return rows, np.full(wanted, -1)
    rng = np.random.default_rng(seed)
    more = wanted - count
    rows = np.concatenate([np.arange(count), rng.integers(0, count, more)])
    return rows, np.concatenate([np.full(count, -1), rng.integers(0, count, more)])


def scaled(bundle: Bundle, dataset: Dataset, wanted: int, root: Path, seed: int) -> Bundle:
    """Write and publish the bundle below ``root``, unless one is published there.

    Args:
        bundle: a trained one.
        dataset: whose log it learned from.
        wanted: videos of the catalogue.
        root: directory of bundles, of this size alone.
        seed: of the draw.
    """
    store = BundleStore(root)
    if store.pointer().current is not None:
        return store.serving(verify=False)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scaled-", dir=root.parent) as scratch:
        parts = _parts(bundle, dataset, wanted, Path(scratch), seed)
        data = bundle.manifest.data.model_copy(update={"videos": wanted})
        said = "Resampled to measure serving; it recommends nothing."
        made = remade(bundle, root, parts, said, f"{wanted}", data=data)
    store.publish(made.id)
    return made


def _parts(
    bundle: Bundle, dataset: Dataset, wanted: int, scratch: Path, seed: int
) -> dict[str, Path]:
    parts = {name: scratch / name for name in bundle.manifest.parts if name != "index"}
    for name, place in parts.items():
        # What does not hang on single videos stays as it is; what does is written over.
        shutil.copytree(bundle.part(name), place)
    videos = pq.read_table(bundle.part("items") / VIDEOS)
    ids = videos.column("video_id").to_numpy()
    log = dataset.impressions(["video_id"]).column("video_id").to_numpy()
    at = np.searchsorted(ids, log).clip(max=len(ids) - 1)
    shown = np.bincount(at[ids[at] == log], minlength=len(ids))
    rows, towards = rows_of(shown, wanted, seed)
    _items(bundle.part("items"), parts["items"], videos, rows, towards)
    vectors = _ranker(bundle.part("ranker"), parts["ranker"], rows, towards)
    _recall(bundle.part("recall"), parts["recall"], rows, vectors)
    return parts


def _items(source: Path, into: Path, videos: pa.Table, rows: Ints, towards: Ints) -> None:
    ids = videos.column("video_id").to_numpy()
    kept = int((towards < 0).sum())
    new = np.arange(len(rows) - kept) + ids.max() + 1
    table = videos.take(rows)
    column = pa.array(np.concatenate([ids[rows[:kept]], new]), pa.int64())
    table = table.set_column(0, videos.schema.field(0), column)
    pq.write_table(table.combine_chunks(), into / VIDEOS, compression="zstd")
    _between(source / CONTENT, into / CONTENT, rows, towards)


def _ranker(source: Path, into: Path, rows: Ints, towards: Ints) -> Any:
    for name in (ITEMS, TAGS):
        _between(source / name, into / name, rows, np.full(len(rows), -1))
    return _between(source / ITEM_VECTORS, into / ITEM_VECTORS, rows, towards)


def _recall(source: Path, into: Path, rows: Ints, vectors: Any) -> None:
    tables = Tables.load(source)
    # What is overwritten must not be mapped any more.
    held = replace(
        tables,
        live=np.array(tables.live)[rows],
        popularity=np.array(tables.popularity)[rows],
        log_odds=np.array(tables.log_odds)[rows],
        tags=tables.tags[rows],
        item_factors=np.array(tables.item_factors)[rows],
    )
    held.write(into)
    build_index(vectors, held.live, held.settings, into / VECTOR_DIRECTORY)


def _between(source: Path, target: Path, rows: Sequence[int] | Ints, towards: Ints) -> Any:
    """Rows of a table, drawn towards others where there are such, at their own length."""
    table = np.load(source, mmap_mode="r")
    target.unlink()
    shape = (len(rows), *table.shape[1:])
    made = np.lib.format.open_memmap(target, mode="w+", dtype=table.dtype, shape=shape)
    whole = np.array(table)
    for low in range(0, len(rows), _ROWS_AT_ONCE):
        some = slice(low, low + _ROWS_AT_ONCE)
        chunk = whole[rows[some]]
        moved = towards[some] >= 0
        if moved.any():
            mine = chunk[moved].astype(np.float32)
            other = whole[towards[some][moved]].astype(np.float32)
            drawn = mine + _TOWARDS * other
            length = np.linalg.norm(mine, axis=1, keepdims=True)
            drawn *= length / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
            chunk[moved] = drawn
        made[some] = chunk
    made.flush()
    return made
