"""The blend: the answers of all sources as one list without repeats, each place accounted for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Bools, Doubles, Floats, Ints
from shortlist.errors import CorruptError
from shortlist.recall.collaborative import Collaborative
from shortlist.recall.index import QUALITY_FILE
from shortlist.recall.popularity import Popularity
from shortlist.recall.query import Candidates, Query
from shortlist.recall.source import SOURCES, Source
from shortlist.recall.tables import Tables
from shortlist.recall.tags import Tags
from shortlist.recall.vector import Vector
from shortlist.settings.recall import RecallSettings

VECTOR_DIRECTORY: Final = "vector"
"""Where `load_blend` looks for the index below the tables."""


@dataclass(frozen=True, slots=True)
class Pool:
    """All that the sources propose.

    Attributes:
        video: distinct rows of the videos table, ascending, int64 [p].
        fused: fused score of each, float64 [p].
        places: where in ``video`` the candidates of each source lie, its best first.
    """

    video: Ints
    fused: Doubles
    places: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.video)


Rule = Callable[[Pool, Bools, RecallSettings], Ints]
"""Takes the pool, which of it is chosen, and the settings; gives places in the pool to add."""


@dataclass(frozen=True, slots=True)
class Blended:
    """Candidates for the ranker, by falling fused score, then by row.

    Attributes:
        video: distinct rows of the videos table, int64 [k].
        sources: who proposed each, bit ``i`` for ``SOURCES[i]``, uint8 [k].
        scores: what each source gave, in the order of ``SOURCES``, NaN where it did not propose
            the video, float32 [k, 4].
        fused: the score of the order, float32 [k].
        ignored: entries of the query that were left out as unknown or repeated.
    """

    video: Ints
    sources: npt.NDArray[np.uint8]
    scores: Floats
    fused: Floats
    ignored: int

    def __len__(self) -> int:
        return len(self.video)


class Blend:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009), weighed, with quotas.

    A video's fused score is the sum, over the sources that propose it, of ``weight / (offset +
    rank)``, ranks from 1. First every source places its own best, its quota of the list; all other
    places go by fused score, so whatever a source cannot use flows to the others.
    """

    def __init__(
        self, sources: Sequence[Source], settings: RecallSettings, videos: int, tags: int
    ) -> None:
        """Take the sources; a part of the four will do.

        Args:
            sources: each of another name of `SOURCES`.
            settings: weights, quotas and the number of candidates.
            videos: how many videos there are.
            tags: how many tags there are.

        Raises:
            ValueError: two sources have one name, or a name is not in `SOURCES`.
        """
        names = [source.name for source in sources]
        if len(set(names)) < len(names) or not set(names) <= set(SOURCES):
            raise ValueError(f"sources {names} are not distinct names of {SOURCES}")
        self.sources = tuple(sources)
        self.settings = settings
        self._videos = videos
        self._tags = tags

    def recall(self, query: Query) -> Blended:
        """At most ``candidates`` distinct videos that are not excluded.

        The list is full wherever popularity takes part and the catalogue has so many.

        Raises:
            InputError: the user vector has another width than the index.
        """
        query, ignored = query.cleaned(self._videos, self._tags)
        found = {
            source.name: source.recall(query, self.settings.candidates) for source in self.sources
        }
        pool = fuse(found, self.settings)
        chosen = np.zeros(len(pool), np.bool_)
        for rule in RULES:
            chosen[rule(pool, chosen, self.settings)] = True
        places = np.flatnonzero(chosen)
        places = places[np.argsort(-pool.fused[places], kind="stable")]
        return _described(pool, found, places, ignored)


def fuse(found: Mapping[str, Candidates], settings: RecallSettings) -> Pool:
    """Pool the answers of the sources, by name, and give every video its fused score."""
    weights = {
        "popularity": settings.popularity_weight,
        "tags": settings.tags_weight,
        "collaborative": settings.collaborative_weight,
        "vector": settings.vector_weight,
    }
    nothing: list[Ints] = [np.zeros(0, np.int64)]
    rows = np.concatenate(nothing + [candidates.video for candidates in found.values()])
    video, place = np.unique(rows, return_inverse=True)
    fused = np.zeros(len(video))
    places: dict[str, Ints] = {}
    start = 0
    for name, candidates in found.items():
        places[name] = place[start : start + len(candidates)]
        start += len(candidates)
        ranks = np.arange(1, len(candidates) + 1)
        fused[places[name]] += weights[name] / (settings.fusion_offset + ranks)
    return Pool(video, fused, places)


def guarantee(pool: Pool, chosen: Bools, settings: RecallSettings) -> Ints:  # noqa: ARG001
    """The best of each source, as many as its quota says."""
    quotas = {
        "popularity": settings.popularity_quota,
        "tags": settings.tags_quota,
        "collaborative": settings.collaborative_quota,
        "vector": settings.vector_quota,
    }
    heads = [
        places[: int(quotas[name] * settings.candidates)] for name, places in pool.places.items()
    ]
    return np.concatenate([np.zeros(0, np.int64), *heads])


def fill(pool: Pool, chosen: Bools, settings: RecallSettings) -> Ints:
    """The best by fused score of whatever else was proposed, until the list is full."""
    rest = np.flatnonzero(~chosen)
    free = settings.candidates - int(chosen.sum())
    return rest[np.argsort(-pool.fused[rest], kind="stable")[:free]]


RULES: Final[tuple[Rule, ...]] = (guarantee, fill)
"""How places are given away: each rule names videos to add to those that are chosen."""


def load_blend(
    directory: Path,
    index: Path | None = None,
    settings: RecallSettings | None = None,
    only: Sequence[str] = SOURCES,
) -> Blend:
    """Open the sources of a directory.

    Args:
        directory: of the tables that `shortlist.recall.fitting.fit_recall` wrote.
        index: directory of the vector index; by default ``vector`` below the tables, and where
            there is none, the blend does without.
        settings: of the blend; by default those of the fit. What the tables were fitted with is
            taken from the fit in any case.
        only: names of the sources wanted.

    Raises:
        NotFoundError: there are no tables, or no index where ``index`` says.
        CorruptError: a file cannot be read, or does not belong to the others.
    """
    tables = Tables.load(directory)
    if index is None and (directory / VECTOR_DIRECTORY / QUALITY_FILE).is_file():
        index = directory / VECTOR_DIRECTORY
    vector = None if index is None else Vector.load(index)
    if vector is not None and vector.highest_row >= len(tables.live):
        raise CorruptError(f"{index} holds videos that {directory} does not know; fit both anew")
    return make_blend(tables, vector, settings, only)


def make_blend(
    tables: Tables,
    vector: Vector | None,
    settings: RecallSettings | None = None,
    only: Sequence[str] = SOURCES,
) -> Blend:
    """Make the sources of tables that are loaded.

    Args:
        tables: of the sources that learn from a log.
        vector: the vector source; None does without.
        settings: as of `load_blend`.
        only: names of the sources wanted.
    """
    fitted, live, target = tables.settings, np.array(tables.live), tables.target
    sources: list[Source] = [
        Popularity(tables.popularity, live),
        Tags(tables.tags, tables.log_odds, live, target, fitted),
        Collaborative(
            tables.item_factors,
            live,
            target,
            l2=fitted.als_l2,
            confidence=fitted.als_confidence,
        ),
    ]
    if vector is not None:
        sources.append(vector)
    return Blend(
        [source for source in sources if source.name in only],
        settings or fitted,
        videos=len(live),
        tags=tables.tags.shape[1],
    )


def _described(pool: Pool, found: Mapping[str, Candidates], chosen: Ints, ignored: int) -> Blended:
    rank = np.full(len(pool), -1, np.int64)
    rank[chosen] = np.arange(len(chosen))
    sources = np.zeros(len(chosen), np.uint8)
    scores = np.full((len(chosen), len(SOURCES)), np.nan, np.float32)
    for name, places in pool.places.items():
        column = SOURCES.index(name)
        kept = rank[places] >= 0
        at = rank[places][kept]
        sources[at] |= np.uint8(1 << column)
        scores[at, column] = found[name].score[kept]
    return Blended(
        pool.video[chosen], sources, scores, pool.fused[chosen].astype(np.float32), ignored
    )
