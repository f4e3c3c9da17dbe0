"""All features of a re-ranker: how the sources see a pair, what the log says of it, the context."""

from collections.abc import Iterator, Sequence

import numpy as np

from shortlist.baselines import pair_features
from shortlist.baselines.candidates import (
    BLOCK,
    Described,
    candidates,
    described,
    source_features,
)
from shortlist.baselines.pair_features import PairFeatures
from shortlist.baselines.protocol import Recommender
from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.schema import CONTEXT_FEATURES


class RerankFeatures:
    """Features by sources that are fitted to ``view``, and by the counts of ``view`` itself."""

    def __init__(self, sources: Sequence[Recommender], view: TrainingView, top: int) -> None:
        self._sources = sources
        self._pairs = PairFeatures(view)
        self._top = top
        self.plain = (*source_features(sources), *pair_features.NAMES)
        """Names of the features of a pair; those of an impression go on with the context's."""
        self.shown = (*self.plain, *CONTEXT_FEATURES)

    def of_candidates(self, users: Ints) -> Iterator[Described]:
        """The users' candidates a block at a time; owners count through all users."""
        for number, block in enumerate(candidates(self._sources, users, self._top)):
            owner = block.owner + number * BLOCK
            features = np.concatenate(
                [block.features, self._pairs(users[owner], block.video)], axis=1
            )
            yield Described(owner, block.video, features)

    def of_impressions(self, user: Ints, video: Ints, context: Floats) -> Floats:
        """Features of pairs shown in a context, float32 [n, len(self.shown)].

        Contexts that were not read (width 0) are unknown: NaN.
        """
        return np.concatenate(
            [
                described(self._sources, user, video, self._top),
                self._pairs(user, video),
                in_context(context),
            ],
            axis=1,
        )


def in_context(context: Floats) -> Floats:
    """Context columns, float32 [n, 32]; NaN where they were not read."""
    if context.shape[1]:
        return context
    return np.full((len(context), len(CONTEXT_FEATURES)), np.nan, np.float32)
