"""Histories as the graphs take them: the last events of some users, padded to one length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.datasets.events import Events

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PaddedHistories:
    """The last events of ``b`` users, the oldest first, empty places last.

    Attributes:
        video: rows of the videos table, 0 at empty places, int64 [b, h].
        kind: values of `Kind`, int64 [b, h].
        age: days between each event and now, at least 0, float32 [b, h].
        filled: which places hold an event, bool [b, h].
    """

    video: Ints
    kind: Ints
    age: Floats
    filled: Bools


def padded(histories: Sequence[Events], day: float, length: int) -> PaddedHistories:
    """Pad the last ``length`` events of each history.

    Args:
        histories: of the users, each oldest first.
        day: now, in days since 1970-01-01; events of the future count as just past.
        length: places for events; one at least, so that no graph sees an empty axis.
    """
    shape = (len(histories), max(length, 1))
    video, kind = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    age, filled = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    for row, events in enumerate(histories):
        last = events.last(shape[1])
        count = len(last)
        video[row, :count], kind[row, :count] = last.video, last.kind
        age[row, :count] = np.maximum(day - last.day, 0.0)
        filled[row, :count] = True
    return PaddedHistories(video, kind, age, filled)
