"""What clients report on the typed routes.

After a change that was decided, write the golden files anew with
`python tests/unit/wire/test_events.py`.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from shortlist.datasets.events import Kind
from shortlist.wire.events import (
    END_OF_TIME,
    Event,
    EventReceipt,
    EventsRequest,
    ForgetAnswer,
    HistoryAnswer,
    PastEvent,
    Receipt,
    TakedownAnswer,
    answer_to_body,
    events_from_body,
    events_to_body,
    history_from_body,
    id_from_path,
    receipts_from_body,
    receipts_to_body,
)
from shortlist.wire.reading import Reader
from shortlist.wire.refusals import MalformedError, encode_refusal

GOLDEN = Path(__file__).with_name("golden")
EVENTS = (
    Event(
        event_id="0d2f6b1e-6a4c-4f0e-9c7e-2f6f1f0a7a11",
        user_id=123,
        video_id=5,
        kind="watch",
        at=1_767_268_800.5,
        watch_seconds=12.5,
        request_id="4d0f0b2c",
        position=2,
        propensity=0.98,
    ),
    Event(event_id="e-2", user_id=123, video_id=41, kind="skip", at=1_767_268_801.0),
)
PLAIN = {"event_id": "e", "user_id": 1, "video_id": 2, "kind": "click", "at": 0}
HISTORY = HistoryAnswer(123, (PastEvent(5, "long_view", 1_767_268_800.5),))


def goldens() -> dict[str, bytes]:
    return {
        "events-request.json": events_to_body(EVENTS),
        "events-answer.json": receipts_to_body(EVENTS, (Receipt.ACCEPTED, Receipt.UNKNOWN_VIDEO)),
        "takedown-answer.json": answer_to_body(TakedownAnswer(5, True)),
        "forget-answer.json": answer_to_body(ForgetAnswer(123, True)),
        "history-answer.json": answer_to_body(HISTORY),
    }


def read(**changes: Any) -> Event:
    return events_from_body({"events": [PLAIN | changes]})[0]


@pytest.mark.parametrize("name", goldens())
def test_a_message_is_its_golden_file(name: str) -> None:
    assert orjson.loads(goldens()[name]) == json.loads((GOLDEN / name).read_bytes())


def test_the_golden_messages_are_read_as_they_were_meant() -> None:
    assert events_from_body((GOLDEN / "events-request.json").read_bytes()) == EVENTS
    assert receipts_from_body((GOLDEN / "events-answer.json").read_bytes()) == (
        EventReceipt(EVENTS[0].event_id, Receipt.ACCEPTED),
        EventReceipt("e-2", Receipt.UNKNOWN_VIDEO),
    )
    assert history_from_body((GOLDEN / "history-answer.json").read_bytes()) == HISTORY


def test_kinds_of_a_history_are_those_of_the_dataset() -> None:
    body = {"user_id": 1, "events": [{"video_id": 1, "kind": one.name.lower(), "at": 0}
                                     for one in Kind]}  # fmt: skip
    assert len(history_from_body(orjson.dumps(body)).events) == len(Kind)


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
IDS = st.integers(-(2**63), 2**63 - 1)
SECONDS = st.floats(0, 86_400)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Event,
            event_id=KEYS,
            user_id=IDS,
            video_id=IDS,
            kind=st.sampled_from(["impression", "click", "skip", "like"]),
            at=st.floats(0, END_OF_TIME),
            watch_seconds=st.none() | SECONDS,
            request_id=st.none() | KEYS,
            position=st.none() | st.integers(0, 2**15 - 1),
            propensity=st.none() | st.floats(0, 1, exclude_min=True),
        )
        | st.builds(
            Event, event_id=KEYS, user_id=IDS, video_id=IDS, kind=st.just("watch"),
            at=st.floats(0, END_OF_TIME), watch_seconds=SECONDS,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple)
)  # fmt: skip
def test_events_are_read_back(events: tuple[Event, ...]) -> None:
    assert events_from_body(events_to_body(events)) == events


def is_refused(wrong: bytes) -> MalformedError | None:
    """The refusal of a body; None where by chance it still is a report."""
    try:
        events_to_body(events_from_body(wrong))
    except MalformedError as error:
        return error
    return None


def test_five_thousand_malformed_reports_are_refused_by_field(wrong_bodies: Any) -> None:
    examples = [orjson.loads(events_to_body(EVENTS)), {"events": [PLAIN]}]
    for error in itertools.islice(filter(None, map(is_refused, wrong_bodies(examples, 4))), 5_000):
        assert error.field
        assert str(error).startswith(error.field)
        assert encode_refusal(error)[0] == 400


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (1_767_268_800, 1_767_268_800.0),
        (0.25, 0.25),
        ("2026-01-01T12:00:00Z", 1_767_268_800.0),
        ("2026-01-01t12:00:00.5z", 1_767_268_800.5),
        ("2026-01-01 14:00:00+02:00", 1_767_268_800.0),
        ("2026-01-01T06:30:00.000000-05:30", 1_767_268_800.0),
        ("1970-01-01T00:00:00Z", 0.0),
    ],
)
def test_a_time_may_be_written_so(at: Any, seconds: float) -> None:
    assert read(at=at).at == seconds


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"at": "2026-01-01T12:00:00"}, "events[0].at must be a time of RFC 3339 with its offset: "
         "2026-01-31T12:00:00Z"),
        ({"at": "2026-02-30T12:00:00Z"}, "events[0].at is no day of the calendar"),
        ({"at": "2026-01-01T12:00:00Z\n"}, "events[0].at must be a time of RFC 3339 with its "
         "offset: 2026-01-31T12:00:00Z"),
        ({"at": 1_767_268_800_000}, "events[0].at must lie from 1970 to 2100, in seconds"),
        ({"at": -1}, "events[0].at must lie from 1970 to 2100, in seconds"),
        ({"at": True}, "events[0].at must be a time of RFC 3339, or seconds since 1970-01-01"),
        ({"kind": "clik"}, "events[0].kind must be 'impression', 'click', 'watch', 'skip' or "
         "'like'"),
        ({"kind": "watch"}, "events[0].watch_seconds is missing: how long was it watched?"),
        ({"watch_seconds": -1}, "events[0].watch_seconds must be greater than or equal to 0"),
        ({"event_id": "x" * 65}, "events[0].event_id must match pattern '^[!-~]{1,64}$'"),
        ({"position": 2**15}, "events[0].position must be less than or equal to 32767"),
        ({"propensity": 0}, "events[0].propensity must be greater than 0"),
        ({"videoid": 2}, "events[0].videoid is unknown; did you mean video_id?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_event_is_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(**changes)
    assert str(caught.value) == message


def test_a_report_has_at_most_five_hundred_events() -> None:
    assert len(events_from_body({"events": [PLAIN] * 500})) == 500
    with pytest.raises(MalformedError, match="events must have at most 500 items, not 501"):
        events_from_body({"events": [PLAIN] * 501})


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"at": "2026-01-01T12:00:00Z"}, True),
        ({"at": "2026-01-01T12:00:00"}, False),
        ({"at": END_OF_TIME * 2}, False),
        ({"kind": "watch"}, False),
        ({"kind": "watch", "watch_seconds": None}, False),
        ({"kind": "watch", "watch_seconds": 3}, True),
        ({"event_id": "a b"}, False),
        ({"extra": 1}, False),
    ],
)
def test_the_schema_says_what_the_reader_does(changes: dict[str, Any], valid: bool) -> None:
    report = {"events": [PLAIN | changes]}
    schema = Reader(EventsRequest).schema
    assert Draft202012Validator(schema).is_valid(report) is valid
    assert (is_refused(orjson.dumps(report)) is None) is valid


@pytest.mark.parametrize("text", ["7", "-7", "9223372036854775807", "-9223372036854775808"])
def test_an_id_in_a_path_is_a_whole_number(text: str) -> None:
    assert str(id_from_path(text, "user_id")) == text


@pytest.mark.parametrize("text", ["", "7.0", "x", " 7", "7\n", "9223372036854775808", "\u0663"])
def test_another_id_in_a_path_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        id_from_path(text, "video_id")
    assert caught.value.field == "video_id"


if __name__ == "__main__":
    for name, content in goldens().items():
        GOLDEN.joinpath(name).write_bytes(
            orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2) + b"\n"
        )
