"""Vector: the videos nearest to the user's vector, new ones without any event among them."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from shortlist.datasets.interactions import Bools, Floats, Ints
from shortlist.errors import InputError
from shortlist.recall.index import (
    FLAT,
    IVF,
    IndexQuality,
    layout,
    load_index,
    make_index,
    one_thread,
    search,
)
from shortlist.recall.query import Candidates, Query, first_allowed
from shortlist.settings.recall import RecallSettings


class Vector:
    """Largest inner products of the user's vector with those of videos, found by FAISS.

    A query without a user vector gets nothing. What is excluded is fetched too and then dropped:
    on 50,000 videos that is quicker than a selector inside the search.
    """

    name = "vector"

    def __init__(self, index: Any, rows: Ints, quality: IndexQuality) -> None:
        """Hold an index.

        Args:
            index: of FAISS, by inner product.
            rows: row in the videos table of each of its vectors, int64 [n].
            quality: what it is and how exact.
        """
        self._index = index
        self._rows = rows
        self.quality = quality

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Open what `shortlist.recall.index.build_index` wrote, memory-mapped.

        Raises:
            NotFoundError: there is no index.
            CorruptError: its parts do not belong together.
        """
        return cls(*load_index(directory))

    @classmethod
    def over(cls, vectors: Floats, live: Bools, settings: RecallSettings) -> Self:
        """Index vectors in memory, as `build_index` would on disk; its recall is not measured.

        Args:
            vectors: of every video, float32 [n, width].
            live: which of them may be recalled, bool [n].
            settings: where types change.
        """
        rows = np.flatnonzero(live)
        lists, probes = layout(len(rows), settings)
        with one_thread():
            index = make_index(np.ascontiguousarray(vectors[rows], np.float32), lists)
        kind = IVF if lists else FLAT
        quality = IndexQuality(kind, len(rows), vectors.shape[1], lists, probes, 0, 0, np.nan)
        return cls(index, rows, quality)

    @property
    def highest_row(self) -> int:
        """The highest row of the videos table that it can return; -1 where it is empty."""
        return int(self._rows.max(initial=-1))

    def recall(self, query: Query, count: int) -> Candidates:
        """The nearest videos.

        Raises:
            InputError: the user vector has another width than the index.
        """
        if query.user_vector is None:
            return Candidates.none()
        user: Floats = np.asarray(query.user_vector, np.float32)
        if user.shape != (self.quality.width,):
            raise InputError(
                f"user_vector has the shape {user.shape}, the index wants ({self.quality.width},); "
                "encode the user with the ranker of the same bundle"
            )
        wanted = min(count + len(query.excluded), len(self._rows))
        scores, places = search(self._index, user[None], wanted, self.quality.probes)
        found = places[0] >= 0
        # FAISS leaves the order of equal scores open.
        rows, scores = self._rows[places[0][found]], scores[0][found]
        if (scores[1:] == scores[:-1]).any():
            order = np.lexsort((rows, -scores))
            rows, scores = rows[order], scores[order]
        kept = first_allowed(rows, query.excluded, count)
        return Candidates(rows[kept], scores[kept])
