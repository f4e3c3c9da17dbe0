"""Entries of the event log as bytes: events, served pages, and what is to be undone.

An entry begins with its layout's version, its type, the user and the time, so that a script in
Redis can find a user's entries without reading further.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from math import isnan
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from shortlist.datasets.events import Kind
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.errors import CorruptError
from shortlist.online.packing import LAYOUT, text, text_at

LONG_VIEW_SECONDS: Final = 18.0
"""A view is long when it lasts this long, or the whole of a shorter video."""
SKIP_SECONDS: Final = 2.0
"""A view shorter than this is a skip."""

_HEAD: Final = struct.Struct("<BBqd")
_EVENT: Final = struct.Struct("<qBfhd")
_SLOT: Final = np.dtype(
    [("video", "<i8"), ("position", "<i2"), ("propensity", "<f8"), ("random", "?")]
)
_PAGE: Final = struct.Struct("<?H")

T = TypeVar("T")


class Action(IntEnum):
    """What a client reports; the values are stored and never change."""

    IMPRESSION = 0
    CLICK = 1
    WATCH = 2
    SKIP = 3
    LIKE = 4


class EntryType(IntEnum):
    """What an entry is; the values are stored and never change."""

    EVENT = 1
    PAGE = 2
    FORGET = 3
    TAKEDOWN = 4
    RESTORE = 5


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user did with a video.

    Attributes:
        event_id: of the client; an event that bears it again is the same event.
        user: id.
        video: id.
        action: what was reported.
        at: when, in seconds since 1970-01-01.
        kind: what it makes of the event in a history; see `kind_of`.
        watch_seconds: how long, where it is known.
        request_id: of the page that showed the video; empty where unknown.
        session_id: as the client calls it; empty where unknown.
        position: place in the session, from 0; None where unknown.
        propensity: probability that the video stood there; None where unknown.
    """

    event_id: str
    user: int
    video: int
    action: Action
    at: float
    kind: Kind
    watch_seconds: float | None = None
    request_id: str = ""
    session_id: str = ""
    position: int | None = None
    propensity: float | None = None


@dataclass(frozen=True, slots=True)
class ServedPage:
    """What a page showed, for the impressions that will be reported of it.

    Attributes:
        request_id: of the page; one that is logged again is the same page.
        user: id.
        at: when it was made, in seconds since 1970-01-01.
        video: ids, int64 [n].
        position: places in the session, from 0, int16 [n].
        propensity: probability that each stood there, float64 [n].
        random: shown by chance alone, uniformly over what could be shown, bool [n].
        bundle: id of the bundle; empty where a fallback made the page.
        session_id: as the client calls it; empty where unknown.
        experiment: key of the experiment; empty where there is none.
        context: float32 [32]; None where unknown.
    """

    request_id: str
    user: int
    at: float
    video: npt.NDArray[np.int64]
    position: npt.NDArray[np.int16]
    propensity: npt.NDArray[np.float64]
    random: npt.NDArray[np.bool_]
    bundle: str = ""
    session_id: str = ""
    experiment: str = ""
    context: npt.NDArray[np.float32] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Note:
    """A user to be forgotten, or a video taken down or restored.

    Attributes:
        type: ``FORGET``, ``TAKEDOWN`` or ``RESTORE``.
        subject: id of the user or the video.
        at: when, in seconds since 1970-01-01.
    """

    type: EntryType
    subject: int
    at: float


Entry = Event | ServedPage | Note


def kind_of(
    action: Action, watch_seconds: float | None = None, duration_seconds: float | None = None
) -> Kind:
    """What an action makes of an event in a history; of several the strongest counts.

    Args:
        action: what was reported.
        watch_seconds: how long, where it is known.
        duration_seconds: of the video, where it is known.

    >>> kind_of(Action.WATCH, 9.0, 8.0).name, kind_of(Action.WATCH, 9.0, 60.0).name
    ('LONG_VIEW', 'SHOWN')
    """
    simple = {Action.CLICK: Kind.CLICK, Action.SKIP: Kind.SKIP, Action.LIKE: Kind.LIKE}
    if action is not Action.WATCH or watch_seconds is None:
        return simple.get(action, Kind.SHOWN)
    if watch_seconds >= long_view_from(duration_seconds):
        return Kind.LONG_VIEW
    return Kind.SKIP if watch_seconds < SKIP_SECONDS else Kind.SHOWN


def long_view_from(duration_seconds: float | None) -> float:
    """Seconds from which on a view of a video is long."""
    if duration_seconds is None or not duration_seconds > 0:
        return LONG_VIEW_SECONDS
    return min(LONG_VIEW_SECONDS, duration_seconds)


def pack_entry(entry: Entry) -> bytes:
    """As it stands in the log.

    Raises:
        InputError: a text is longer than 255 bytes.
    """
    if isinstance(entry, Note):
        return _HEAD.pack(LAYOUT, entry.type, entry.subject, entry.at)
    if isinstance(entry, Event):
        head = _HEAD.pack(LAYOUT, EntryType.EVENT, entry.user, entry.at)
        facts = _EVENT.pack(
            entry.video,
            entry.action,
            _or(entry.watch_seconds, float("nan")),
            _or(entry.position, -1),
            _or(entry.propensity, float("nan")),
        )
        return (
            head
            + facts
            + b"".join(map(text, (entry.event_id, entry.request_id)))
            + text(entry.session_id)
        )
    head = _HEAD.pack(LAYOUT, EntryType.PAGE, entry.user, entry.at)
    names = (entry.request_id, entry.session_id, entry.bundle, entry.experiment)
    slots = np.zeros(len(entry.video), _SLOT)
    for name in ("video", "position", "propensity", "random"):
        slots[name] = getattr(entry, name)
    context = b"" if entry.context is None else entry.context.astype("<f4").tobytes()
    facts = _PAGE.pack(entry.context is not None, len(slots))
    return head + b"".join(map(text, names)) + facts + context + slots.tobytes()


def unpack_entry(wire: bytes) -> Entry:
    """What `pack_entry` wrote; an event's kind is not in the log, and is that of its action.

    Raises:
        CorruptError: it is damaged or of another layout.
    """
    try:
        layout, kind, user, at = _HEAD.unpack_from(wire)
        if layout != LAYOUT:
            raise ValueError(f"its layout is {layout}")
        rest = wire[_HEAD.size :]
        if kind == EntryType.EVENT:
            return _event(user, at, rest)
        if kind == EntryType.PAGE:
            return _page(user, at, rest)
        return Note(EntryType(kind), user, at)
    except (ValueError, IndexError, struct.error) as error:
        raise CorruptError(f"an entry of the log cannot be read ({error})") from error


def _event(user: int, at: float, wire: bytes) -> Event:
    video, action, watch, position, propensity = _EVENT.unpack_from(wire)
    event_id, place = text_at(wire, _EVENT.size)
    request_id, place = text_at(wire, place)
    session_id, _ = text_at(wire, place)
    watched = None if isnan(watch) else watch
    return Event(
        event_id=event_id,
        user=user,
        video=video,
        action=Action(action),
        at=at,
        kind=kind_of(Action(action), watched),
        watch_seconds=watched,
        request_id=request_id,
        session_id=session_id,
        position=None if position < 0 else position,
        propensity=None if isnan(propensity) else propensity,
    )


def _page(user: int, at: float, wire: bytes) -> ServedPage:
    place, names = 0, []
    for _ in range(4):
        name, place = text_at(wire, place)
        names.append(name)
    request_id, session_id, bundle, experiment = names
    has_context, count = _PAGE.unpack_from(wire, place)
    place += _PAGE.size
    context = None
    if has_context:
        context = np.frombuffer(wire, "<f4", CONTEXT_WIDTH, place).astype(np.float32)
        place += 4 * CONTEXT_WIDTH
    slots = np.frombuffer(wire, _SLOT, count, place)
    return ServedPage(
        request_id=request_id,
        user=user,
        at=at,
        video=slots["video"].astype(np.int64),
        position=slots["position"].astype(np.int16),
        propensity=slots["propensity"].astype(np.float64),
        random=slots["random"].copy(),
        bundle=bundle,
        session_id=session_id,
        experiment=experiment,
        context=context,
    )


def _or(value: T | None, missing: T) -> T:
    return missing if value is None else value
