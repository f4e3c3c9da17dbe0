"""Requests and pages by V2 of KServe (the Open Inference Protocol): one tensor for each field.

``POST /v2/models/shortlist/infer``: ``user_id`` is INT64 [n] or [n, 1]. Every other field of
`RecommendRequest` may be a tensor of the same shape, BYTES whose elements are the field's JSON;
``page_size`` and ``page`` may be INT64 as well. The answer has one output, ``page``, BYTES [n]: the
JSON of each page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import Field, ValidationError

from shortlist.spelling import nearest
from shortlist.wire.reading import Body, Message, Reader, loads, named
from shortlist.wire.recommend import (
    MODEL,
    MOST_INSTANCES,
    Page,
    RecommendRequest,
    request_fields,
)
from shortlist.wire.refusals import MalformedError

V2_PATH: Final = f"/v2/models/{MODEL}/infer"
OUTPUT: Final = "page"
_ANY: Final = (-1,)
"""The shape of a tensor with one element for each user, however many."""
_WHOLE: Final = ("INT64", "INT32")
_COUNTS: Final = ("page_size", "page")


class Tensor(Message):
    """One field of all requests."""

    name: str = Field(strict=True, max_length=64)
    shape: tuple[int, ...] = Field(min_length=1, max_length=2)
    datatype: str = Field(strict=True, max_length=16)
    data: list[Any] = Field(max_length=MOST_INSTANCES)
    parameters: dict[str, Any] | None = None


class Output(Message):
    """An output that is wanted; there is one."""

    name: str = Field(strict=True, pattern=rf"^{OUTPUT}$")
    parameters: dict[str, Any] | None = None


class V2Request(Message):
    """The body of V2."""

    id: str | None = Field(default=None, max_length=128)
    model_name: str | None = Field(default=None, max_length=128)
    model_version: str | None = Field(default=None, max_length=128)
    parameters: dict[str, Any] | None = None
    inputs: tuple[Tensor, ...] = Field(min_length=1, max_length=len(RecommendRequest.model_fields))
    outputs: tuple[Output, ...] | None = None


@dataclass(frozen=True, slots=True)
class TensorKind:
    """What the tensors of one name are, as V2 describes a model."""

    name: str
    datatype: str
    shape: tuple[int, ...]


INPUTS: Final = tuple(
    TensorKind(name, "INT64" if name == "user_id" else "BYTES", _ANY)
    for name in RecommendRequest.model_fields
)
"""What may be asked with; all but ``user_id`` may be left out."""
OUTPUTS: Final = (TensorKind(OUTPUT, "BYTES", _ANY),)


@dataclass(frozen=True, slots=True)
class V2Output:
    """The pages as JSON, one for each user."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class V2Answer:
    """The body that answers by V2."""

    model_name: str
    id: str
    outputs: tuple[V2Output, ...]


_BODIES: Final = Reader(V2Request)
_REQUESTS: Final = Reader(RecommendRequest)
_ANSWERS: Final = Reader(V2Answer)
_PAGES: Final = Reader(Page)


def requests_from_v2(body: Body) -> tuple[RecommendRequest, ...]:
    """The requests of a body of V2.

    Raises:
        TooLargeError: it is too long.
        MalformedError: anything else is wrong with it; the field is named.
    """
    return requests_from_tensors(_BODIES.body(body).inputs)


def requests_from_tensors(tensors: Iterable[Tensor]) -> tuple[RecommendRequest, ...]:
    """The requests that named tensors hold; elements of BYTES may be `bytes` or `str`.

    Raises:
        MalformedError: a tensor is unknown, twice there, of another type or size, or what it holds
            is refused.
    """
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        if tensor.name not in RecommendRequest.model_fields:
            known = nearest(tensor.name, RecommendRequest.model_fields)
            raise MalformedError(named(("inputs", tensor.name)), f"is unknown{known}")
        if tensor.name in columns:
            raise MalformedError(f"inputs.{tensor.name}", "stands there twice")
        columns[tensor.name] = _column(tensor)
    users = columns.get("user_id", [])
    if not users:
        raise MalformedError("inputs.user_id", "is missing or empty")
    for name, column in columns.items():
        if len(column) != len(users):
            raise MalformedError(
                f"inputs.{name}", f"has {len(column)} values for {len(users)} users"
            )
    return tuple(
        _request({name: column[row] for name, column in columns.items()}, row)
        for row in range(len(users))
    )


def requests_to_v2(requests: Sequence[RecommendRequest]) -> bytes:
    """The body of V2 that asks for ``requests``; a field that none of them sets is left out."""
    fields = [request_fields(request) for request in requests]
    sent = [name for name in RecommendRequest.model_fields if any(name in one for one in fields)]
    inputs = []
    for name in sent:
        values = [getattr(request, name) for request in requests]
        whole = name == "user_id"
        inputs.append(
            {
                "name": name,
                "shape": [len(requests)],
                "datatype": "INT64" if whole else "BYTES",
                "data": values if whole else [orjson.dumps(one).decode() for one in values],
            }
        )
    return orjson.dumps({"inputs": inputs})


def pages_to_v2(pages: Sequence[Page], request_id: str) -> bytes:
    """The body of V2 that answers with ``pages``.

    Args:
        pages: of all users.
        request_id: as the client called its request, or ours.
    """
    texts = tuple(orjson.dumps(page).decode() for page in pages)
    output = V2Output(OUTPUT, "BYTES", (len(texts),), texts)
    return orjson.dumps(V2Answer(MODEL, request_id, (output,)))


def pages_from_v2(body: bytes) -> tuple[Page, ...]:
    """The pages of an answer, as a client reads them.

    Raises:
        MalformedError: it is no answer.
    """
    answer = _ANSWERS.value(loads(body, len(body)), ())
    return tuple(
        _PAGES.value(loads(text.encode(), len(body)), ("outputs", 0, "data", place))
        for output in answer.outputs
        for place, text in enumerate(output.data)
    )


def _column(tensor: Tensor) -> list[Any]:
    """The elements of a tensor as values of its field."""
    field = f"inputs.{tensor.name}"
    values = tensor.data
    if len(tensor.shape) == 2:
        values = [_only(row, f"{field}[{place}]") for place, row in enumerate(values)]
    rows, *width = tensor.shape
    if rows != len(values) or width not in ([], [1]):
        raise MalformedError(
            field, f"has shape {list(tensor.shape)} and {len(values)} values; one for each user"
        )
    if tensor.name == "user_id" or (tensor.name in _COUNTS and tensor.datatype in _WHOLE):
        if tensor.datatype not in _WHOLE:
            raise MalformedError(field, "must have datatype INT64")
        return values
    if tensor.datatype != "BYTES":
        raise MalformedError(field, "must have datatype BYTES, and JSON in its elements")
    return [_element(value, f"{field}[{row}]") for row, value in enumerate(values)]


def _only(row: object, place: str) -> Any:
    """The one value of a row, in brackets or without."""
    if not isinstance(row, list):
        return row
    if len(row) != 1:
        raise MalformedError(place, f"has {len(row)} values; one for each user")
    return row[0]


def _element(value: object, place: str) -> Any:
    if not isinstance(value, str | bytes):
        raise MalformedError(place, "must be a string that holds JSON")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise MalformedError(place, f"is no JSON: {error}") from error


def _request(values: Mapping[str, Any], row: int) -> RecommendRequest:
    try:
        return RecommendRequest.model_validate(values)
    except ValidationError as error:
        where, problem = _REQUESTS.problem(error)
        raise MalformedError(named(("inputs", where[0], row, *where[1:])), problem) from error
