"""One user's history from KuaiRand's three lists of last videos: watched, long-watched, liked."""

from collections.abc import Sequence
from typing import Final, NamedTuple

LIST_LENGTH: Final = 50
"""How many of a user's last videos a list holds; a shorter list is complete."""


class Event(NamedTuple):
    """A row of a history; None where the lists do not say."""

    video: int
    long_view: bool | None
    like: bool | None


def history_events(
    watched: Sequence[int], long_watched: Sequence[int], liked: Sequence[int]
) -> list[Event]:
    """One user's history, oldest first, from the three lists of last videos.

    The lists hold the same events as far as they reach back, so the longest end of the long-watched
    list that can be found in the watched list, in order, is those events; so for the likes. What is
    left over has fallen out of the watched list and becomes older rows before it: likes are
    sought one by one, newest first, in the left-over long watches, and those found nowhere (liked
    without a long watch) come first of all.
    A list shorter than 50 is complete, so what it lacks did not happen; of a full one nobody knows.

    >>> for event in history_events([5, 6, 5], [4, 5], [4]):
    ...     print(*event)
    4 True True
    5 False False
    6 False False
    5 True False
    """
    long_at, old_long = _aligned(watched, long_watched)
    like_at, old_likes = _aligned(watched, liked)
    old_like_at, oldest = _sought(old_long, old_likes)
    no_long = None if len(long_watched) >= LIST_LENGTH else False
    no_like = None if len(liked) >= LIST_LENGTH else False
    return [
        *(Event(video, no_long, True) for video in oldest),
        *(
            Event(video, True, True if place in old_like_at else no_like)
            for place, video in enumerate(old_long)
        ),
        *(Event(video, place in long_at, place in like_at) for place, video in enumerate(watched)),
    ]


def _aligned(events: Sequence[int], subset: Sequence[int]) -> tuple[set[int], Sequence[int]]:
    """Places in ``events`` of the longest end of ``subset`` that runs through it, and the rest."""
    places: set[int] = set()
    at = len(events) - 1
    for left in range(len(subset), 0, -1):
        while at >= 0 and events[at] != subset[left - 1]:
            at -= 1
        if at < 0:
            return places, subset[:left]
        places.add(at)
        at -= 1
    return places, []


def _sought(events: Sequence[int], others: Sequence[int]) -> tuple[set[int], Sequence[int]]:
    """Places in ``events`` of those of ``others`` found there in order, and those not found."""
    places: set[int] = set()
    missing: list[int] = []
    end = len(events)
    for other in reversed(others):
        at = end - 1
        while at >= 0 and events[at] != other:
            at -= 1
        if at < 0:
            missing.insert(0, other)
        else:
            places.add(at)
            end = at
    return places, missing
