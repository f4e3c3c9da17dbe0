"""What clients report and ask on the typed routes: events, takedowns, histories, and forgetting."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from shortlist.wire.reading import Body, Id, Key, Message, Reader, loads
from shortlist.wire.refusals import MalformedError

EVENTS_PATH: Final = "/v1/events"
TAKEDOWN_PATH: Final = "/v1/videos/{id}/takedown"
FORGET_PATH: Final = "/v1/users/{id}/forget"
HISTORY_PATH: Final = "/v1/users/{id}/history"

MOST_EVENTS: Final = 500
LAST_POSITION: Final = 2**15 - 1
LONGEST_WATCH: Final = 86_400.0
END_OF_TIME: Final = dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp()
"""Later than any event; whoever sends milliseconds is far behind it."""

_RFC_3339: Final = (
    r"^(19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_TIME: Final = re.compile(_RFC_3339.replace("$", r"\Z"))


def _seconds(value: object) -> float:
    """Seconds since 1970-01-01 of a time that a client wrote."""
    if isinstance(value, str):
        if not _TIME.match(value):
            raise PydanticCustomError(
                "time", "must be a time of RFC 3339 with its offset: 2026-01-31T12:00:00Z"
            )
        try:
            found = dt.datetime.fromisoformat(value.upper()).timestamp()
        except (ValueError, OverflowError) as error:
            raise PydanticCustomError("time", "is no day of the calendar") from error
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    else:
        raise PydanticCustomError("time", "must be a time of RFC 3339, or seconds since 1970-01-01")
    if not 0 <= found <= END_OF_TIME:
        raise PydanticCustomError("time", "must lie from 1970 to 2100, in seconds")
    return found


Time = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": END_OF_TIME},
                {"type": "string", "pattern": _RFC_3339},
            ],
            "description": "RFC 3339 with its offset, or seconds since 1970-01-01.",
        }
    ),
]
"""Seconds since 1970-01-01."""

EventKind = Literal["impression", "click", "watch", "skip", "like"]


class Event(Message):
    """Something that a user did with a video."""

    model_config = Message.model_config | {
        "json_schema_extra": {
            "if": {"properties": {"kind": {"const": "watch"}}, "required": ["kind"]},
            "then": {
                "properties": {"watch_seconds": {"type": "number"}},
                "required": ["watch_seconds"],
            },
        }
    }

    event_id: Key = Field(description="Chosen by the client; the same event has the same id.")
    user_id: Id
    video_id: Id
    kind: EventKind
    at: Time
    watch_seconds: (
        Annotated[float, Field(strict=True, ge=0, le=LONGEST_WATCH, allow_inf_nan=False)] | None
    ) = Field(default=None, validate_default=True, description="Asked for with kind watch.")
    request_id: Key | None = Field(default=None, description="Of the page it stood on.")
    position: Annotated[int, Field(strict=True, ge=0, le=LAST_POSITION)] | None = Field(
        default=None, description="Its position there."
    )
    propensity: Annotated[float, Field(strict=True, gt=0, le=1)] | None = Field(
        default=None, description="Its propensity there."
    )

    @field_validator("watch_seconds")
    @classmethod
    def _a_watch_has_seconds(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None and info.data.get("kind") == "watch":
            raise PydanticCustomError("seconds", "is missing: how long was it watched?")
        return value


class EventsRequest(Message):
    """The body that reports events, in any order."""

    events: tuple[Event, ...] = Field(min_length=1, max_length=MOST_EVENTS)


class Receipt(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """One of this id is already there; nothing changed."""
    UNKNOWN_VIDEO = "unknown_video"


@dataclass(frozen=True, slots=True)
class EventReceipt:
    """What became of one event."""

    event_id: str
    status: Receipt


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """One receipt for each event, in order."""

    events: tuple[EventReceipt, ...]


@dataclass(frozen=True, slots=True)
class TakedownAnswer:
    """Whether a video is taken down now."""

    video_id: Id
    taken_down: bool


@dataclass(frozen=True, slots=True)
class ForgetAnswer:
    """A user of whom nothing is kept any more."""

    user_id: Id
    forgotten: bool


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One event of a history.

    Attributes:
        video_id: as in the dataset.
        kind: `shortlist.datasets.events.Kind` in small letters.
        at: seconds since 1970-01-01.
    """

    video_id: Id
    kind: Literal["shown", "skip", "click", "long_view", "like"]
    at: float


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """What is kept of a user, the oldest event first."""

    user_id: Id
    events: tuple[PastEvent, ...]


_EVENTS: Final = Reader(EventsRequest)
_RECEIPTS: Final = Reader(EventsAnswer)
_HISTORIES: Final = Reader(HistoryAnswer)
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def events_from_body(body: Body) -> tuple[Event, ...]:
    """The events of a body.

    Raises:
        TooLargeError: it is too long.
        MalformedError: anything else is wrong with it; the field is named.
    """
    return _EVENTS.body(body).events


def events_to_body(events: Sequence[Event]) -> bytes:
    """The body that reports ``events``."""
    told = [event.model_dump(exclude_defaults=True) for event in events]
    return orjson.dumps({"events": told})


def receipts_to_body(events: Sequence[Event], statuses: Sequence[Receipt]) -> bytes:
    """The body that answers a report.

    Args:
        events: as they were reported.
        statuses: one for each.
    """
    receipts = [
        EventReceipt(event.event_id, status) for event, status in zip(events, statuses, strict=True)
    ]
    return orjson.dumps({"events": receipts})


def receipts_from_body(body: bytes) -> tuple[EventReceipt, ...]:
    """The receipts of an answer.

    Raises:
        MalformedError: it is none.
    """
    return _RECEIPTS.value(loads(body, len(body)), ()).events


def history_from_body(body: bytes) -> HistoryAnswer:
    """The history of an answer.

    Raises:
        MalformedError: it is none.
    """
    return _HISTORIES.value(loads(body, len(body)), ())


def answer_to_body(answer: TakedownAnswer | ForgetAnswer | HistoryAnswer) -> bytes:
    """The body of a typed answer."""
    return orjson.dumps(answer)


def id_from_path(text: str, field: str) -> int:
    """The id that a path names.

    Args:
        text: the part of the path.
        field: what it names: ``user_id`` or ``video_id``.

    Raises:
        MalformedError: it is no whole number of 64 bits.

    >>> id_from_path("-7", "user_id")
    -7
    """
    if _INTEGER.fullmatch(text):
        found = int(text)
        if -(2**63) <= found < 2**63:
            return found
    raise MalformedError(field, "must be a whole number of 64 bits")
