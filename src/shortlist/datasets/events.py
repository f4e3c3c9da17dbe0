"""What a user did, as a recommender sees it: the last events, each a video, a kind and a time."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Interactions

Ints = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.int8]
Doubles = npt.NDArray[np.float64]


class Kind(IntEnum):
    """What came of an impression; the values cross the wire and never change."""

    SHOWN = 0
    """Seen and left alone."""
    SKIP = 1
    """Left within two seconds."""
    CLICK = 2
    LONG_VIEW = 3
    LIKE = 4


KINDS: Final = len(Kind)


@dataclass(frozen=True, slots=True)
class Events:
    """Some events of one user, the oldest first.

    Attributes:
        video: rows of the videos table, int64 [n].
        kind: values of `Kind`, int8 [n].
        day: days since 1970-01-01, fractions allowed, float64 [n].
    """

    video: Ints
    kind: Kinds
    day: Doubles

    def __len__(self) -> int:
        return len(self.video)

    def last(self, count: int) -> "Events":
        """The latest ``count`` events."""
        start = max(len(self) - count, 0)
        return Events(self.video[start:], self.kind[start:], self.day[start:])

    @classmethod
    def none(cls) -> Self:
        """The events of somebody who is new."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Histories:
    """The events of all users, packed: user ``u`` owns ``borders[u]:borders[u + 1]``."""

    events: Events
    borders: Ints

    def __len__(self) -> int:
        return len(self.borders) - 1

    def of(self, user: int) -> Events:
        """All events of one user (a row of the users table), the oldest first."""
        rows = slice(self.borders[user], self.borders[user + 1])
        return Events(self.events.video[rows], self.events.kind[rows], self.events.day[rows])

    @classmethod
    def from_log(cls, log: Interactions, users: int) -> Self:
        """Group a log, whose rows ascend in time within a user, by user.

        Args:
            log: impressions; each becomes one event.
            users: how many users there are, also those without a row.
        """
        order = np.argsort(log.user, kind="stable")
        events = Events(log.video[order], kinds(log)[order], log.day[order].astype(np.float64))
        return cls(events, np.searchsorted(log.user[order], np.arange(users + 1)))


def kinds(log: Interactions) -> Kinds:
    """The kind of every row, int8 [n]: the strongest outcome wins, an unknown one counts as none.

    A click outweighs a quick end: who clicked and left within two seconds has clicked.
    """
    result = np.full(len(log), Kind.SHOWN, np.int8)
    for outcome, kind in (
        (log.skip, Kind.SKIP),
        (log.click, Kind.CLICK),
        (log.long_view, Kind.LONG_VIEW),
        (log.like, Kind.LIKE),
    ):
        result[outcome == 1] = kind
    return result
