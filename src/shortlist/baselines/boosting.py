"""Gradient-boosted trees, tuned within a budget of trials on users that are held out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.model_selection import ParameterSampler

from shortlist.baselines.examples import Examples, thinned
from shortlist.datasets.interactions import Floats
from shortlist.progress import track

Doubles = npt.NDArray[np.float64]

_STAGES: Final = (0.15, 0.4, 1.0)  # shares of the trees at which each trial is judged

Searched = Mapping[str, list[Any]]
"""Values to draw each parameter from."""

SEARCHED: Final[Searched] = {
    "num_leaves": [4, 7, 15],
    "learning_rate": [0.03, 0.06, 0.12],
    "min_data_in_leaf": [20, 50, 150, 500],
    "feature_fraction": [0.2, 0.4, 0.7, 1.0],
    "lambda_l2": [0.0, 10.0, 100.0],
}
"""Values that every search draws from, by LightGBM's names; an objective adds its own."""


Loss = Callable[[Doubles, Examples], float]
"""From raw scores and the examples they belong to; smaller is better."""


@dataclass(frozen=True)
class Tuned:
    """Trees, and how they were found."""

    booster: lgb.Booster
    chosen: Mapping[str, Any]
    loss: float
    """On the held-out users, of the chosen trial before its last fit to all users."""
    rows: int


def tune(
    examples: Examples,
    loss: Loss,
    searched: Searched,
    names: Sequence[str],
    *,
    negatives: int | None,
    trials: int,
    trees: int,
    threads: int,
    seed: int,
) -> Tuned:
    """Try ``trials`` draws of parameters on some users, and fit the best to all.

    Args:
        examples: teachable ones; those that teach keep ``negatives`` already.
        loss: judges raw scores of the held-out users.
        searched: values to draw from besides `SEARCHED`; ``uniform_weight`` is the weight of rows
            shown at random, the rest are LightGBM's.
        names: of the features.
        negatives: rows with label 0 of each held-out user that the last fit keeps; None for all.
        trials: how many draws; each is judged at three numbers of trees.
        trees: the most trees.
        threads: of LightGBM; results hold for this number.
        seed: of the draws, of the negatives kept and of LightGBM.
    """
    taught, judged = examples.take(~examples.held_out), examples.take(examples.held_out)
    fixed = {
        "deterministic": True,
        "force_row_wise": True,
        "max_bin": 127,
        "num_threads": threads,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    stages = sorted({max(round(share * trees), 1) for share in _STAGES})
    draws = list(ParameterSampler({**SEARCHED, **searched}, trials, random_state=seed % 2**32))
    found: list[tuple[float, dict[str, Any]]] = []
    for drawn in track(draws, "tuning trees"):
        booster = _boost(taught, {**drawn, **fixed}, trees, names)
        scores, before = np.zeros(len(judged.label)), 0
        for stage in stages:
            scores += raw_scores(booster, judged.features, threads, before, stage)
            before = stage
            found.append((loss(scores, judged), {**drawn, "trees": stage}))
    best, chosen = min(found, key=lambda trial: trial[0])
    parameters = {name: value for name, value in chosen.items() if name != "trees"}
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    everybody = Examples.join([taught, thinned(judged, negatives, rng)]).by_user()
    booster = _boost(everybody, {**parameters, **fixed}, chosen["trees"], names)
    return Tuned(booster, chosen, best, len(everybody.label))


def raw_scores(
    booster: lgb.Booster, features: Floats, threads: int, first: int = 0, last: int | None = None
) -> Doubles:
    """Sums over the trees from ``first`` to before ``last``, float64 [n]; logits where binary."""
    if not len(features):
        return np.zeros(0)
    return np.asarray(
        booster.predict(
            features,
            raw_score=True,
            start_iteration=first,
            num_iteration=None if last is None else last - first,
            num_threads=threads,
        )
    )


def _boost(
    examples: Examples, parameters: dict[str, Any], trees: int, names: Sequence[str]
) -> lgb.Booster:
    uniform_weight = parameters.pop("uniform_weight", 1.0)
    lists = parameters["objective"] == "lambdarank"
    data = lgb.Dataset(
        examples.features,
        examples.label,
        weight=np.where(examples.uniform, uniform_weight, 1.0),
        group=np.unique(examples.user, return_counts=True)[1] if lists else None,
        feature_name=[name.replace(" ", "_") for name in names],
        params=parameters,
    )
    return lgb.train(parameters, data, num_boost_round=trees)


def log_loss(scores: Doubles, examples: Examples) -> float:
    """Mean log loss of logits; rows shown at random and the others weigh one half each.

    >>> rows = Examples(np.zeros((3, 1)), np.array([1, 1, 0]), np.arange(3), np.arange(3) == 2, [])
    >>> bool(log_loss(np.zeros(3), rows) == np.log(2))
    True
    """
    losses = np.logaddexp(0.0, np.where(examples.label == 1, -scores, scores))
    halves = [losses[part] for part in (examples.uniform, ~examples.uniform) if part.any()]
    return float(np.mean([half.mean() for half in halves]))


def ndcg_loss(relevant: Mapping[int, int], k: int) -> Loss:
    """One minus the mean NDCG at ``k`` over users, all their relevant videos counted.

    Args:
        relevant: how many videos are relevant to each user, also those not among the examples.
        k: length of the list.

    >>> rows = Examples(np.zeros((3, 1)), np.array([0, 1, 0]), np.array([4, 4, 4]), [], [])
    >>> round(ndcg_loss({4: 1}, k=2)(np.array([3.0, 2.0, 1.0]), rows), 6)  # 1 - 1 / log2(3)
    0.36907
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)

    def loss(scores: Doubles, examples: Examples) -> float:
        order = np.lexsort((-scores, examples.user))
        user, first, whose = np.unique(examples.user, return_index=True, return_inverse=True)
        place = np.arange(len(order)) - first[whose]
        top = place < k
        gains = np.bincount(whose[top], examples.label[order][top] * discount[place[top]])
        best = ideal[[min(relevant[one], k) - 1 for one in user.tolist()]]
        return 1.0 - float(np.mean(gains / best))

    return loss
