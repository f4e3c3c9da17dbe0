"""Which users figures are measured on: a draw that is the same for whoever measures as many."""

import numpy as np

from shortlist.datasets.interactions import Ints


def sampled_users(users: int, count: int, seed: int) -> Ints:
    """Draw some users.

    Args:
        users: how many there are.
        count: how many are wanted; all where there are no more.
        seed: of the draw.

    Returns:
        Ascending rows of the users table, int64.
    """
    everyone = np.arange(users, dtype=np.int64)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(everyone, min(count, users), replace=False))
