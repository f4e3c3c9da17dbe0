"""Where a model's horizon ends: videos that it cannot judge lie below those it can."""

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Floats
from shortlist.datasets.signals import Weights


def rank_below(scores: Floats, scored: npt.NDArray[np.bool_], popularity: Weights) -> Floats:
    """Give the videos that a model cannot judge a place below those it can, by popularity.

    Args:
        scores: float32 [m, n]; changed in place and returned.
        scored: which entries the model judged, bool [m, n], [n] or [m, 1].
        popularity: at least 0, [n].

    >>> scores = np.array([[0.5, 0.0, 0.0]], np.float32)
    >>> rank_below(scores, np.array([[True, False, False]]), np.array([7.0, 2.0, 4.0]))
    array([[ 0.5 , -0.25,  0.  ]], dtype=float32)
    """
    share = (popularity / (popularity.max(initial=0.0) + 1.0)).astype(np.float32)
    lowest = np.min(scores, axis=1, initial=np.inf, where=scored)
    lowest[np.isinf(lowest)] = 0.0
    np.copyto(scores, lowest[:, None] - 1.0 + share, where=~scored)
    return scores
