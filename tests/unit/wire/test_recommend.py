"""What a client says to the transformer and gets, by V1 and V2.

After a change that was decided, write the golden files anew with
`python tests/unit/wire/test_recommend.py`.
"""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.origins import Origin
from shortlist.datasets.schema import CONTEXT_FEATURES
from shortlist.recall.source import SOURCES
from shortlist.wire.causes import Cause
from shortlist.wire.reading import Reader
from shortlist.wire.recommend import (
    Page,
    RecommendRequest,
    ShownVideo,
    V1Answer,
    V1Request,
    pages_from_v1,
    pages_to_v1,
    requests_from_v1,
    requests_to_v1,
    source_names,
)
from shortlist.wire.refusals import MalformedError, TooLargeError, encode_refusal
from shortlist.wire.tensors import (
    Tensor,
    V2Answer,
    V2Request,
    pages_from_v2,
    pages_to_v2,
    requests_from_tensors,
    requests_from_v2,
    requests_to_v2,
)

GOLDEN = Path(__file__).with_name("golden")
ASKED = (
    RecommendRequest(
        user_id=123,
        context={"evening": 1.0, "wifi": 1.0, "session_depth": 0.3},
        page_size=2,
        exclude=(9, 77),
        session_id="s-41",
        page=1,
        experiment="anna",
    ),
    RecommendRequest(user_id=-9_007_199_254_740_993),
)
PAGES = (
    Page(
        user_id=123,
        request_id="4d0f0b2c",
        bundle="0123456789abcdef0123456789abcdef",
        degraded=False,
        degraded_by=(),
        videos=(
            ShownVideo(5, 2, 0.5, ("tags", "vector"), "You liked a video tagged cats", 0.98),
            ShownVideo(41, 3, 0.25, ("popularity",), "Popular now", 1.0),
        ),
        next_page=2,
        timings_ms={"recall": 1.25, "rank": 2.5},
    ),
    Page(
        user_id=-9_007_199_254_740_993,
        request_id="4d0f0b2d",
        bundle="0123456789abcdef0123456789abcdef",
        degraded=True,
        degraded_by=(Cause.PREDICTOR_DOWN,),
        videos=(),
        next_page=None,
        timings_ms={},
    ),
)


def goldens() -> dict[str, bytes]:
    return {
        "v1-request.json": requests_to_v1(ASKED),
        "v1-answer.json": pages_to_v1(PAGES),
        "v1-refusal.json": encode_refusal(error_v1({"user_id": 1, "contxt": {}}))[1],
        "v2-request.json": requests_to_v2(ASKED),
        "v2-answer.json": pages_to_v2(PAGES[1:], "a-1"),
    }


def error_v1(instance: Any) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        requests_from_v1({"instances": [instance]})
    return caught.value


def error_v2(*tensors: Any, **more: Any) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        requests_from_v2({"inputs": list(tensors), **more})
    return caught.value


def tensor(name: str, *data: Any, datatype: str = "BYTES", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": list(data)} | more


USERS = tensor("user_id", 1, 2, datatype="INT64")


@pytest.mark.parametrize("name", goldens())
def test_a_message_is_its_golden_file(name: str) -> None:
    assert orjson.loads(goldens()[name]) == json.loads((GOLDEN / name).read_bytes())


@pytest.mark.parametrize(
    ("read", "name"), [(requests_from_v1, "v1-request.json"), (requests_from_v2, "v2-request.json")]
)
def test_a_golden_request_is_read_as_it_was_meant(read: Any, name: str) -> None:
    body = (GOLDEN / name).read_bytes()
    assert read(body) == ASKED
    assert read(json.loads(body)) == ASKED


@pytest.mark.parametrize(
    ("read", "name", "pages"),
    [(pages_from_v1, "v1-answer.json", PAGES), (pages_from_v2, "v2-answer.json", PAGES[1:])],
)
def test_a_golden_answer_is_read_as_it_was_meant(read: Any, name: str, pages: Any) -> None:
    assert read((GOLDEN / name).read_bytes()) == pages


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
IDS = st.integers(-(2**63), 2**63 - 1)
ASKS = st.lists(
    st.builds(
        RecommendRequest,
        user_id=IDS,
        context=st.dictionaries(
            st.sampled_from(CONTEXT_FEATURES), st.floats(-1e6, 1e6), max_size=4
        ),
        page_size=st.integers(1, 50),
        exclude=st.lists(IDS, max_size=4).map(tuple),
        session_id=st.none() | KEYS,
        page=st.integers(0, 1_000),
        experiment=st.none() | KEYS,
        again=st.booleans(),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
SHOWN = st.builds(
    ShownVideo,
    video_id=IDS,
    position=st.integers(0, 500),
    score=st.floats(allow_nan=False, allow_infinity=False),
    source=st.integers(0, 15).map(source_names),
    reason=st.text(max_size=20),
    propensity=st.floats(0, 1, exclude_min=True),
)
ANSWERED = st.lists(
    st.builds(
        Page,
        user_id=IDS,
        request_id=KEYS,
        bundle=KEYS,
        degraded=st.booleans(),
        degraded_by=st.lists(st.sampled_from(Cause), max_size=2).map(tuple),
        videos=st.lists(SHOWN, max_size=3).map(tuple),
        next_page=st.none() | st.integers(1, 1_000),
        timings_ms=st.dictionaries(KEYS, st.floats(0, 100), max_size=2),
    ),
    min_size=1,
    max_size=2,
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(ASKS)
def test_requests_are_read_back_by_both_versions(asked: tuple[RecommendRequest, ...]) -> None:
    assert requests_from_v1(requests_to_v1(asked)) == asked
    assert requests_from_v2(requests_to_v2(asked)) == asked


@settings(max_examples=60, deadline=None)
@given(ANSWERED)
def test_pages_are_read_back_by_both_versions(pages: tuple[Page, ...]) -> None:
    assert pages_from_v1(pages_to_v1(pages)) == pages
    assert pages_from_v2(pages_to_v2(pages, "x")) == pages


def is_refused(read: Any, write: Any, wrong: bytes) -> MalformedError | None:
    """The refusal of a body; None where by chance it still is a request."""
    try:
        write(read(wrong))
    except MalformedError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("read", "write", "count"),
    [(requests_from_v1, requests_to_v1, 10_000), (requests_from_v2, requests_to_v2, 5_000)],
    ids=["v1", "v2"],
)
def test_thousands_of_malformed_bodies_are_refused_by_field(
    read: Any, write: Any, count: int, wrong_bodies: Any
) -> None:
    examples = [orjson.loads(write(ASKED)), orjson.loads(write(ASKED[:1]))]
    refusals = (is_refused(read, write, wrong) for wrong in wrong_bodies(examples, 3))
    for error in itertools.islice(filter(None, refusals), count):
        assert error.field
        assert str(error).startswith(error.field)
        assert encode_refusal(error)[0] == 400


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (7, "instances[0] must be an object"),
        ({}, "instances[0].user_id is missing"),
        ({"user_id": "1"}, "instances[0].user_id must be a valid integer"),
        ({"user_id": True}, "instances[0].user_id must be a valid integer"),
        ({"user_id": 1.0}, "instances[0].user_id must be a valid integer"),
        ({"user_id": 2**63}, "instances[0].user_id must be less than or equal to "
         "9223372036854775807"),
        ({"user_id": 1, "pagesize": 2}, "instances[0].pagesize is unknown; did you mean "
         "page_size?"),
        ({"userid": 1}, "instances[0].userid is unknown; did you mean user_id?"),
        ({"user_id": 1, "context": {"wfi": 1}}, "instances[0].context.wfi is unknown; did you "
         "mean wifi?"),
        ({"user_id": 1, "context": {"wifi": "1"}}, "instances[0].context.wifi must be a valid "
         "number"),
        ({"user_id": 1, "context": {"wifi": True}}, "instances[0].context.wifi must be a valid "
         "number"),
        ({"user_id": 1, "context": {"wifi": 1e7}}, "instances[0].context.wifi must be less than "
         "or equal to 1000000"),
        ({"user_id": 1, "page_size": 0}, "instances[0].page_size must be greater than or equal "
         "to 1"),
        ({"user_id": 1, "page": -1}, "instances[0].page must be greater than or equal to 0"),
        ({"user_id": 1, "exclude": [1, None]}, "instances[0].exclude[1] must be a valid integer"),
        ({"user_id": 1, "exclude": {}}, "instances[0].exclude must be a list"),
        ({"user_id": 1, "exclude": list(range(1_001))}, "instances[0].exclude must have at most "
         "1000 items, not 1001"),
        ({"user_id": 1, "session_id": "a b"}, "instances[0].session_id must match pattern "
         "'^[!-~]{1,64}$'"),
        ({"user_id": 1, "session_id": "a\n"}, "instances[0].session_id must match pattern "
         "'^[!-~]{1,64}$'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_instance_is_said(instance: Any, message: str) -> None:
    assert str(error_v1(instance)) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body is no JSON: "),
        (b"[]", "body must be an object"),
        (b'{"instance": []}', "instance is unknown; did you mean instances?"),
        (b'{"instances": []}', "instances must have at least 1 item, not 0"),
        (b'{"instances": [{"user_id": NaN}]}', "body is no JSON: "),
        (b'{"instances": [{"user_id": 1e999}]}', "body is no JSON: "),
        (b"[" * 100_000, "body is no JSON: "),
    ],
)
def test_what_is_wrong_with_a_body_is_said(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        requests_from_v1(body)
    assert str(caught.value).startswith(message)


def test_an_endless_body_is_not_even_parsed() -> None:
    with pytest.raises(TooLargeError):
        requests_from_v1(b" " * (1 << 20) + b"x")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([tensor("page", "1")], "inputs.user_id is missing or empty"),
        ([USERS, USERS], "inputs.user_id stands there twice"),
        ([tensor("userid", 1)], "inputs.userid is unknown; did you mean user_id?"),
        ([tensor("user_id", 1)], "inputs.user_id must have datatype INT64"),
        ([tensor("user_id", "a", datatype="INT64")], "inputs.user_id[0] must be a valid integer"),
        ([USERS, tensor("page", "1")], "inputs.page has 1 values for 2 users"),
        ([USERS, tensor("page", "1", "x")], "inputs.page[1] is no JSON: "),
        ([USERS, tensor("page", "1", 2)], "inputs.page[1] must be a string that holds JSON"),
        ([USERS, tensor("page", "1", "-1")],
         "inputs.page[1] must be greater than or equal to 0"),
        ([USERS, tensor("exclude", "[]", "[1, null]")],
         "inputs.exclude[1][1] must be a valid integer"),
        ([USERS, tensor("exclude", 1, 2, datatype="INT64")], "inputs.exclude must have datatype "
         "BYTES, and JSON in its elements"),
        ([USERS, tensor("context", "{}", '{"nigt": 1}')],
         "inputs.context[1].nigt is unknown; did you mean night?"),
        ([tensor("user_id", [*range(300)], datatype="INT64", shape=[300, 1])],
         "inputs.user_id[0] has 300 values; one for each user"),
        ([tensor("user_id", [], [1, 2], datatype="INT64", shape=[2, 1])],
         "inputs.user_id[0] has 0 values; one for each user"),
        ([USERS | {"shape": [3]}], "inputs.user_id has shape [3] and 2 values; one for each user"),
        ([USERS | {"shape": [1, 2]}], "inputs.user_id has shape [1, 2] and 2 values; one for "
         "each user"),
        ([USERS | {"date": []}], "inputs[0].date is unknown; did you mean data?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_tensor_is_said(tensors: Any, message: str) -> None:
    assert str(error_v2(*tensors)).startswith(message)


def test_an_output_that_there_is_not_is_refused() -> None:
    error = error_v2(USERS, outputs=[{"name": "pages"}])
    assert error.field == "outputs[0].name"


def test_tensors_may_be_columns_of_bytes_and_counts_whole_numbers() -> None:
    found = requests_from_tensors(
        [
            Tensor(name="user_id", shape=(2, 1), datatype="INT64", data=[[1], [2]]),
            Tensor(name="page_size", shape=(2,), datatype="INT64", data=[3, 4]),
            Tensor(name="session_id", shape=(2,), datatype="BYTES", data=[b'"a"', "null"]),
        ]
    )
    assert [(one.user_id, one.page_size, one.session_id) for one in found] == [
        (1, 3, "a"),
        (2, 4, None),
    ]


def test_a_context_has_its_features_in_their_places() -> None:
    vector = ASKED[0].context_vector()
    assert vector.dtype == "float32"
    assert {
        name: round(float(value), 4)
        for name, value in zip(CONTEXT_FEATURES, vector, strict=True)
        if value
    } == {
        "evening": 1.0,
        "wifi": 1.0,
        "session_depth": 0.3,
    }


def test_the_names_of_sources_are_those_of_recall() -> None:
    assert source_names(15) == SOURCES
    assert source_names(0) == ()
    assert [source_names(one) for one in Origin] == [(name,) for name in SOURCES]


@pytest.mark.parametrize(
    ("score", "propensity"), [(math.nan, 1), (math.inf, 1), (0, 0), (0, math.nan), (0, 1.5)]
)
def test_what_json_cannot_say_stands_on_no_page(score: float, propensity: float) -> None:
    with pytest.raises(ValueError, match="video 5 has score"):
        ShownVideo(5, 0, score, (), "", propensity)


def test_only_failures_degrade() -> None:
    assert [cause for cause in Cause if not cause.degrades] == [
        Cause.UNKNOWN_USER,
        Cause.EMPTY_HISTORY,
    ]


@pytest.mark.parametrize("kind", [V1Request, V1Answer, V2Request, V2Answer])
def test_every_body_has_a_schema(kind: type) -> None:
    assert Reader(kind).schema["type"] == "object"


if __name__ == "__main__":
    for name, content in goldens().items():
        GOLDEN.joinpath(name).write_bytes(
            orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2) + b"\n"
        )
