"""From bytes to checked values at the public edge; whatever is wrong names its field."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shortlist.spelling import nearest
from shortlist.wire.arrays import LARGEST
from shortlist.wire.refusals import MalformedError, TooLargeError

T = TypeVar("T")
Body = bytes | bytearray | memoryview | Mapping[str, Any]
"""A body, or what a server's own reader made of its JSON."""

LARGEST_BODY: Final = 1 << 20

Id = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
"""A user or a video, as in the dataset."""
Key = Annotated[str, Field(strict=True, pattern=r"^[!-~]{1,64}$")]
"""A name that a client chooses: 1 to 64 printable ASCII signs without blanks."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]

_SHOULD: Final = re.compile(r"^\w+ should ")
_EXTRA: Final = "extra_forbidden"
_KEY: Final = "[key]"
"""What pydantic puts behind a key that is at fault itself."""
_PLAIN: Final = {
    "missing": "is missing",
    "model_type": "must be an object",
    "dataclass_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}
"""Sentences that say JSON where pydantic says Python."""


class Message(BaseModel):
    """Base of what clients send: checked when it is made, trusted afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def loads(body: bytes | bytearray | memoryview, most: int = LARGEST_BODY) -> Any:
    """The JSON of a body.

    Raises:
        TooLargeError: it has more than ``most`` bytes.
        MalformedError: it is no JSON.
    """
    if len(body) > most:
        raise TooLargeError(f"the body has {len(body)} bytes, at most {most} are read")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError("body", f"is no JSON: {error}") from error


class Reader(Generic[T]):
    """Reads one type of message."""

    def __init__(self, kind: type[T]) -> None:
        """Take the type: a model, or a dataclass with types that pydantic knows."""
        self.adapter: TypeAdapter[T] = TypeAdapter(kind)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the type."""
        return self.adapter.json_schema()

    def body(self, body: Body) -> T:
        """The message of a body.

        Raises:
            TooLargeError: the body is too long.
            MalformedError: anything else is wrong with it.
        """
        return self.value(body if isinstance(body, Mapping) else loads(body), ())

    def value(self, value: object, place: tuple[str | int, ...]) -> T:
        """The message that a parsed JSON value holds.

        Args:
            value: the value.
            place: where in the body it stood.

        Raises:
            MalformedError: it is no such message.
        """
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            where, problem = self.problem(error)
            raise MalformedError(named(place + where), problem) from error

    def problem(self, error: ValidationError) -> tuple[tuple[str | int, ...], str]:
        """Where the first fault is, and the rest of the sentence about it."""
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        # Where a name is misspelt, that the right one is missing is no news.
        fault = next((one for one in faults if _is_unknown(one)), faults[0])
        where, kind = fault["loc"], fault["type"]
        if _is_unknown(fault):
            where = where if kind == _EXTRA else where[:-1]
            return where, f"is unknown{self._nearest(where)}"
        if kind in _PLAIN:
            return where, _PLAIN[kind]
        message = fault["msg"].removesuffix(".").replace(" after validation", "")
        return where, _SHOULD.sub("must ", message)

    def _nearest(self, where: tuple[str | int, ...]) -> str:
        return nearest(str(where[-1])[:64], _names(self.schema, self.schema, where[:-1]))


def _is_unknown(fault: ErrorDetails) -> bool:
    where = fault["loc"]
    return fault["type"] == _EXTRA or bool(where and where[-1] == _KEY)


def named(place: tuple[str | int, ...]) -> str:
    """The name of a place in a body.

    >>> named(("instances", 0, "context", "wifi"))
    'instances[0].context.wifi'
    >>> named(())
    'body'
    """
    name = ""
    for part in place:
        name += f"[{part}]" if isinstance(part, int) else f".{part[:64]}"
    return name.removeprefix(".") or "body"


def _names(root: dict[str, Any], schema: dict[str, Any], place: tuple[str | int, ...]) -> list[str]:
    """The names that a JSON schema knows at a place."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return [name for one in schema["anyOf"] for name in _names(root, one, place)]
    if not place:
        return list(schema.get("properties", schema.get("propertyNames", {}).get("enum", [])))
    inner = schema.get("items") if isinstance(place[0], int) else None
    if isinstance(place[0], str):
        inner = schema.get("properties", {}).get(place[0])
    return _names(root, inner, place[1:]) if isinstance(inner, dict) else []
