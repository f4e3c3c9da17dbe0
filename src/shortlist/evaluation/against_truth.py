"""What the world itself says of a model: its lists' gains, its pages' clicks, its policy."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from shortlist.datasets.interactions import Bools, Doubles, Floats, Ints, Target
from shortlist.evaluation.arena import Arena, opening_rows
from shortlist.evaluation.performance import Performance, probed_users, tells_odds
from shortlist.world.truth import Truth

_EPOCH = dt.date(1970, 1, 1)
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class TruthOfLists:
    """Per-user figures over the fixed sample, each float64 [sample].

    Attributes:
        ndcg: expected-gain NDCG of the best k: true probabilities as gains, the oracle's list as
            the ideal.
        page_value: expected clicks of the best k as one page, with fatigue inside the page.
        oracle_recall: share of the oracle's best 100 among the model's best 1,000; None where no
            more videos than these are live, since whatever a model does it finds them all.
    """

    ndcg: Doubles
    page_value: Doubles
    oracle_recall: Doubles | None


def sample_rows(arena: Arena) -> Ints:
    """Places of the sampled users among the judged, int64 [sample]."""
    return np.searchsorted(arena.judged, arena.sample)


def truth_of_lists(
    truth: Truth, arena: Arena, performance: Performance, oracle: Performance, k: int
) -> TruthOfLists:
    """Ask the truth of a model's lists.

    Args:
        truth: of the arena's world.
        arena: the arena.
        performance: of the model.
        oracle: performance of the oracle in the same arena.
        k: length of the judged list and of a page.
    """
    rows = sample_rows(arena)
    lists, ideal = performance.lists[rows, :k], oracle.lists[rows, :k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = gains(truth, arena, ideal) @ discount
    return TruthOfLists(
        ndcg=(gains(truth, arena, lists) @ discount) / best,
        page_value=page_values(truth, arena, lists),
        oracle_recall=_oracle_recall(arena, performance.deep, oracle.lists[rows]),
    )


def _oracle_recall(arena: Arena, deep: Ints, wanted: Ints) -> Doubles | None:
    if arena.live.sum() <= deep.shape[1]:
        return None
    found = [np.isin(best[best >= 0], of) for best, of in zip(wanted, deep, strict=True)]
    return np.array([each.mean() for each in found])


def page_values(truth: Truth, arena: Arena, lists: Ints) -> Doubles:
    """Expected clicks of the sample's lists, each as one page, float64 [sample].

    A page ends where a list ends early (-1).
    """
    view = arena.view
    value = np.zeros(len(lists))
    lengths = (lists >= 0).sum(axis=1)
    for length in np.unique(lengths):
        at = np.flatnonzero(lengths == length)
        pages = lists[at, :length]
        value[at] = truth.page_value(arena.sample[at], pages, view.as_of, view.context)
    return value


def gains(truth: Truth, arena: Arena, lists: Ints) -> Doubles:
    """True probability of the target of every place of the sample's lists, float64 [sample, k].

    An empty place (-1) gains nothing.
    """
    view = arena.view
    places = lists.shape[1]
    user = np.repeat(arena.sample, places)
    context = np.tile(view.context, (len(user), 1))
    logit = truth.law.pairs(
        user, lists.ravel(), truth.day(view.as_of), context, np.zeros(len(user))
    )
    reward = _reward(truth, view.target, logit, lists.ravel())
    return np.where(lists >= 0, reward.reshape(lists.shape), 0.0)


def policy_values(
    truth: Truth, arena: Arena, performances: dict[str, Performance], share: float
) -> dict[str, Doubles]:
    """True value of each model's off-policy target on the opening slots of the probed users.

    Returns:
        For each model, expected reward of each slot, float64 [slots]; nothing where the probed
        users open no session in the test days, or these know no propensities.
    """
    probed, test = probed_users(arena), arena.test
    rows = opening_rows(arena)
    rows = rows[np.isin(test.user[rows], probed)]
    if len(rows) == 0 or not tells_odds(arena):
        return {}
    place = np.searchsorted(probed, test.user[rows])
    first = (truth.world.settings.first_day - _EPOCH).days
    values: dict[str, list[Doubles]] = {name: [] for name in performances}
    for low in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[low : low + _ROWS_AT_ONCE]
        true = np.stack(
            [
                truth.law.catalogue(test.user[[row]], int(test.day[row]) - first, test.context[row])
                for row in part
            ]
        )[:, 0]
        reward = _reward(truth, arena.view.target, true, slice(None)).astype(np.float32)
        for name, performance in performances.items():
            policy = share_distribution(
                performance, place[low : low + _ROWS_AT_ONCE], arena.live, share
            )
            values[name].append(np.einsum("nv,nv->n", policy, reward).astype(np.float64))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def share_distribution(performance: Performance, rows: Ints, live: Bools, share: float) -> Floats:
    """The off-policy target of some probed users as probabilities, float32 [n, n_videos]."""
    videos = len(live)
    above = np.unpackbits(performance.share_above[rows], axis=1, count=videos)
    at = np.unpackbits(performance.share_at[rows], axis=1, count=videos)
    count = max(1, round(share * int(live.sum())))
    rest = (count - above.sum(axis=1, dtype=np.int64)) / at.sum(axis=1, dtype=np.int64).clip(min=1)
    return np.asarray((above + at * rest[:, None]) / count, np.float32)


def _reward(truth: Truth, target: Target, logit: Doubles, video: Ints | slice) -> Doubles:
    """Probability of the target, given the logit of a click on each video, of the logit's shape."""
    if target == "click":
        return np.asarray(expit(logit))
    return truth.law.outcomes(logit, truth.law.videos.duration_seconds[video]).long_view
