"""Random order: what a recommender is worth that knows nothing."""

from typing import Self

import numpy as np

from shortlist.datasets.interactions import Floats, Ints, TrainingView


class Random:
    """Scores every video by a uniform draw; a user's draws depend on seed and user row alone."""

    name = "random"

    def fit(self, view: TrainingView) -> Self:
        """Remember the seed and the size of the catalogue."""
        self._seed = view.seed
        self._videos = len(view.catalogue)
        return self

    def score(self, users: Ints) -> Floats:
        """Uniform draws in [0, 1), float32 [m, n_videos]."""
        scores = np.empty((len(users), self._videos), np.float32)
        for row, user in zip(scores, users, strict=True):
            stream = np.random.SeedSequence(self._seed, spawn_key=(int(user),))
            np.random.default_rng(stream).random(dtype=np.float32, out=row)
        return scores
