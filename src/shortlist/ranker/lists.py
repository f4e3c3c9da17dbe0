"""Training lists, built as serving builds them: what was shown, among what is recalled.

Only the shown videos carry outcomes; the recalled ones are the company in which they are judged.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shortlist.ranker.windows import Batch, Rows

Ints = npt.NDArray[np.int64]

RANDOM_SHARE: Final = 0.1
"""Share of a list's company that is drawn from all live videos, as random traffic is."""


@dataclass(frozen=True)
class Lists:
    """One list for each of some windows of a batch.

    Attributes:
        window: place of the window in the batch, int64 [m].
        place: place in the window of the session's first row, int64 [m].
        video: int64 [m, n].
        target: 1, 0 or NaN where nothing was shown, float32 [m, n].
        moment: age and weariness, float32 [m, n, 3].
        random: where a video was shown by chance, float32 [m, n].
    """

    window: Tensor
    place: Tensor
    video: Tensor
    target: Tensor
    moment: Tensor
    random: Tensor


@dataclass(frozen=True)
class Pools:
    """What is recalled for each user, and when every video was uploaded.

    Attributes:
        recalled: rows of videos, int64 [n_users, r].
        live: rows of the videos that can be shown, int64 [n_live].
        age: what `video_age` says of every video at the end of the log, float32 [n_videos].
    """

    recalled: Ints
    live: Ints
    age: npt.NDArray[np.float32]


def lists_of(
    rows: Rows,
    batch: Batch,
    pools: Pools,
    *,
    share: float,
    size: int,
    rng: np.random.Generator,
) -> Lists:
    """Draw a session from some of the windows and surround it.

    Args:
        rows: the log.
        batch: windows of it.
        pools: company to draw from.
        share: of the windows that get a list; at least one window does.
        size: length of a list.
        rng: for every draw.
    """
    windows = len(batch.user)
    count = max(1, round(share * windows))
    window = np.sort(rng.choice(windows, count, replace=False))
    session = torch.where(batch.predicted, rows.session[batch.at], -1).numpy()[window]
    # A row drawn from those of a window names its session.
    drawn = np.argmax(rng.random(session.shape) * (session >= 0), axis=1)
    chosen = session == session[np.arange(count), drawn][:, None]
    place = chosen.argmax(axis=1)
    shown = min(int(chosen.sum(axis=1).max()), size)
    at = np.minimum(place[:, None] + np.arange(shown), session.shape[1] - 1)
    is_shown = np.take_along_axis(chosen, at, axis=1)
    row = batch.at[torch.from_numpy(window)[:, None], torch.from_numpy(at)]
    company = _company(pools, batch.user.numpy()[window], size, rng)
    video = company.copy()
    video[:, :shown] = np.where(is_shown, rows.video[row].numpy(), company[:, :shown])
    target = torch.full(video.shape, float("nan"))
    target[:, :shown] = torch.where(torch.from_numpy(is_shown), rows.target[row], torch.nan)
    moment = torch.zeros(*video.shape, rows.moment.shape[1])
    moment[:, :, 0] = torch.from_numpy(pools.age[video])
    here = torch.from_numpy(is_shown)
    moment[:, :shown][here] = rows.moment[row][here]
    random = torch.ones(video.shape)
    random[:, :shown] = torch.where(here, rows.random[row], 1.0)
    return Lists(
        window=torch.from_numpy(window),
        place=torch.from_numpy(place),
        video=torch.from_numpy(video),
        target=target,
        moment=moment,
        random=random,
    )


def _company(pools: Pools, users: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Recalled and random videos for each user, int64 [m, size]."""
    shape = (len(users), size)
    recalled = pools.recalled[users]
    # Without replacement: a list holds a video once, as far as the pool reaches.
    order = np.argsort(rng.random(recalled.shape), axis=1)
    picked = np.take_along_axis(recalled, order[:, np.arange(size) % recalled.shape[1]], axis=1)
    anything = pools.live[rng.integers(0, len(pools.live), shape)]
    return np.where(rng.random(shape) < RANDOM_SHARE, anything, picked)
