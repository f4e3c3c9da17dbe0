"""Rows for trees to learn from, and the users held out of them to judge what was learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from shortlist.datasets.interactions import Bools, Floats, Ints

HELD_OUT: Final = 0.25
"""Share of the users on whom trials are judged."""


@dataclass(frozen=True)
class Examples:
    """Rows to learn from, ascending by user.

    Attributes:
        features: float32 [n, n_features].
        label: 1 or 0, float32 [n].
        user: the user of each row, int64 [n].
        uniform: whether the row was shown at random, bool [n].
        held_out: whether the row's user judges trials instead of teaching, bool [n].
    """

    features: Floats
    label: Floats
    user: Ints
    uniform: Bools
    held_out: Bools

    @classmethod
    def join(cls, parts: Sequence["Examples"]) -> Self:
        """The parts, one after the other."""
        return cls(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.user for part in parts]),
            np.concatenate([part.uniform for part in parts]),
            np.concatenate([part.held_out for part in parts]),
        )

    @classmethod
    def none(cls, features: int) -> Self:
        """No rows of so many features."""
        no = np.zeros(0, np.bool_)
        whose = np.zeros(0, np.int64)
        return cls(np.zeros((0, features), np.float32), np.zeros(0, np.float32), whose, no, no)

    def take(self, rows: Ints | Bools) -> "Examples":
        """Some of the rows."""
        return Examples(
            self.features[rows],
            self.label[rows],
            self.user[rows],
            self.uniform[rows],
            self.held_out[rows],
        )

    def by_user(self) -> "Examples":
        """The same rows, ascending by user."""
        return self.take(np.argsort(self.user, kind="stable"))

    @property
    def teachable(self) -> bool:
        """Whether both those who teach and those who judge know a difference."""
        return all(
            bool((self.label[part] == 1).any() and (self.label[part] == 0).any())
            for part in (self.held_out, ~self.held_out)
        )


def hold_out(users: Ints, seed: int) -> Ints:
    """A `HELD_OUT` share of ``users`` drawn by the seed, at least one of two, ascending."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    number = max(round(HELD_OUT * len(users)), min(len(users) // 2, 1))
    return np.sort(rng.permutation(users)[:number])


def thinned(examples: Examples, negatives: int | None, rng: np.random.Generator) -> Examples:
    """All positives, and at most ``negatives`` negatives of each user drawn at random.

    What is learned from thinned rows orders them, but is no probability.
    """
    if negatives is None:
        return examples
    chance = np.where(examples.label == 1, -1.0, rng.random(len(examples.label)))
    order = np.lexsort((chance, examples.user))
    _, first, whose = np.unique(examples.user, return_index=True, return_inverse=True)
    liked = np.bincount(whose, examples.label)
    place = np.arange(len(order)) - first[whose]
    return examples.take(np.sort(order[place < (liked + negatives)[whose]]))
