"""How a log is cut for training: windows of a user's events, each with the events before it.

A user's history is encoded once a window, and every event of the window is predicted from what
came before it: a hundred predictions for one encoding.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shortlist.datasets.events import Kind, kinds
from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.ranker.features import session_weariness, video_age
from shortlist.ranker.profile import declared, tally

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """The log by user, each user's rows in the order of time, as tensors.

    Attributes:
        user, video, kind: int64 [n].
        day: since the first day of the log, float32 [n].
        context: float32 [n, 32].
        moment: age and weariness, float32 [n, 3].
        target: 1, 0 or NaN where unknown, float32 [n].
        watch: log of watch seconds where the target came about, NaN elsewhere, float32 [n].
        random: shown by the random part of the traffic, float32 [n].
        profile: what each user declared, float32 [n_users, p].
        tally: what each user's events before the row tell, float32 [n, 2].
        session: which rows belong together, ascending, int64 [n].
        borders: where each user's rows begin, numpy int64 [n_users + 1].
    """

    user: Tensor
    video: Tensor
    kind: Tensor
    day: Tensor
    context: Tensor
    moment: Tensor
    target: Tensor
    watch: Tensor
    random: Tensor
    profile: Tensor
    tally: Tensor
    session: Tensor
    borders: Ints

    def __len__(self) -> int:
        return len(self.video)


def rows_of(view: TrainingView, tags: npt.NDArray[np.float32]) -> Rows:
    """The log of a view, ready for windows.

    Args:
        view: what may be seen.
        tags: weights of tags, float32 [n_videos, t].
    """
    log = view.log
    first = log.day.min() if len(log) else 0
    order = np.argsort(log.user, kind="stable")
    weary = session_weariness(log, tags)
    log = log.take(order)
    age = video_age(view.catalogue.upload_day[log.video], log.day.astype(np.float64))
    target = log.outcome(view.target)
    with np.errstate(divide="ignore", invalid="ignore"):
        watch = np.where(target == 1, np.log(log.watch_seconds.clip(0.3)), np.nan)
    return Rows(
        user=torch.from_numpy(log.user),
        video=torch.from_numpy(log.video),
        kind=torch.from_numpy(kinds(log).astype(np.int64)),
        day=torch.from_numpy((log.day - first).astype(np.float32)),
        context=torch.from_numpy(log.context),
        moment=torch.from_numpy(np.concatenate([age[:, None], weary[order]], axis=1)),
        target=torch.from_numpy(target),
        watch=torch.from_numpy(watch.astype(np.float32)),
        random=torch.from_numpy(log.random_exposure.astype(np.float32)),
        profile=torch.from_numpy(declared(view.users, view.catalogue)),
        tally=torch.from_numpy(_tallies_before(log)),
        session=torch.from_numpy(_session_numbers(log)),
        borders=np.searchsorted(log.user, np.arange(len(view.users) + 1)),
    )


def _tallies_before(log: Interactions) -> npt.NDArray[np.float32]:
    """What is told by all events of the same user before each row, float32 [n, 2]."""
    clicked = (kinds(log) >= Kind.CLICK).astype(np.int64)
    place, before = np.arange(len(log)), np.cumsum(clicked) - clicked
    first = np.searchsorted(log.user, log.user)
    return tally(place - first, before - before[first] if len(log) else before)


def _session_numbers(log: Interactions) -> Ints:
    """Number of each row's session; rows of unknown sessions stand alone."""
    change = np.ones(len(log), np.bool_)
    same = (log.session[1:] == log.session[:-1]) & (log.user[1:] == log.user[:-1])
    change[1:] = ~same | (log.session[1:] < 0)
    return np.cumsum(change)


@dataclass(frozen=True)
class Windows:
    """Windows of rows: predicted are ``low`` to ``high``, seen are those from ``start`` on.

    Attributes:
        user, start, low, high: int64 [n].
    """

    user: Ints
    start: Ints
    low: Ints
    high: Ints

    def __len__(self) -> int:
        return len(self.user)

    @property
    def length(self) -> Ints:
        """Rows seen in each window, int64 [n]."""
        return self.high - self.start


def cut(low: Ints, high: Ints, history: int, rows: int, *, first: Ints | None = None) -> Windows:
    """Cut the rows of every user into windows of at most ``rows`` predictions.

    Args:
        low: where the rows to predict begin for each user, int64 [n_users].
        high: where they end, int64 [n_users].
        history: rows before the first prediction of a window that are seen.
        rows: predictions of a window.
        first: where each user's rows begin; by default where the predictions do, int64 [n_users].

    >>> windows = cut(np.array([0, 5, 5]), np.array([5, 5, 6]), history=1, rows=3)
    >>> windows.start.tolist(), windows.low.tolist(), windows.high.tolist()
    ([0, 2, 5], [0, 3, 5], [3, 5, 6])
    """
    known = low if first is None else first
    parts = [
        (user, max(int(known[user]), start - history), start, min(start + rows, int(high[user])))
        for user in range(len(low))
        for start in range(int(low[user]), int(high[user]), rows)
    ]
    columns = np.array(parts, np.int64).reshape(-1, 4).T
    return Windows(*columns)


def batches(windows: Windows, size: int, seed: int, epoch: int) -> list[Ints]:
    """Indices of windows batch by batch: windows alike in length meet, in an order of chance.

    The order depends on seed and epoch alone, so a run that was resumed sees what it would have.
    """
    rng = np.random.default_rng([seed, epoch])
    length = windows.length
    order = np.argsort(length + rng.normal(0.0, 0.1 * length.max(initial=1), len(length)))
    parts = [order[low : low + size] for low in range(0, len(order), size)]
    return [parts[place] for place in rng.permutation(len(parts))]


@dataclass(frozen=True)
class Batch:
    """Some windows, padded.

    Attributes:
        at: rows of the log, 0 at empty places, int64 [b, l].
        filled: which places hold a row, bool [b, l].
        predicted: which of these are to be learned, bool [b, l].
        user: int64 [b].
    """

    at: Tensor
    filled: Tensor
    predicted: Tensor
    user: Tensor


def batch_of(windows: Windows, chosen: Ints) -> Batch:
    """Pad the chosen windows to the longest of them."""
    start, low, high = windows.start[chosen], windows.low[chosen], windows.high[chosen]
    at = start[:, None] + np.arange(int((high - start).max()))
    filled = at < high[:, None]
    predicted = filled & (at >= low[:, None])
    return Batch(
        at=torch.from_numpy(np.where(filled, at, 0)),
        filled=torch.from_numpy(filled),
        predicted=torch.from_numpy(predicted),
        user=torch.from_numpy(windows.user[chosen]),
    )
