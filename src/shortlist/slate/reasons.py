"""Why a video stands on the page: one short sentence, and never a false one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.events import Events, Kind
from shortlist.datasets.origins import Origin
from shortlist.slate.kernel import SlateItems, listed_tags

Ints = npt.NDArray[np.int64]

# Numbers, since asking an enumeration for its members takes Python longer than comparing them.
_CLICK: Final = int(Kind.CLICK)
_LONG_VIEW: Final = int(Kind.LONG_VIEW)
_LIKE: Final = int(Kind.LIKE)
_POPULARITY: Final = int(Origin.POPULARITY)
_COLLABORATIVE: Final = int(Origin.COLLABORATIVE)
_VECTOR: Final = int(Origin.VECTOR)


class Why(IntEnum):
    """Kinds of reasons, the most telling first; the values cross the wire and never change."""

    EXPLORED = 1
    LIKED_CREATOR = 2
    LIKED_TAG = 3
    WATCHED_CREATOR = 4
    WATCHED_TAG = 5
    CHOSEN_TAG = 11
    SIMILAR_VIEWERS = 6
    NEAR_HISTORY = 7
    NEW = 8
    POPULAR = 9
    RANKED = 10


TEMPLATES: Final = MappingProxyType(
    {
        Why.EXPLORED: "Something different to try",
        Why.LIKED_CREATOR: "You liked a video by this creator",
        Why.LIKED_TAG: "You liked a video tagged {tag}",
        Why.WATCHED_CREATOR: "You watched a video by this creator",
        Why.WATCHED_TAG: "You watched a video tagged {tag}",
        Why.CHOSEN_TAG: "Because you chose {tag}",
        Why.SIMILAR_VIEWERS: "Suggested by what viewers like you watch",
        Why.NEAR_HISTORY: "Suggested by what you watched",
        Why.NEW: "New",
        Why.POPULAR: "Popular now",
        Why.RANKED: "Picked for you",
    }
)
"""What a viewer reads."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind of reason, and the tag it speaks of."""

    why: Why
    tag: str = ""

    def __str__(self) -> str:
        """As a viewer reads it."""
        return TEMPLATES[self.why].format(tag=self.tag)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whom the page is for, as far as reasons go.

    Attributes:
        events: what the viewer did, the oldest first.
        day: days since 1970-01-01 at which the page is drawn, fractions allowed.
        interests: names of the tags that the viewer declared.
    """

    events: Events
    day: float
    interests: Collection[str] = ()


def reasons(
    items: SlateItems,
    viewer: Viewer,
    video: Ints,
    sources: npt.NDArray[np.uint8],
    drawn: npt.NDArray[np.bool_],
    new_days: float,
) -> tuple[Reason, ...]:
    """The most telling true reason for each video.

    Args:
        items: of all videos.
        viewer: whom the page is for.
        video: rows of the page's videos, int64 [k].
        sources: bits of `Origin`, uint8 [k].
        drawn: whether exploration put the video there, bool [k].
        new_days: days after its upload during which a video is new.

    Returns:
        One for each video, in order.
    """
    events = viewer.events
    liked = _distinct(events.video[events.kind == _LIKE])
    # A like does not say how long the video was watched.
    watched = _distinct(events.video[events.kind == _LONG_VIEW])
    has_watched = bool((events.kind >= _CLICK).any())
    # All at once: asking for the tags of one video takes as long as for those of all.
    place, tag = listed_tags(items.tags, np.concatenate([video, liked, watched]))
    slots = len(video)
    border = place.searchsorted(np.append(np.arange(slots + 1), slots + len(liked))).tolist()
    first, second = border[slots:]
    number, tag_of_page = len(items.tag_names), tag[:first]
    of_liked = np.bincount(tag[first:second], minlength=number)[tag_of_page].tolist()
    of_watched = np.bincount(tag[second:], minlength=number)[tag_of_page].tolist()
    liked_creators, watched_creators = _creators(items, liked), _creators(items, watched)
    tags = tag_of_page.tolist()
    interests = frozenset(viewer.interests)
    names = [items.tag_names[one] for one in tags] if interests else []
    age = viewer.day - items.upload_day[video]
    new = ((age >= 0) & (age < new_days)).tolist()
    popular = [False] * len(video) if items.popular is None else items.popular[video].tolist()
    creators = items.creator[video].tolist()
    found = []
    for slot, (bits, explored) in enumerate(zip(sources.tolist(), drawn.tolist(), strict=True)):
        own = slice(border[slot], border[slot + 1])
        if explored:
            reason = Reason(Why.EXPLORED)
        elif creators[slot] in liked_creators:
            reason = Reason(Why.LIKED_CREATOR)
        elif any(of_liked[own]):
            shared = _commonest(tags[own], of_liked[own])
            reason = Reason(Why.LIKED_TAG, items.tag_names[shared])
        elif creators[slot] in watched_creators:
            reason = Reason(Why.WATCHED_CREATOR)
        elif any(of_watched[own]):
            shared = _commonest(tags[own], of_watched[own])
            reason = Reason(Why.WATCHED_TAG, items.tag_names[shared])
        elif chosen := [name for name in names[own] if name in interests]:
            reason = Reason(Why.CHOSEN_TAG, chosen[0])
        else:
            reason = _from_source(bits, has_watched, new=new[slot], popular=popular[slot])
        found.append(reason)
    return tuple(found)


def _distinct(video: Ints) -> Ints:
    """Each video once, in any order; for so few quicker than sorting an array."""
    return np.array(list(set(video.tolist())), np.int64)


def _creators(items: SlateItems, video: Ints) -> set[int]:
    """Who made some videos, as far as known."""
    return set(items.creator[video].tolist()) - {-1}


def _commonest(tags: Sequence[int], counts: Sequence[int]) -> int:
    """The tag that counts most, of equals the first."""
    return tags[counts.index(max(counts))]


def _from_source(sources: int, has_watched: bool, *, new: bool, popular: bool) -> Reason:
    # Without a history these two sources answer with what suits anybody.
    if sources & _COLLABORATIVE and has_watched:
        return Reason(Why.SIMILAR_VIEWERS)
    if sources & _VECTOR and has_watched:
        return Reason(Why.NEAR_HISTORY)
    if new:
        return Reason(Why.NEW)
    # Of a small catalogue everything is recalled, the least liked with the best.
    if sources & _POPULARITY and popular:
        return Reason(Why.POPULAR)
    return Reason(Why.RANKED)
