"""What users did, as arrays that models share: positives, recency and the user-video matrix."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.datasets.interactions import Floats, Ints, TrainingView

Weights = npt.NDArray[np.float64]


def positives(view: TrainingView) -> Ints:
    """Rows of the log whose target outcome is known and true, ascending, int64 [n]."""
    return np.flatnonzero(view.log.outcome(view.target) == 1)


def decay(age: npt.NDArray[np.int64], half_life: float) -> Weights:
    """Weights that halve with every ``half_life`` of age, float64 [n]; no age below 0 counts more.

    >>> decay(np.array([0, 7, 14]), half_life=7.0)
    array([1.  , 0.5 , 0.25])
    """
    weights: Weights = 0.5 ** (np.maximum(age, 0) / half_life)
    return weights


def video_sums(view: TrainingView, rows: Ints, weights: Weights | None = None) -> Weights:
    """Sum of the rows' weights (1 each by default) by video, float64 [n_videos]."""
    sums = np.bincount(view.log.video[rows], weights, minlength=len(view.catalogue))
    return sums.astype(np.float64)


def user_video(view: TrainingView, rows: Ints, weights: Weights | None = None) -> sp.csr_array:
    """Users by videos: the largest weight among the rows of each pair, float32 CSR.

    Repeats do not add up: that somebody watched a video twice says little more than once.

    Args:
        view: gives the shape [n_users, n_videos] and the log.
        rows: rows of the log to enter.
        weights: positive, one per row; 1 each by default.
    """
    user, video = view.log.user[rows], view.log.video[rows]
    values = np.ones(len(rows)) if weights is None else weights
    n_videos = len(view.catalogue)
    order = np.lexsort((-values, user * n_videos + video))
    keys = (user * n_videos + video)[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    kept = order[first]
    return sp.csr_array(
        (values[kept].astype(np.float32), (user[kept], video[kept])),
        shape=(len(view.users), n_videos),
    )


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
