"""Parts that were made a while ago, before a catalogue that has moved on.

A published recommender meets videos that it was not trained with, and misses others. Its parts are
put into the rows of the catalogue that there is now. What it knows of a video goes along; a new
one is placed by its content, tags, creator and language, and found by its vector, as
`shortlist.ranker.projection` says; what is gone is nowhere any more.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.interactions import Bools, Floats, Ints
from shortlist.datasets.tags import listed_tags
from shortlist.ranker.features import video_age
from shortlist.ranker.projection import Projection
from shortlist.recall.blend import make_blend
from shortlist.recall.tables import Tables
from shortlist.recall.vector import Vector
from shortlist.recommender.parts import Parts
from shortlist.slate.kernel import SlateItems


def rows_before(later: Catalogue, earlier: Catalogue) -> Ints:
    """For each video the row that it had in an earlier catalogue, -1 where it is new, int64 [n].

    A video goes by its name in the source; where the source has numbers, these are the ids.
    """
    found = pc.index_in(_names(later), value_set=_names(earlier))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def carried(
    directories: Mapping[str, Path],
    parts: Parts,
    catalogue: Catalogue,
    content: Floats,
    live: Bools,
    day: float,
    *,
    project: bool,
) -> tuple[Parts, Bools]:
    """The parts in the rows of a later catalogue.

    Args:
        directories: that the parts were opened from.
        parts: opened.
        catalogue: the videos that there are now.
        content: their content vectors, float32 [n, c].
        live: which of them may be shown, bool [n].
        day: now, days since 1970-01-01.
        project: place new videos; only where the content comes from the encoder of the training.

    Returns:
        The parts, and of which videos they can tell anything, bool [n]; no other is recalled.

    Raises:
        NotFoundError, CorruptError: the projection is missing or damaged.
    """
    before = rows_before(catalogue, parts.catalogue)
    known = before >= 0
    items = _taken(parts.scorer.items, before)
    vectors, tags = _taken(parts.vectors, before), _taken(parts.tags, before)
    new = np.flatnonzero(~known)
    if project and len(new):
        projection = Projection.load(directories["ranker"])
        tags[new] = _renamed(listed_tags(catalogue), catalogue, parts)[new].toarray()
        rows = projection.rows(
            content[new],
            tags[new],
            1 + _codes(catalogue, parts.catalogue, "creator_id", parts.catalogue.creator)[new],
            1 + _codes(catalogue, parts.catalogue, "language", parts.catalogue.language)[new],
            catalogue.duration_seconds[new],
        )
        items[new] = rows
        vectors[new] = projection.vectors(rows, video_age(catalogue.upload_day[new], day))
        known = np.ones(len(catalogue), np.bool_)
    live = live & known
    scorer = copy.copy(parts.scorer)
    scorer.items = items
    tables = Tables.load(directories["recall"])
    vector = None
    if any(isinstance(source, Vector) for source in parts.blend.sources):
        vector = Vector.over(vectors, live, tables.settings)
    moved = replace(
        tables,
        # What the tables have not learned of is found by its vector alone.
        live=_taken(tables.live, before) & live,
        popularity=_taken(tables.popularity, before),
        log_odds=_taken(tables.log_odds, before),
        tags=_renamed(catalogue.tags, catalogue, parts),
        item_factors=_taken(tables.item_factors, before),
    )
    return replace(
        parts,
        blend=make_blend(moved, vector, parts.blend.settings),
        scorer=scorer,
        catalogue=catalogue,
        items=SlateItems.from_catalogue(catalogue, content.astype(np.float16)),
        live=live,
        vectors=vectors,
        tags=tags,
    ), known


def _names(catalogue: Catalogue) -> pa.Array:
    table = catalogue.table
    numbers = pa.array(catalogue.ids).cast(pa.string())
    return pc.coalesce(table.column("external_id").combine_chunks(), numbers)


def _taken(values: npt.NDArray[Any], before: Ints) -> npt.NDArray[Any]:
    """The rows that videos had before; zeros for new ones."""
    taken = np.zeros((len(before), *values.shape[1:]), values.dtype)
    known = before >= 0
    taken[known] = values[before[known]]
    return taken


def _renamed(tags: sp.csr_array, catalogue: Catalogue, parts: Parts) -> sp.csr_array:
    """Columns of a catalogue's tags as the parts number them; tags that are new to them go."""
    place = {name: column for column, name in enumerate(parts.vocabulary.interests)}
    pairs = [(at, place[name]) for at, name in enumerate(catalogue.tag_names) if name in place]
    here, there = np.array(pairs, np.int64).reshape(-1, 2).T
    chosen = sp.csr_array(
        (np.ones(len(here), tags.dtype), (here, there)), shape=(tags.shape[1], len(place))
    )
    renamed = sp.csr_array(tags @ chosen)
    renamed.sort_indices()
    return renamed


def _codes(later: Catalogue, earlier: Catalogue, column: str, codes: Ints) -> Ints:
    """The code that each video's value of a column had before, -1 where it had none, int64 [n]."""
    known = dict(zip(earlier.table.column(column).to_pylist(), codes.tolist(), strict=True))
    values = later.table.column(column).to_pylist()
    return np.array([known.get(value, -1) for value in values], np.int64)
