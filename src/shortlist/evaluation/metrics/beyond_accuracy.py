"""What lists do besides being right: how much they reach, and how alike their videos are.

Lists are as in ``ranking``: int64 [m, k], -1 for padding. An absolute figure of diversity means
little, so every figure is read beside the same of ``random_lists``.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from shortlist.datasets.interactions import Bools, Doubles, Floats, Ints
from shortlist.evaluation.metrics.ratios import ratio

_ROWS_AT_ONCE = 1_024


def random_lists(
    users: int,
    k: int,
    videos: int,
    *,
    seed: int,
    live: Bools | None = None,
    exclude: Sequence[Ints] | None = None,
) -> Ints:
    """Lists drawn uniformly without repetition, to compare with.

    Args:
        users: how many lists.
        k: length of the lists.
        videos: size of the catalogue.
        seed: of the draw.
        live: which videos may be drawn, bool [videos]; all if left out.
        exclude: for each user, rows of videos to keep off the list.

    Returns:
        int64 [users, k]; -1 where no further video may be listed.

    >>> random_lists(1, 4, 3, seed=0, exclude=[np.array([1])]).tolist()
    [[2, 0, -1, -1]]
    """
    rng = np.random.default_rng(seed)
    pool = np.arange(videos) if live is None else np.flatnonzero(live)
    lists = np.full((users, k), -1, np.int64)
    for user in range(users):
        banned = exclude[user] if exclude is not None else pool[:0]
        # A random prefix long enough to keep k videos, whichever of the banned it meets.
        drawn = pool[rng.choice(len(pool), min(len(pool), k + len(banned)), replace=False)]
        kept = drawn[np.isin(drawn, banned, invert=True)][:k]
        lists[user, : len(kept)] = kept
    return lists


def coverage(lists: Ints, videos: int) -> float:
    """Share of the catalogue that stands on somebody's list (Ge, Delgado-Battenfeld, Jannach 2010).

    It is a property of all lists together and grows with their number: compare it at equal numbers.

    Args:
        lists: int64 [m, k].
        videos: how many videos could have been listed.

    >>> coverage(np.array([[0, 1], [1, -1]]), 8)
    0.25
    """
    return len(np.unique(lists[lists >= 0])) / videos


def gini(counts: Ints | Doubles) -> float:
    r"""Gini coefficient of counts (Gini 1912): 0 if all are equal, towards 1 if one has all.

    .. math:: \sum_i (2i - n - 1) c_{(i)} \big/ n \sum_i c_i, \quad c_{(1)} \le \dots \le c_{(n)}

    NaN where all counts are 0.

    >>> gini(np.array([0, 0, 0, 4]))
    0.75
    """
    ordered = np.sort(counts).astype(np.float64)
    total = len(ordered) * ordered.sum()
    if total == 0:
        return float("nan")
    rank = np.arange(1, len(ordered) + 1)
    return float((2 * rank - len(ordered) - 1) @ ordered / total)


def popularity_share(lists: Ints, counts: Ints | Doubles, share: float) -> Doubles:
    """Share of each list that belongs to the most popular videos (after Abdollahpouri et al. 2019).

    Args:
        lists: int64 [m, k].
        counts: how often each video was watched in the history, [n_videos].
        share: how much of the catalogue counts as most popular, 0.01 for 1 %; rounded up to whole
            videos, of equal counts the lower row first.

    Returns:
        float64 [m]; NaN for an empty list.

    >>> popularity_share(np.array([[3, 0, 2, -1]]), np.array([5, 2, 9, 7]), 0.5).round(4).tolist()
    [0.6667]
    """
    popular = np.zeros(len(counts), np.bool_)
    # An exact product such as 0.1 * 30 must not be rounded up for its last bit.
    number = int(np.ceil(round(share * len(counts), 9)))
    popular[np.argsort(-np.asarray(counts), kind="stable")[:number]] = True
    listed = lists >= 0
    return ratio((popular[lists] & listed).sum(axis=1), listed.sum(axis=1))


def content_distance(lists: Ints, content: Floats) -> Doubles:
    r"""Mean cosine distance between two videos of a list (Ziegler et al. 2005; Zhang, Hurley 2008).

    For unit vectors the sum over pairs follows from the length of the list's sum:

    .. math:: 1 - (|\sum_i v_i|^2 - k) / k(k - 1)

    Args:
        lists: int64 [m, k].
        content: float32 [n_videos, width], rows of unit length.

    Returns:
        float64 [m], 0 (all alike) to 2; NaN for a list of fewer than two videos.

    Of three videos one is at right angles to two equal ones; two of three pairs are at distance 1:

    >>> content = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    >>> content_distance(np.array([[0, 1, 2]]), content).round(4).tolist()
    [0.6667]
    """
    distance = np.full(len(lists), np.nan)
    for low in range(0, len(lists), _ROWS_AT_ONCE):
        part = lists[low : low + _ROWS_AT_ONCE]
        listed = part >= 0
        vectors = content[part].astype(np.float64) * listed[:, :, None]
        length = listed.sum(axis=1)
        pairs = length * (length - 1)
        alike = (vectors.sum(axis=1) ** 2).sum(axis=1) - (vectors**2).sum(axis=(1, 2))
        distance[low : low + _ROWS_AT_ONCE] = 1 - ratio(alike, pairs)
    return distance


def distinct_tags(lists: Ints, tags: sp.csr_array) -> Doubles:
    """How many different tags a list has (subtopics, after Zhai, Cohen, Lafferty 2003).

    Args:
        lists: int64 [m, k].
        tags: who has which tag, non-zero where so, CSR [n_videos, n_tags].

    Returns:
        float64 [m].

    >>> tags = sp.csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]))
    >>> distinct_tags(np.array([[0, 1], [1, -1], [0, 2]]), tags).tolist()
    [2.0, 1.0, 3.0]
    """
    row, place = np.nonzero(lists >= 0)
    ones = np.ones(len(row))
    shape = (len(lists), tags.shape[0])
    shown = sp.csr_array((ones, (row, lists[row, place])), shape=shape) @ tags
    return np.asarray((shown > 0).sum(axis=1), np.float64)
