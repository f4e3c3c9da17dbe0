"""How well a list orders the catalogue: one figure per user, always against the whole catalogue.

A *list* is a row of an int64 array [m, k], best first, padded with -1 on the right; no video stands
in it twice. What is *relevant* to each user is a sequence of m arrays of video rows. Places of a
list that are padding, or missing because the list is shorter than k, count as misses. A user to
whom nothing is relevant gets NaN: no list could be right for him.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Doubles, Floats, Ints, pack_lists
from shortlist.evaluation.metrics.ratios import ratio

Reals = npt.NDArray[np.floating[Any]]

_SCORES_AT_ONCE = 4_000_000


def top_k(scores: Floats, k: int, exclude: Sequence[Ints] | None = None) -> Ints:
    """The best k videos of each user; of equal scores, the lower row goes first.

    Args:
        scores: float32 [m, n], larger is better; minus infinity keeps a video off the list.
        k: length of the lists.
        exclude: for each user, rows of videos to keep off the list.

    Returns:
        int64 [m, k]; -1 where no further video may be listed.

    Raises:
        ValueError: a score is NaN, or ``exclude`` has not one entry per user.

    >>> scores = np.array([[0.2, 0.9, 0.9, 0.1], [0.3, 0.0, 0.1, 0.2]], np.float32)
    >>> top_k(scores, 3, exclude=[np.array([], int), np.array([0, 2])]).tolist()
    [[1, 2, 0], [3, 1, -1]]
    """
    users, videos = scores.shape
    if exclude is not None and len(exclude) != users:
        raise ValueError(f"exclude has {len(exclude)} entries for {users} users")
    best = np.full((users, k), -1, np.int64)
    step = max(1, _SCORES_AT_ONCE // max(1, videos))
    for low in range(0, users, step):
        block = scores[low : low + step]
        if np.isnan(block).any():
            raise ValueError("a score is NaN; a recommender's scores must be finite")
        if exclude is not None:
            block = _without(block, exclude[low : low + step])
        row, video, rank = _first(block, k)
        best[low + row, rank] = video
    return best


def ndcg(
    lists: Ints, relevant: Sequence[Ints], k: int, gains: Sequence[Doubles] | None = None
) -> Doubles:
    r"""Normalised discounted cumulative gain of Järvelin and Kekäläinen (TOIS 2002).

    .. math:: \sum_{r=1}^{k} g(l_r) / \log_2(r + 1) \big/ \text{the same sum over the ideal list}

    Gains enter as they are given; for the steeper gains of Burges et al. (ICML 2005) pass
    ``2 ** grade - 1``.

    Args:
        lists: int64 [m, >= 1].
        relevant: for each user, distinct rows of the relevant videos.
        k: how many places of the list count.
        gains: for each user, the gain of each relevant video, at least 0; 1 if left out.

    Returns:
        float64 [m], 0 to 1; NaN where nothing has a gain.

    The second place holds the only relevant video, so NDCG is 1 / log2(3):

    >>> ndcg(np.array([[4, 7, 1]]), [np.array([7])], 3).round(4).tolist()
    [0.6309]
    """
    found = gains_at(lists, relevant, k, gains)
    return ratio(found @ _discount(k), _ideal(relevant, k, gains))


def hit_rate(lists: Ints, relevant: Sequence[Ints], k: int) -> Doubles:
    """1 where at least one of the first k places is relevant, else 0 (Deshpande, Karypis 2004).

    Args and result as for ``ndcg``.

    >>> hit_rate(np.array([[4, 7], [4, 7]]), [np.array([7, 9]), np.array([9])], 2).tolist()
    [1.0, 0.0]
    """
    hits = (gains_at(lists, relevant, k) > 0).any(axis=1)
    return np.where(_sizes(relevant) > 0, hits, np.nan)


def recall(lists: Ints, relevant: Sequence[Ints], k: int) -> Doubles:
    """Share of the relevant videos that stand in the first k places (Kent et al. 1955).

    Args and result as for ``ndcg``. Where more than k videos are relevant, 1 is out of reach.

    >>> recall(np.array([[4, 7, 1]]), [np.array([7, 9, 1, 3])], 3).tolist()
    [0.5]
    """
    return ratio(gains_at(lists, relevant, k).sum(axis=1), _sizes(relevant))


def mrr(lists: Ints, relevant: Sequence[Ints], k: int) -> Doubles:
    """One over the rank of the first relevant video, 0 if none is in the first k (Voorhees 1999).

    Args and result as for ``ndcg``; the mean over users is the mean reciprocal rank.

    >>> mrr(np.array([[4, 1, 7], [4, 1, 7]]), [np.array([7, 1]), np.array([9])], 3).tolist()
    [0.5, 0.0]
    """
    hits = gains_at(lists, relevant, k) > 0
    first = np.where(hits.any(axis=1), 1 / (1 + hits.argmax(axis=1)), 0.0)
    return np.where(_sizes(relevant) > 0, first, np.nan)


def gains_at(
    lists: Ints, relevant: Sequence[Ints], k: int, gains: Sequence[Doubles] | None = None
) -> Doubles:
    """Gain of each of the first k places, float64 [m, k]; 0 for a miss or padding.

    Raises:
        ValueError: a list or a relevant set names a video twice, or lengths differ.
    """
    shown = _places(lists, k)
    if len(relevant) != len(shown):
        raise ValueError(f"{len(relevant)} relevant sets for {len(shown)} lists")
    values, borders = pack_lists(relevant)
    span = int(max(values.max(initial=0), shown.max(initial=0))) + 1
    keys = np.repeat(np.arange(len(relevant)), np.diff(borders)) * span + values
    order = np.argsort(keys)
    keys = keys[order]
    if (keys[1:] == keys[:-1]).any():
        raise ValueError("a relevant set names a video twice")
    if len(keys) == 0:
        return np.zeros(shown.shape)
    asked = np.arange(len(shown))[:, None] * span + shown
    place = np.searchsorted(keys, asked).clip(max=len(keys) - 1)
    gain = np.ones(len(keys)) if gains is None else _packed_gains(gains, borders)[order]
    return np.where((shown >= 0) & (keys[place] == asked), gain[place], 0.0)


def _places(lists: Ints, k: int) -> Ints:
    """The first k columns, padded to k."""
    shown = np.full((len(lists), k), -1, np.int64)
    kept = lists[:, :k]
    shown[:, : kept.shape[1]] = kept
    ordered = np.sort(shown, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("a list names a video twice")
    return shown


def _packed_gains(gains: Sequence[Doubles], borders: Ints) -> Doubles:
    if [len(part) for part in gains] != np.diff(borders).tolist():
        raise ValueError("gains and relevant sets differ in length")
    packed = np.concatenate(gains).astype(np.float64)
    if not (packed >= 0).all():
        raise ValueError("a gain is negative or NaN")
    return packed


def _ideal(relevant: Sequence[Ints], k: int, gains: Sequence[Doubles] | None) -> Doubles:
    discount = _discount(k)
    if gains is None:
        best = np.concatenate([[0.0], discount.cumsum()])
        return np.asarray(best[_sizes(relevant).clip(max=k).astype(int)])
    return np.array([-np.sort(-np.asarray(g))[:k] @ discount[: len(g)] for g in gains])


def _first(block: Reals, k: int) -> tuple[Ints, Ints, Ints]:
    """Rows, videos and ranks (from 0) of the best k of each row, without minus infinities."""
    count = min(k, block.shape[1])
    if count == 0:
        return (np.zeros(0, np.int64),) * 3
    border = np.partition(block, -count, axis=1)[:, -count, None]
    row, video = np.nonzero((block >= border) & (block > -np.inf))
    order = np.lexsort((video, -block[row, video], row))
    row, video = row[order], video[order]
    rank = np.arange(len(row)) - np.searchsorted(row, np.arange(len(block)))[row]
    kept = rank < k
    return row[kept], video[kept], rank[kept]


def _without(block: Reals, exclude: Sequence[Ints]) -> Reals:
    """A copy with minus infinity at the excluded places."""
    values, borders = pack_lists(exclude)
    masked = block.copy()
    masked[np.repeat(np.arange(len(exclude)), np.diff(borders)), values] = -np.inf
    return masked


def _discount(k: int) -> Doubles:
    return np.asarray(1 / np.log2(np.arange(2, k + 2)))


def _sizes(relevant: Sequence[Ints]) -> Doubles:
    return np.array([len(part) for part in relevant], np.float64)
