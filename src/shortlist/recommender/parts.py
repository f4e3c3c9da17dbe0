"""The parts of a trained recommender, opened together and held to belong together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from shortlist.bundle.opened import Bundle
from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.declared import Vocabulary
from shortlist.datasets.interactions import Bools, Floats, Target
from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.artefacts import ITEM_VECTORS, TAGS
from shortlist.ranker.profile import TALLY_WIDTH
from shortlist.ranker.scoring import Scorer
from shortlist.recall.blend import Blend, load_blend
from shortlist.recall.popularity import popular
from shortlist.recall.tables import Tables
from shortlist.recall.vector import Vector
from shortlist.recommender.items import mapped, read_items
from shortlist.settings.recall import RecallSettings
from shortlist.slate.kernel import SlateItems

NAMES: Final = ("recall", "ranker", "items")
"""Parts that there must be."""
INDEX: Final = "index"
"""The vector index, where it does not lie inside the recall part."""
_AGAIN: Final = "train the ranker"


@dataclass(frozen=True)
class Parts:
    """All that the way from events to a page reads; rows everywhere are those of the catalogue.

    Attributes:
        blend: recall.
        scorer: the ranker's graphs.
        catalogue: the videos.
        vocabulary: names of what users declare; its interests are the tags of the sources and of
            the ranker.
        items: what the slate knows of them.
        live: which of them may be recalled, bool [n].
        vectors: of the vector recall, float32 [n, 128].
        tags: weights of tags, by which a viewer wearies, float32 [n, t].
        as_of_day: first day that was not learned from, in days since 1970-01-01: the day that
            pages are made for.
        target: the outcome whose probability is given.
    """

    blend: Blend
    scorer: Scorer
    catalogue: Catalogue
    vocabulary: Vocabulary
    items: SlateItems
    live: Bools
    vectors: Floats
    tags: Floats
    as_of_day: int
    target: Target

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Self:
        """Open the parts of a bundle.

        Raises:
            NotFoundError: a part or a file is missing.
            CorruptError: a file cannot be read, or the parts do not belong together.
        """
        names = [*NAMES, *(name for name in (INDEX,) if name in bundle.manifest.parts)]
        return cls.open({name: bundle.part(name) for name in names})

    @classmethod
    def open(
        cls,
        directories: Mapping[str, Path],
        recall: RecallSettings | None = None,
        *,
        threads: int = 1,
    ) -> Self:
        """Open parts that lie anywhere.

        Args:
            directories: of the parts by name: those of `NAMES`, and `INDEX` where the vector index
                does not lie below the recall tables.
            recall: settings of the blend; by default those of the fit.
            threads: inside an operation of the ranker.

        Raises:
            NotFoundError: a part or a file is missing.
            CorruptError: a file cannot be read, or the parts do not belong together.
        """
        for name in NAMES:
            if name not in directories:
                raise NotFoundError(f"part {name} is missing; run the step that makes it")
        catalogue, content = read_items(directories["items"])
        count, ranker = len(catalogue), directories["ranker"]
        tables = Tables.load(directories["recall"])
        blend = load_blend(directories["recall"], directories.get(INDEX), recall)
        scorer = Scorer.load(ranker, threads=threads)
        kind = np.dtype(np.float32)
        parts = cls(
            blend=blend,
            scorer=scorer,
            catalogue=catalogue,
            vocabulary=Vocabulary.load(directories["items"]),
            items=SlateItems.from_catalogue(
                catalogue, content, popular(tables.popularity, np.array(tables.live))
            ),
            live=np.array(tables.live),
            vectors=mapped(ranker / ITEM_VECTORS, kind, len(scorer.items), _AGAIN),
            tags=mapped(ranker / TAGS, kind, len(scorer.items), _AGAIN),
            as_of_day=tables.as_of_day,
            target=tables.target,
        )
        for name, rows in (("recall", len(tables.live)), ("ranker", len(scorer.items))):
            if rows != count:
                raise CorruptError(
                    f"{directories[name]} knows {rows:,} videos and {directories['items']} "
                    f"{count:,}: they are of different runs; make both again from one dataset"
                )
        parts._check(directories)
        return parts

    def without(self, sources: frozenset[str]) -> Blend:
        """The blend without some of its sources."""
        if not sources:
            return self.blend
        kept = [source for source in self.blend.sources if source.name not in sources]
        tags = len(self.vocabulary.interests)
        return Blend(kept, self.blend.settings, videos=len(self.catalogue), tags=tags)

    def _check(self, directories: Mapping[str, Path]) -> None:
        """Hold what the parts must agree on besides the number of videos."""
        ranker, recall = directories["ranker"], directories["recall"]
        note = self.scorer.note
        if note.target != self.target:
            raise CorruptError(
                f"{ranker} learned the {note.target} and {recall} the {self.target}: they are of "
                "different runs; make both again with one evaluation.target"
            )
        if note.profile_width != len(self.vocabulary) + TALLY_WIDTH:
            raise CorruptError(
                f"{ranker} takes profiles of width {note.profile_width}, and users declare "
                f"{len(self.vocabulary)} things by {directories['items']}: they are of different "
                "runs; make both again from one dataset"
            )
        if self.vocabulary.interests != self.catalogue.tag_names:
            raise CorruptError(
                f"{directories['items']} names other interests than its videos have tags: its "
                "files are of different runs; make the items again"
            )
        for source in self.blend.sources:
            if isinstance(source, Vector) and source.quality.width != self.vectors.shape[1]:
                raise CorruptError(
                    f"the vector index has width {source.quality.width} and the vectors of "
                    f"{ranker} {self.vectors.shape[1]}: they are of different runs; build the "
                    "index again"
                )
