"""Arrays as JSON carries them fast: base64 of little-endian bytes, checked when they are read."""

import binascii
from collections.abc import Mapping, Set
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shortlist.spelling import nearest
from shortlist.wire.refusals import MalformedError

LARGEST: Final = 1e6
"""No number that crosses the wire is larger: products of them must stay finite."""

_LAST_ROW: Final = 2**31 - 1
_KINDS: Final = {"<i4": "int32", "|u1": "uint8", "<f4": "float32", "<f8": "float64"}


def encode_array(values: npt.NDArray[Any], dtype: str) -> str:
    """An array as base64.

    Args:
        values: one dimension.
        dtype: little-endian, as numpy writes it: ``<i4``.

    >>> encode_array(np.array([1, 2]), "<i4")
    'AQAAAAIAAAA='
    """
    whole = np.ascontiguousarray(values, dtype)
    return binascii.b2a_base64(whole.data, newline=False).decode("ascii")


class Fields:
    """The fields of one JSON object, read by name; whatever is wrong names the field."""

    def __init__(self, value: object, place: str, required: Set[str], optional: Set[str]) -> None:
        """Take an object.

        Args:
            value: what the JSON said.
            place: where in the body it stood.
            required: names that must be there.
            optional: names that may be there.

        Raises:
            MalformedError: it is no object, a name is missing, or one is unknown.
        """
        if not isinstance(value, dict):
            raise MalformedError(place, "must be an object")
        self._value: Mapping[str, Any] = value
        self._place = place
        for name in required - value.keys():
            raise MalformedError(self.name(name), "is missing")
        for name in value.keys() - required - optional:
            known = sorted(required | optional)
            raise MalformedError(self.name(name), f"is unknown{nearest(name, known)}")

    def name(self, field: str) -> str:
        """The full name of a field."""
        return f"{self._place}.{field[:64]}"

    def text(self, field: str, longest: int) -> str:
        """A text of printable ASCII signs, not empty."""
        value = self._value[field]
        if not isinstance(value, str):
            raise MalformedError(self.name(field), "must be a string")
        if not 0 < len(value) <= longest or not value.isascii() or not value.isprintable():
            raise MalformedError(self.name(field), f"must be 1 to {longest} printable ASCII signs")
        return value

    def text_or_none(self, field: str, longest: int) -> str | None:
        """A text, or None where there is none."""
        return None if self._value.get(field) is None else self.text(field, longest)

    def number(self, field: str) -> float:
        """A number of at most `LARGEST` either way."""
        value = self._value[field]
        # A bool is an int to Python, not to JSON.
        if type(value) is not float and type(value) is not int:
            raise MalformedError(self.name(field), "must be a number")
        if not -LARGEST <= value <= LARGEST:
            raise MalformedError(self.name(field), f"is {value}; at most {LARGEST:.0f} either way")
        return float(value)

    def rows(self, field: str, longest: int) -> npt.NDArray[np.int32]:
        """Rows of a table, int32 [n], none below 0."""
        values: npt.NDArray[np.int32] = self.array(field, "<i4", longest)
        # Read without its sign, a negative number is the largest of all.
        if values.size and np.maximum.reduce(values.view("<u4")) > _LAST_ROW:
            raise MalformedError(self.name(field), f"holds {values.min()}; rows start at 0")
        return values

    def small(self, field: str, longest: int, end: int) -> npt.NDArray[np.uint8]:
        """Whole numbers from 0 to below ``end``, uint8 [n]."""
        values: npt.NDArray[np.uint8] = self.array(field, "|u1", longest)
        if values.size and np.maximum.reduce(values) >= end:
            raise MalformedError(self.name(field), f"holds {values.max()}; at most {end - 1}")
        return values

    def numbers(self, field: str, dtype: str, longest: int) -> npt.NDArray[Any]:
        """Numbers of at most `LARGEST` either way, [n]."""
        values = self.array(field, dtype, longest)
        # Written so that NaN fails too.
        if values.size and not (
            np.maximum.reduce(values) <= LARGEST and np.minimum.reduce(values) >= -LARGEST
        ):
            raise MalformedError(
                self.name(field), f"holds what is no number of at most {LARGEST:.0f} either way"
            )
        return values

    def array(self, field: str, dtype: str, longest: int) -> npt.NDArray[Any]:
        """An array of at most ``longest`` values, which cannot be written to."""
        text = self._value[field]
        if not isinstance(text, str):
            raise MalformedError(
                self.name(field), f"must be a string: base64 of little-endian {_KINDS[dtype]}"
            )
        kind = np.dtype(dtype)
        # Four signs hold three bytes, rounded up: what is far too long is not even decoded.
        if len(text) > 4 * -(-longest * kind.itemsize // 3):
            raise self._too_long(field, longest)
        try:
            raw = binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            raise MalformedError(self.name(field), "is no base64") from error
        if len(raw) % kind.itemsize:
            raise MalformedError(
                self.name(field), f"holds {len(raw)} bytes, no whole number of {_KINDS[dtype]}"
            )
        values = np.frombuffer(raw, kind)
        if len(values) > longest:
            raise self._too_long(field, longest)
        return values

    def value(self, field: str) -> Any:
        """Whatever stands there; None where nothing does."""
        return self._value.get(field)

    def _too_long(self, field: str, longest: int) -> MalformedError:
        return MalformedError(self.name(field), f"holds more than {longest} values")
