"""What is expected of a user or a video before its own evidence: learned from all the others.

Prior means are a ridge regression on features whose penalty the data choose, plus, for videos, an
effect of the creator. Sources: MacKay, "Bayesian interpolation", Neural Computation 1992 (the
penalty); Efron and Morris, JASA 1975 (the shrunken group means).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.baselines.observer.blocks import times, transposed_times, weighted_gram
from shortlist.baselines.observer.moments import Beliefs

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_PENALTY_ROUNDS = 12
_LEAST_SHARE = 0.02


@dataclass(frozen=True)
class Prior:
    """Prior means and variances: ``mean`` float64 [n, d], ``spread`` float64 [d]."""

    mean: Doubles
    spread: Doubles


def learn_prior(beliefs: Beliefs, prior: Prior, features: Floats, group: Ints | None) -> Prior:
    """Refit the prior to what is now believed.

    A belief that little evidence has moved only repeats its own prior. So the prior is divided out
    of each belief first, and a row counts by the share of its information that is evidence.

    Args:
        beliefs: about n vectors of d coordinates.
        prior: under which they were formed.
        features: float32 [n, f].
        group: creator of each row, -1 for none, int64 [n]; None for no such effect.
    """
    variance = np.einsum("nii->ni", beliefs.covariance)
    share = (1 - variance / prior.spread).clip(_LEAST_SHARE, 1)
    target = prior.mean + (beliefs.mean - prior.mean) / share
    fitted = np.empty_like(target)
    # Coordinates with alike shares share one decomposition: all of taste, and each of the rest.
    for block in _alike(share):
        weight = share[:, block].mean(axis=1)
        fitted[:, block] = _ridge(features, target[:, block], weight, prior.spread[block])
    if group is not None:
        fitted += _group_effect(target - fitted, share, prior.spread, group)
    spread = (variance + (beliefs.mean - fitted) ** 2).mean(axis=0)
    return Prior(fitted, np.asarray(spread.clip(1e-4)))


def _alike(share: Doubles) -> list[Ints]:
    means = share.mean(axis=0)
    order = np.argsort(means)
    cuts = np.flatnonzero(np.diff(means[order]) > 0.05) + 1
    return [np.asarray(part, np.int64) for part in np.split(order, cuts)]


def _ridge(features: Floats, target: Doubles, weight: Doubles, noise: Doubles) -> Doubles:
    """Weighted ridge regression of each column with a penalty of its own, fitted values."""
    size, basis = np.linalg.eigh(weighted_gram(features, weight))
    size = size.clip(min=0)
    pull = basis.T @ transposed_times(features, weight[:, None] * target)
    penalty = np.full(target.shape[1], 10.0)
    for _ in range(_PENALTY_ROUNDS):
        weights = pull / (size[:, None] + penalty)
        known = (size[:, None] / (size[:, None] + penalty)).sum(axis=0)
        strength = (weights**2).sum(axis=0) / known.clip(min=1e-9)
        penalty = noise / strength.clip(min=1e-9)
    return times(features, basis @ (pull / (size[:, None] + penalty)))


def _group_effect(rest: Doubles, share: Doubles, noise: Doubles, group: Ints) -> Doubles:
    """Shrunken mean of what is left in each group, by row, float64 [n, d]."""
    inside = group >= 0
    count = int(group.max(initial=-1)) + 1
    if count == 0:
        return np.zeros_like(rest)
    weight, pull = np.zeros((count, rest.shape[1])), np.zeros((count, rest.shape[1]))
    np.add.at(weight, group[inside], share[inside])
    np.add.at(pull, group[inside], (share * rest)[inside])
    # Method of moments: groups' means vary by the effect plus noise / weight.
    mean = pull / weight.clip(min=1e-9)
    effect = ((weight * mean**2).sum(axis=0) - count * noise) / weight.sum(axis=0).clip(min=1e-9)
    effect = effect.clip(min=0.0)
    shrunk = pull * effect / (weight * effect + noise)
    return np.where(inside[:, None], shrunk[group], 0.0)
