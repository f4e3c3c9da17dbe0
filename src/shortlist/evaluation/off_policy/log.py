"""Rows that one policy logged, with what another policy would have done in their place."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Bools, Doubles, Ints
from shortlist.errors import InputError


@dataclass(frozen=True)
class PolicyLog:
    """Logged rows and how likely the target policy would have made each.

    Attributes:
        reward: what the logged action earned, 0 to 1, [n].
        propensity: probability of the logged action under all that the log was made by (every
            part of the logging mixture together), above 0 and at most 1, [n].
        target: probability of the logged action under the target policy, 0 to 1, [n].
        cluster: user or session of each row, int64 [n]. Rows of different clusters are taken to be
            independent, so of the two the user is the safer choice.

    Raises:
        InputError: a column holds something else, or lengths differ.
    """

    reward: Doubles
    propensity: Doubles
    target: Doubles
    cluster: Ints

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns of an off-policy log differ in length: {lengths}")
        _between("reward", self.reward, "divide rewards by their largest possible value")
        _between("propensity", self.propensity, "leave out rows that were logged without one")
        _between("target", self.target, "give the target policy's probability of the logged action")
        never = np.flatnonzero(self.propensity == 0)
        if len(never):
            raise InputError(
                f"propensity: {len(never)} rows are 0, for example row {never[0]}; what was logged "
                "cannot have been impossible, so record the probability of the whole mixture"
            )

    def __len__(self) -> int:
        return len(self.reward)

    @cached_property
    def weight(self) -> Doubles:
        """Importance weights, target over propensity, float64 [n]; their expectation is 1."""
        return np.asarray(self.target, np.float64) / self.propensity

    @cached_property
    def place(self) -> Ints:
        """Place of each row's cluster among the distinct ones, int64 [n]."""
        return np.unique(self.cluster, return_inverse=True)[1]

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.place.max(initial=-1)) + 1

    def sums(self, column: npt.NDArray[Any]) -> Doubles:
        """Total of a column [n] by cluster, float64 [clusters]."""
        total = np.bincount(self.place, column, minlength=self.clusters)
        return total.astype(np.float64)

    @cached_property
    def sizes(self) -> Doubles:
        """Rows of each cluster, float64 [clusters]."""
        return self.sums(np.ones(len(self)))


def effective_rows(weight: Doubles) -> float:
    r"""How many equally weighted rows tell as much (Kish, Survey Sampling, 1965).

    .. math:: (\sum_i w_i)^2 / \sum_i w_i^2

    0 where all weights are 0.

    >>> effective_rows(np.array([3.0, 1.0, 0.0]))
    1.6
    """
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def effective_share(log: PolicyLog) -> float:
    """``effective_rows`` of the log's weights as a share of its rows, 0 to 1; 0 for no rows."""
    return effective_rows(log.weight) / len(log) if len(log) else 0.0


def _between(name: str, column: Doubles, remedy: str) -> None:
    # Probabilities that were summed in floating point may end a little above 1.
    wrong: Bools = ~((column >= 0) & (column <= 1 + 1e-6))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(
            f"{name}: {int(wrong.sum())} rows are not between 0 and 1, for example row {first} "
            f"with {column[first]}; {remedy}"
        )
