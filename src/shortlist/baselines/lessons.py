"""What a held-out tail can teach a re-ranker: outcomes of impressions, or which video came next."""

import numpy as np

from shortlist.baselines.boosting import Examples
from shortlist.baselines.candidates import BLOCK
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
    late = late.take(np.isin(late.user, _some(np.unique(late.user), users, view.seed)))
    late = late.take(np.argsort(late.user, kind="stable"))
    return Examples(
        features.of_impressions(late.user, late.video, late.context),
        late.outcome(view.target),
        late.user,
        late.random_exposure,
    )


def new_positives(
    features: RerankFeatures, view: TrainingView, late: Interactions, users: int
) -> tuple[Examples, dict[int, int]]:
    """Candidates of users who liked something new in ``late``, labelled by whether it was this.

    Videos that a user had met before ``late`` are left out, as a judge leaves them out.

    Args:
        features: gives the candidates; its sources know ``view``.
        view: the history before ``late``.
        late: what came after.
        users: at most so many, drawn by the seed.

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
    blocks = -(-len(chosen) // BLOCK)
    for block in track(features.of_candidates(chosen), "reading candidates", blocks):
        pair = chosen[block.owner] * videos + block.video
        fresh = ~_among(pair, met)
        label = _among(pair[fresh], new).astype(np.float32)
        nothing = np.zeros(len(label), np.bool_)
        parts.append(Examples(block.features[fresh], label, chosen[block.owner[fresh]], nothing))
    return Examples.join(parts), dict(zip(who.tolist(), number.tolist(), strict=True))


def _some(users: Ints, number: int, seed: int) -> Ints:
    """At most ``number`` of ``users``, ascending."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    return np.sort(rng.permutation(users)[:number])


def _among(keys: Ints, known: Ints) -> Bools:
    """Which of ``keys`` are in the ascending ``known``; `np.isin` would sort it at every call."""
    at = np.searchsorted(known, keys)
    return np.asarray(np.append(known, -1)[at] == keys)
