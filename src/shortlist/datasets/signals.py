"""What a log says of likes, as arrays that models share: positives, recency, sums and rates."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.datasets.interactions import Doubles, Ints, TrainingView, events_since

Weights = npt.NDArray[np.float64]


def positives(view: TrainingView) -> Ints:
    """Rows of the log whose target outcome is known and true, ascending, int64 [n]."""
    return np.flatnonzero(view.log.outcome(view.target) == 1)


def decay(age: Ints | Doubles, half_life: float) -> Weights:
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


def decayed_positives(view: TrainingView, half_life_days: float) -> Weights:
    """Positives of each video, halved by every half-life of age in days, float64 [n_videos]."""
    rows = positives(view)
    age = view.as_of_day - 1 - view.log.day[rows]
    return video_sums(view, rows, decay(age, half_life_days))


def smoothed_rate(view: TrainingView, half_life_days: float, prior_impressions: float) -> Weights:
    """Rate of the target among each video's impressions, shrunk to the log's, float64 [n_videos].

    Where nothing is known of any video, every rate is one half.
    """
    known = np.flatnonzero(~np.isnan(view.log.outcome(view.target)))
    age = view.as_of_day - 1 - view.log.day[known]
    shown = video_sums(view, known, decay(age, half_life_days))
    positive = decayed_positives(view, half_life_days)
    mean = positive.sum() / shown.sum() if len(known) else 0.5
    rate: Weights = (positive + prior_impressions * mean) / (shown + prior_impressions)
    return rate


def watches(view: TrainingView) -> Ints:
    """Rows of the log that are not known to have been declined, ascending, int64 [n].

    Histories of some sources hold watched videos only and do not say who clicked: all count.
    """
    return np.flatnonzero(view.log.click != 0)


def watch_trend(view: TrainingView, half_life_events: float, prior_impressions: float) -> Weights:
    """Share of recent ones among each video's watches, shrunk to the log's, float64 [n_videos]."""
    rows = watches(view)
    recent = video_sums(view, rows, decay(events_since(view.log.user[rows]), half_life_events))
    watched = video_sums(view, rows)
    mean = recent.sum() / watched.sum() if len(rows) else 1.0
    trend: Weights = (recent + prior_impressions * mean) / (watched + prior_impressions)
    return trend


def most_popular(popularity: Weights, number: int) -> Ints:
    """Rows of at most ``number`` videos with the largest popularity above 0, ascending.

    >>> most_popular(np.array([3.0, 0.0, 5.0, 4.0]), 2)
    array([2, 3])
    """
    best = np.argsort(-popularity, kind="stable")[:number]
    return np.sort(best[popularity[best] > 0])
