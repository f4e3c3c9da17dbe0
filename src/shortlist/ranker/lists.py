"""Training lists, built as serving builds them: what was shown, among what is recalled.

Only the shown videos carry outcomes; the recalled ones are the company in which they are judged.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shortlist.ranker.features import MOMENT_WIDTH, video_age, weariness
from shortlist.ranker.windows import Batch, Rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

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
    """What is recalled for each user, and what the moment makes of every video.

    Attributes:
        recalled: rows of videos, int64 [n_users, r].
        live: rows of the videos that can be shown, int64 [n_live].
        upload_day: of every video, since the first day of the log, int64 [n_videos].
        tags: weights of tags, by which a viewer wearies, float32 [n_videos, t].
    """

    recalled: Ints
    live: Ints
    upload_day: Ints
    tags: Floats


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
        size: length of a list; as many as are live, where these are fewer.
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
    size = min(size, len(pools.live))
    shown = min(int(chosen.sum(axis=1).max()), size)
    at = place[:, None] + np.arange(shown)
    inside = at < session.shape[1]
    at = np.where(inside, at, 0)
    is_shown = inside & np.take_along_axis(chosen, at, axis=1)
    row = batch.at[torch.from_numpy(window)[:, None], torch.from_numpy(at)]
    logged = np.where(is_shown, rows.video[row].numpy(), -1)
    users = batch.user.numpy()[window]
    video = np.stack(
        [
            _surrounded(some, pools, user, size, rng)
            for some, user in zip(logged, users, strict=True)
        ]
    )
    target = torch.full(video.shape, float("nan"))
    target[:, :shown] = torch.where(torch.from_numpy(is_shown), rows.target[row], torch.nan)
    day = rows.day[batch.at[torch.from_numpy(window), torch.from_numpy(place)]].numpy()
    moment = torch.from_numpy(_moments(logged, video, day, pools, rng))
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


def _moments(
    logged: Ints, video: Ints, day: Floats, pools: Pools, rng: np.random.Generator
) -> Floats:
    """Age and weariness of the videos of lists, as if asked amid their sessions, [m, n, 3].

    Args:
        logged: videos of each session in the order shown, -1 where none, int64 [m, s].
        video: of each list, int64 [m, n].
        day: of each list, since the first day of the log, float32 [m].
        pools: of the videos.
        rng: for the place in the session at which company is asked about.
    """
    moment = np.empty((*video.shape, MOMENT_WIDTH), np.float32)
    moment[:, :, 0] = video_age(pools.upload_day[video], day[:, None].astype(np.float64))
    for one, (session, listed) in enumerate(zip(logged, video, strict=True)):
        shown = session[session >= 0]
        seen = shown[: rng.integers(0, len(shown))]
        moment[one, :, 1:] = weariness(seen, listed, pools.tags)
    return moment


def _surrounded(logged: Ints, pools: Pools, user: int, size: int, rng: np.random.Generator) -> Ints:
    """The logged videos in their places (-1 where none), all others filled with company, [size].

    As in serving a video is there once: company is drawn without replacement, first from what is
    recalled, and where that ends, or by chance, from all live videos.
    """
    recalled = rng.permutation(pools.recalled[user])
    # Twice the size: enough where each video of the list is among them.
    anything = rng.choice(pools.live, min(2 * size, len(pools.live)), replace=False)
    first = anything[:size].copy()
    kept = np.flatnonzero(rng.random(min(size, len(recalled))) >= RANDOM_SHARE)
    first[kept] = recalled[kept]
    drawn = np.concatenate([logged[logged >= 0], first, anything])
    _, fresh = np.unique(drawn, return_index=True)
    company = drawn[np.sort(fresh[fresh >= int((logged >= 0).sum())])]
    filled = np.full(size, -1)
    filled[: len(logged)] = logged
    empty = np.flatnonzero(filled < 0)
    filled[empty] = company[: len(empty)]
    return filled
