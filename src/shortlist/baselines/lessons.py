"""What a held-out tail can teach a re-ranker: outcomes of impressions, or which video came next."""

import numpy as np

from shortlist.baselines.candidates import BLOCK
from shortlist.baselines.examples import Examples, hold_out, thinned
from shortlist.baselines.rerank_features import RerankFeatures
from shortlist.datasets.interactions import Bools, Interactions, Ints, TrainingView
from shortlist.progress import track


def impressions(
    features: RerankFeatures, view: TrainingView, late: Interactions, users: int
) -> Examples:
    """The rows of ``late`` whose outcome is known, with the outcome as the label.

    Args:
        features: by sources that know ``view``.
        view: the history before ``late``.
        late: what came after.
        users: rows of at most so many users, drawn by the seed.
    """
    late = late.take(~np.isnan(late.outcome(view.target)))
    chosen = _some(np.unique(late.user), users, view.seed)
    late = late.take(_among(late.user, chosen))
    late = late.take(np.argsort(late.user, kind="stable"))
    return Examples(
        features.of_impressions(late.user, late.video, late.context),
        late.outcome(view.target),
        late.user,
        late.random_exposure,
        _among(late.user, hold_out(chosen, view.seed)),
    )


def new_positives(
    features: RerankFeatures,
    view: TrainingView,
    late: Interactions,
    users: int,
    negatives: int,
) -> tuple[Examples, dict[int, int]]:
    """Candidates of users who liked something new in ``late``, labelled by whether it was this.

    Videos that a user had met before ``late`` are left out, as a judge leaves them out.

    Args:
        features: gives the candidates; its sources know ``view``.
        view: the history before ``late``.
        late: what came after.
        users: at most so many, drawn by the seed.
        negatives: candidates with label 0 that a user who teaches keeps, drawn by the seed.

    Returns:
        The examples, and how many new positives each user has, whether candidates or not.
    """
    videos = len(view.catalogue)
    met = np.unique(view.log.user * videos + view.log.video)
    liked = np.flatnonzero(late.outcome(view.target) == 1)
    new = np.setdiff1d(late.user[liked] * videos + late.video[liked], met)
    who, number = np.unique(new // videos, return_counts=True)
    chosen = _some(who, users, view.seed)
    parts = [Examples.none(len(features.plain))]
    judges = hold_out(chosen, view.seed)
    rng = np.random.default_rng(np.random.SeedSequence(view.seed, spawn_key=(4,)))
    blocks = -(-len(chosen) // BLOCK)
    for block in track(features.of_candidates(chosen), "reading candidates", blocks):
        user = chosen[block.owner]
        pair = user * videos + block.video
        label = _among(pair, new).astype(np.float32)
        read = Examples(
            block.features, label, user, np.zeros(len(user), np.bool_), _among(user, judges)
        ).take(~_among(pair, met))
        parts += [read.take(read.held_out), thinned(read.take(~read.held_out), negatives, rng)]
    return Examples.join(parts).by_user(), dict(zip(who.tolist(), number.tolist(), strict=True))


def _some(users: Ints, number: int, seed: int) -> Ints:
    """At most ``number`` of ``users``, ascending."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    return np.sort(rng.permutation(users)[:number])


def _among(keys: Ints, known: Ints) -> Bools:
    """Which of ``keys`` are in the ascending ``known``; `np.isin` would sort it at every call."""
    at = np.searchsorted(known, keys)
    return np.asarray(np.append(known, -1)[at] == keys)
