"""What a source of candidates is asked, and what it answers."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from shortlist.datasets.events import KINDS, Events
from shortlist.datasets.interactions import Floats, Ints

_STRIDE: Final = 16
_MORE: Final = 8
"""Of a catalogue's scores one in so many is looked at first, and how many more are taken."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request for candidates.

    Attributes:
        history: what the user did, the oldest first.
        excluded: rows of videos that must not come back (seen, taken down), int64, ascending and
            distinct.
        user_vector: the user in the space of the item vectors, float32 [width]; None where nothing
            has encoded them.
        interests: rows of the tags that the user declared, int64; may be empty.
        day: the present in days since 1970-01-01, fractions allowed.
    """

    history: Events
    excluded: Ints
    user_vector: Floats | None
    interests: Ints
    day: float

    def cleaned(self, videos: int, tags: int) -> tuple["Query", int]:
        """The same query without what a source could not use, and how much that was.

        Left out are events of unknown videos or kinds or without a time, repeats of an event,
        rows of unknown videos and tags, and a user vector that is not finite.

        Args:
            videos: how many videos there are.
            tags: how many tags there are.
        """
        history = _known_events(self.history, videos)
        excluded, interests = _known_rows(self.excluded, videos), _known_rows(self.interests, tags)
        vector = self.user_vector
        if vector is not None and not bool(np.isfinite(vector).all()):
            vector = None
        ignored = (
            (len(self.history) - len(history))
            + (len(self.excluded) - len(excluded))
            + (len(self.interests) - len(interests))
            + int(vector is not self.user_vector)
        )
        return Query(history, excluded, vector, interests, self.day), ignored


@dataclass(frozen=True, slots=True)
class Candidates:
    """Videos that a source proposes, the best first.

    Attributes:
        video: distinct rows of the videos table, int64 [k].
        score: falling, on the source's own scale, float32 [k].
    """

    video: Ints
    score: Floats

    def __len__(self) -> int:
        return len(self.video)

    @classmethod
    def none(cls) -> Self:
        """What a source answers that knows nothing of the user."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.float32))


def best(scores: Floats, count: int) -> Candidates:
    """The ``count`` best of a catalogue; equal scores by row, a score of -inf never.

    Partitions, so that 50,000 scores cost a fraction of sorting them; and only those that a sample
    says may be among the best.

    Args:
        scores: of every video, float32 [n], no NaN.
        count: at most so many.

    >>> best(np.array([1, 3, -np.inf, 3, 2], np.float32), 3).video
    array([1, 3, 4])
    """
    rows = _promising(scores, count)
    count = min(count, len(rows))
    if count == 0:
        return Candidates.none()
    found = scores[rows]
    place = len(rows) - count
    border = np.partition(found, place)[place]
    taken = found > border
    level = np.flatnonzero(found == border)
    taken[level[: count - np.count_nonzero(taken)]] = True
    rows, found = rows[taken], found[taken]
    # The rows ascend, so a stable sort leaves equal scores in their order.
    order = np.argsort(-found, kind="stable")
    return Candidates(rows[order], found[order])


def _promising(scores: Floats, count: int) -> Ints:
    """Rows, ascending, that surely hold the ``count`` best; all above -inf where few are."""
    sample = scores[::_STRIDE]
    # A sample may hold too few of the best by chance; a quarter more is three deviations away.
    place = len(sample) - (count + count // 4) // _STRIDE - _MORE
    if place > 0:
        low = np.partition(sample, place)[place]
        rows = np.flatnonzero(scores >= low)
        if low > -np.inf and len(rows) >= count:
            return rows
    return np.flatnonzero(scores > -np.inf)


def first_allowed(rows: Ints, excluded: Ints, count: int) -> Ints:
    """Places in ``rows`` of the first ``count`` that are not excluded, int64.

    Args:
        rows: the best first; whatever lies behind ``count + len(excluded)`` is not looked at.
        excluded: ascending.
        count: at most so many.

    >>> first_allowed(np.array([5, 2, 9, 4]), np.array([2, 7]), 2)
    array([0, 2])
    """
    head = rows[: count + len(excluded)]
    at = np.searchsorted(excluded, head)
    return np.flatnonzero(np.append(excluded, -1)[at] != head)[:count]


def _known_events(events: Events, videos: int) -> Events:
    usable = (
        (events.video >= 0)
        & (events.video < videos)
        & (events.kind >= 0)
        & (events.kind < KINDS)
        & np.isfinite(events.day)
    )
    rows = np.flatnonzero(usable)
    if len(rows) == 0:
        return Events.none()
    video, kind, day = events.video[rows], events.kind[rows], events.day[rows]
    order = np.lexsort((day, kind, video))
    repeats = np.zeros(len(rows), np.bool_)
    repeats[order[1:]] = _steady(video[order]) & _steady(kind[order]) & _steady(day[order])
    if len(rows) == len(events) and not repeats.any():
        return events
    return Events(video[~repeats], kind[~repeats], day[~repeats])


def _steady(values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    return np.asarray(values[1:] == values[:-1])


def _known_rows(rows: Ints, number: int) -> Ints:
    known: Ints = np.unique(rows)
    return known[(known >= 0) & (known < number)]
