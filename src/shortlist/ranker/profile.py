"""A user's profile: what he declared, and all his events summed up, however long ago they were.

The encoder reads the last events in their order; the sums remember the rest. They add up, so an
online store can carry them from event to event.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.events import Events, Kind

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_DOUBT: Final = 10.0
"""Events that everybody is granted before his own, so that the first few do not shout."""


def declared(users: Users, catalogue: Catalogue) -> Floats:
    """What users declared, as indicators, float32 [n_users, p].

    Columns: interests (the catalogue's tags), then language, activity and age band.
    """
    tag = {name: place for place, name in enumerate(catalogue.tag_names)}
    interests = np.zeros((len(users), len(tag)), np.float32)
    for row, listed in enumerate(users.table.column("interests").to_pylist()):
        interests[row, [tag[name] for name in listed or [] if name in tag]] = 1.0
    bands = users.table.column("age_band").to_pylist()
    known = {name: place for place, name in enumerate(sorted(set(filter(None, bands))))}
    band = np.array([known.get(name, -1) for name in bands], np.int64)
    parts = [
        interests,
        _indicators(users.language, len(users.languages)),
        _indicators(users.activity, len(users.activities)),
        _indicators(band, len(known)),
    ]
    return np.concatenate(parts, axis=1)


def summed(shown: sp.csr_array, liked: sp.csr_array, described: Floats) -> Floats:
    """Sum up events.

    Args:
        shown: how often each user was shown each video, [m, n_videos].
        liked: how often the user clicked or more, [m, n_videos].
        described: what is known of each video, float32 [n_videos, d].

    Returns:
        float32 [m, 2 d + 2]: what the clicked videos have above all the shown ones, what was shown,
        the rate of clicks and the log of the number of events.
    """
    count = np.asarray(shown.sum(axis=1), np.float64)
    clicks = np.asarray(liked.sum(axis=1), np.float64)
    rate = (clicks + 0.4 * _DOUBT) / (count + _DOUBT)
    of_shown = np.asarray(shown @ described, np.float64)
    above = np.asarray(liked @ described, np.float64) - rate[:, None] * of_shown
    parts = [
        above / np.sqrt(count + _DOUBT)[:, None],
        of_shown / (count + _DOUBT)[:, None],
        rate[:, None],
        0.2 * np.log1p(count)[:, None],
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def summed_events(histories: list[Events], described: Floats) -> Floats:
    """`summed` over whole histories, float32 [m, 2 d + 2]."""
    lengths = [len(events) for events in histories]
    borders = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    video = np.concatenate([np.zeros(0, np.int64), *(events.video for events in histories)])
    kind = np.concatenate([np.zeros(0, np.int8), *(events.kind for events in histories)])
    return summed(*counts(borders, video, kind, len(described)), described)


def counts(
    borders: Ints, video: Ints, kind: npt.NDArray[np.int8], videos: int
) -> tuple[sp.csr_array, sp.csr_array]:
    """How often each part of a list of events shows, and clicks, each video, CSR [m, videos].

    Args:
        borders: part ``i`` is ``borders[i]:borders[i + 1]``, int64 [m + 1].
        video: int64 [n].
        kind: values of `Kind`, int8 [n].
        videos: how many there are.
    """
    shape = (len(borders) - 1, videos)
    ones = np.ones(len(video), np.float32)
    shown = sp.csr_array((ones, video, borders), shape=shape)
    liked = sp.csr_array(((kind >= Kind.CLICK).astype(np.float32), video, borders), shape=shape)
    return shown, liked


def _indicators(codes: Ints, count: int) -> Floats:
    table = np.zeros((len(codes), count), np.float32)
    known = np.flatnonzero(codes >= 0)
    table[known, codes[known]] = 1.0
    return table
