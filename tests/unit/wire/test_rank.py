"""What transformer and predictor say to each other.

After a change that was decided, write the golden files anew with
`python tests/unit/wire/test_rank.py`.
"""

import dataclasses
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.events import Events, Kind
from shortlist.wire import rank
from shortlist.wire.arrays import encode_array
from shortlist.wire.rank import (
    RankAnswer,
    RankRequest,
    decode_answers,
    decode_requests,
    encode_answers,
    encode_requests,
)
from shortlist.wire.refusals import (
    BadAnswerError,
    MalformedError,
    NotReadyError,
    OverBudgetError,
    TooLargeError,
    encode_refusal,
)

GOLDEN = Path(__file__).with_name("golden")
BUNDLE = "0123456789abcdef0123456789abcdef"
CONTEXT = np.zeros(32, np.float32)
CONTEXT[18] = 1
REQUEST = RankRequest.of(
    bundle=BUNDLE,
    budget_ms=72.5,
    day=20_454.75,
    candidates=np.array([7, 0, 41]),
    history=Events(
        np.array([5, 41]), np.array([Kind.CLICK, Kind.LIKE], np.int8), np.array([20_450.5, 20_454])
    ),
    profile=np.array([1, 0, -0.25], np.float32),
    context=CONTEXT,
    session=np.array([41]),
    trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
ANSWER = RankAnswer(
    bundle=BUNDLE,
    listed=np.array([2, 0], np.int32),
    click=np.array([0.5, -1.25], np.float32),
    diversity=np.array([0.75, 0], np.float32),
    milliseconds={"encode": 0.25, "prerank": 1.5, "rank": 2.0},
)


def same(one: Any, other: Any) -> bool:
    """Whether two messages hold the same values in the same dtypes."""
    pairs = [
        (getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
    ]
    return all(
        a.dtype == b.dtype and np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
        for a, b in pairs
    )


def wire(message: RankRequest | RankAnswer) -> dict[str, Any]:
    if isinstance(message, RankRequest):
        found: dict[str, Any] = orjson.loads(encode_requests([message]))["instances"][0]
    else:
        found = orjson.loads(encode_answers([message]))["predictions"][0]
    return found


def body(**changes: Any) -> bytes:
    fields = {name: value for name, value in (wire(REQUEST) | changes).items() if value is not ...}
    return orjson.dumps({"instances": [fields]})


def refused(wrong: bytes) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        decode_requests(wrong)
    return caught.value


def error_of(wrong: bytes) -> MalformedError | None:
    """The refusal of a body; None where by chance it still is a request."""
    try:
        encode_requests(decode_requests(wrong))
    except MalformedError as error:
        return error
    return None


def goldens() -> dict[str, bytes]:
    return {
        "rank-request.json": encode_requests([REQUEST]),
        "rank-answer.json": encode_answers([ANSWER]),
        "rank-refusal.json": encode_refusal(
            OverBudgetError("2.0 ms are left, ranking takes 4.1 ms")
        )[1],
    }


@pytest.mark.parametrize("name", goldens())
def test_a_message_is_its_golden_file(name: str) -> None:
    assert orjson.loads(goldens()[name]) == json.loads((GOLDEN / name).read_bytes())


def test_the_golden_request_is_read_as_it_was_meant() -> None:
    (found,) = decode_requests((GOLDEN / "rank-request.json").read_bytes())
    assert same(found, REQUEST)
    assert found.candidates.tolist() == [7, 0, 41]
    assert found.history.kind.tolist() == [2, 4]
    assert found.history.day.tolist() == [20_450.5, 20_454.0]


def test_the_golden_answer_is_read_as_it_was_meant() -> None:
    (found,) = decode_answers(200, (GOLDEN / "rank-answer.json").read_bytes(), [REQUEST])
    assert same(found, ANSWER)


def test_the_golden_refusal_is_raised() -> None:
    with pytest.raises(OverBudgetError, match=r"^2\.0 ms are left, ranking takes 4\.1 ms$"):
        decode_answers(504, (GOLDEN / "rank-refusal.json").read_bytes(), [REQUEST])


EDGES = np.array([0, -0.0, 1e6, -1e6, 1e-30, 0.5])


def some_floats(rng: np.random.Generator, size: int, dtype: str) -> np.ndarray:
    return np.where(rng.random(size) < 0.3, rng.choice(EDGES, size), rng.normal(0, 9, size)).astype(
        dtype
    )


def some_rows(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.choice([0, 1, 255, 256, 50_000, 2**31 - 1], size).astype(np.int32)


@st.composite
def requests(draw: st.DrawFn) -> RankRequest:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    events = draw(st.integers(0, 500))
    return RankRequest(
        bundle=draw(st.text("abc012", min_size=1, max_size=32)),
        budget_ms=draw(st.floats(-1e6, 1e6)),
        day=draw(st.floats(-1e6, 1e6)),
        candidates=some_rows(rng, draw(st.integers(1, 2_000))),
        history_video=some_rows(rng, events),
        history_kind=rng.integers(0, 5, events).astype(np.uint8),
        history_day=some_floats(rng, events, "<f8"),
        profile=some_floats(rng, draw(st.integers(0, 40)), "<f4"),
        context=some_floats(rng, 32, "<f4"),
        session=some_rows(rng, draw(st.integers(0, 500))),
        trace=draw(st.none() | st.just(REQUEST.trace)),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=3))
def test_requests_are_read_back(asked: list[RankRequest]) -> None:
    found = decode_requests(encode_requests(asked))
    assert all(same(one, other) for one, other in zip(found, asked, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_answers_are_read_back(data: st.DataObject) -> None:
    asked = data.draw(requests())
    rng = np.random.default_rng(len(asked.candidates))
    listed = rng.permutation(len(asked.candidates))[: data.draw(st.integers(0, 120))]
    answer = RankAnswer(
        bundle=asked.bundle,
        listed=listed.astype(np.int32),
        click=some_floats(rng, len(listed), "<f4"),
        diversity=some_floats(rng, len(listed), "<f4"),
        milliseconds=dict.fromkeys(rank.STAGES, 0.5),
    )
    (found,) = decode_answers(200, encode_answers([answer]), [asked])
    assert same(found, answer)


def test_ten_thousand_malformed_requests_are_refused_by_field(wrong_bodies: Any) -> None:
    two = {"instances": [wire(REQUEST), wire(REQUEST)]}
    refusals = (error_of(wrong) for wrong in wrong_bodies([{"instances": [wire(REQUEST)]}, two], 1))
    for error in itertools.islice(filter(None, refusals), 10_000):
        assert error.field
        assert str(error).startswith(error.field)
        assert encode_refusal(error)[0] == 400


def test_whatever_a_predictor_answers_is_an_answer_or_a_refusal(wrong_bodies: Any) -> None:
    refusals = 0
    for wrong in itertools.islice(wrong_bodies([{"predictions": [wire(ANSWER)]}], 2), 2_000):
        try:
            decode_answers(200, wrong, [REQUEST])
        except BadAnswerError:
            refusals += 1
    assert 1_500 < refusals < 2_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": ...}, "instances[0].candidates is missing"),
        ({"sesion": ""}, "instances[0].sesion is unknown; did you mean session?"),
        ({"bundle": 7}, "instances[0].bundle must be a string"),
        ({"bundle": ""}, "instances[0].bundle must be 1 to 256 printable ASCII signs"),
        ({"trace": "a\nb"}, "instances[0].trace must be 1 to 256 printable ASCII signs"),
        ({"budget_ms": True}, "instances[0].budget_ms must be a number"),
        ({"day": 1e300}, "instances[0].day is 1e+300; at most 1000000 either way"),
        ({"candidates": [1]}, "instances[0].candidates must be a string: base64 of little-endian "
         "int32"),
        ({"candidates": "?"}, "instances[0].candidates is no base64"),
        ({"candidates": "\u00e9\u00e9\u00e9\u00e9"}, "instances[0].candidates is no base64"),
        ({"candidates": "AAAA"}, "instances[0].candidates holds 3 bytes, no whole number of "
         "int32"),
        ({"candidates": ""}, "instances[0].candidates is empty; name what to rank"),
        ({"candidates": encode_array(np.zeros(2_001), "<i4")},
         "instances[0].candidates holds more than 2000 values"),
        ({"candidates": encode_array(np.zeros(9_000), "<i4")},
         "instances[0].candidates holds more than 2000 values"),
        ({"candidates": encode_array(np.array([3, -2]), "<i4")},
         "instances[0].candidates holds -2; rows start at 0"),
        ({"session": encode_array(np.array([-1]), "<i4")},
         "instances[0].session holds -1; rows start at 0"),
        ({"history_kind": encode_array(np.array([1, 5]), "|u1")},
         "instances[0].history_kind holds 5; at most 4"),
        ({"history_kind": encode_array(np.array([1]), "|u1")},
         "instances[0].history_kind has 1 values, not 2"),
        ({"history_day": encode_array(np.array([1, math.nan]), "<f8")},
         "instances[0].history_day holds what is no number of at most 1000000 either way"),
        ({"history_video": encode_array(np.zeros(501), "<i4")},
         "instances[0].history_video holds more than 500 values"),
        ({"profile": encode_array(np.array([math.inf]), "<f4")},
         "instances[0].profile holds what is no number of at most 1000000 either way"),
        ({"context": encode_array(np.zeros(31), "<f4")},
         "instances[0].context has 31 values, not 32"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_field_is_said(changes: dict[str, Any], message: str) -> None:
    error = refused(body(**changes))
    assert str(error) == message
    assert error.field == f"instances[0].{next(iter(changes))}"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"instances": 1, "instance": 2}', "body.instance"),
        (b'{"instances": []}', "instances"),
        (b'{"instances": [7]}', "instances[0]"),
        (b"[" * 5_000, "body"),
    ],
)
def test_what_is_wrong_with_the_body_is_said(wrong: bytes, field: str) -> None:
    assert refused(wrong).field == field


def test_a_body_past_all_bounds_is_not_even_parsed() -> None:
    with pytest.raises(TooLargeError, match="1048577 bytes, at most 1048576"):
        decode_requests(b"x" * 1_048_577)


def test_seventeen_requests_are_too_many() -> None:
    assert len(decode_requests(encode_requests([REQUEST] * 16))) == 16
    assert refused(encode_requests([REQUEST] * 17)).field == "instances"


def test_a_thousand_candidates_take_about_seven_kilobytes() -> None:
    events = Events(np.arange(50), np.zeros(50, np.int8), np.arange(50.0))
    large = dataclasses.replace(
        REQUEST,
        candidates=np.arange(1_000, dtype=np.int32),
        history_video=events.video.astype(np.int32),
        history_kind=np.zeros(50, np.uint8),
        history_day=events.day,
        profile=np.zeros(100, np.float32),
    )
    assert 6_500 < len(encode_requests([large])) < 7_500


def test_only_the_last_events_cross() -> None:
    events = Events(np.arange(600), np.zeros(600, np.int8), np.arange(600.0))
    asked = RankRequest.of(
        bundle=BUNDLE, budget_ms=1, day=1, candidates=np.array([1]), history=events,
        profile=REQUEST.profile, context=CONTEXT, session=np.arange(501),
    )  # fmt: skip
    (found,) = decode_requests(encode_requests([asked]))
    assert found.history_video.tolist() == list(range(100, 600))
    assert found.session.tolist() == list(range(1, 501))


def test_a_request_fits_the_table_it_names() -> None:
    REQUEST.fit(videos=42, profile_width=3)
    with pytest.raises(MalformedError, match=rf"candidates holds row 41, but bundle {BUNDLE} has"):
        REQUEST.fit(videos=41, profile_width=3)
    with pytest.raises(MalformedError, match=r"profile has 3 values, but bundle .* takes 4"):
        REQUEST.fit(videos=42, profile_width=4)
    session = dataclasses.replace(REQUEST, candidates=np.array([1]), history_video=np.array([1]))
    with pytest.raises(MalformedError, match="session holds row 41"):
        session.fit(videos=41, profile_width=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bundle": "b"}, "is b, but"),
        ({"listed": encode_array(np.array([3, 0]), "<i4")}, "listed holds place 3 of 3"),
        ({"listed": encode_array(np.array([1, 1]), "<i4")}, "listed holds a place twice"),
        ({"click": encode_array(np.zeros(1), "<f4")}, "click has 1 values, not 2"),
        ({"diversity": encode_array(np.array([0, np.nan]), "<f4")}, "diversity holds what is no"),
        ({"milliseconds": {"encode": 1, "rank": 1}}, "milliseconds.prerank is missing"),
    ],
)
def test_an_answer_to_another_request_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadAnswerError, match=message):
        decode_answers(
            200, orjson.dumps({"predictions": [wire(ANSWER) | changes]}), [REQUEST]
        )  # fmt: skip


def test_fields_that_a_later_predictor_adds_are_ignored() -> None:
    later = wire(ANSWER) | {"device": "gpu"}
    assert decode_answers(200, orjson.dumps({"predictions": [later]}), [REQUEST])


def test_as_many_answers_as_requests_are_wanted() -> None:
    with pytest.raises(BadAnswerError, match="must be a list of 2 answers"):
        decode_answers(200, encode_answers([ANSWER]), [REQUEST, REQUEST])


def test_a_server_that_speaks_for_itself_is_understood() -> None:
    torchserve = b'{"code": 503, "type": "ServiceUnavailableException", "message": "no worker"}'
    with pytest.raises(NotReadyError, match="HTTP 503: no worker"):
        decode_answers(503, torchserve, [REQUEST])


if __name__ == "__main__":
    for name, content in goldens().items():
        GOLDEN.joinpath(name).write_bytes(
            orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2) + b"\n"
        )
