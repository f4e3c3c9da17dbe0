"""Numbers, truths, texts and lists in a column of somebody else's table.

Every parser returns the values with null where a value cannot be parsed, a mask of those, and
what to say about them; whoever reads a file counts them.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Unit = Literal["s", "ms", "us", "ns"]

PER_SECOND: Final[dict[Unit, int]] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
TRUE_VALUES: Final = ("1", "1.0", "true", "True", "TRUE", "t", "T", "yes", "Yes", "y", "Y")
FALSE_VALUES: Final = ("0", "0.0", "false", "False", "FALSE", "f", "F", "no", "No", "n", "N")

INTEGER: Final = r"^(0|-?[1-9][0-9]{0,17})$"
"""Whole numbers that fit int64, each written in its one canonical way."""
EXACT: Final = 2**53
"""Above it a float64 no longer knows whole numbers apart."""


class Parsed(NamedTuple):
    """Values of the wanted type, which of the originals are at fault, and how."""

    values: pa.Array
    bad: pa.BooleanArray
    fault: str


@dataclass(frozen=True)
class Reading:
    """How the values of a column are written, where their type does not say it.

    Attributes:
        unit: of numbers that are times or durations.
        format: of texts that are times, as in `strptime`; ISO 8601 where None.
        separator: between the parts of texts that are lists.
        true_values: texts that stand for true.
        false_values: texts that stand for false.
        at_least: numbers from here on are true, lower ones false.
        timezone: of times that name none.
    """

    unit: Unit | None = None
    format: str | None = None
    separator: str | None = None
    true_values: tuple[str, ...] = TRUE_VALUES
    false_values: tuple[str, ...] = FALSE_VALUES
    at_least: float | None = None
    timezone: str = "UTC"


def numbers(column: pa.Array, reading: Reading) -> Parsed:
    """Finite float64 numbers, in seconds where the reading has a unit; NaN means null."""
    fault = "is not a number"
    if not is_text(column) and not is_number(column):
        return wrong_type(column, pa.float64(), fault)
    values, bad = cast_each(column, pa.float64())
    values = pc.if_else(pc.is_nan(values).fill_null(False), None, values)
    infinite = pc.is_inf(values).fill_null(False)
    values = pc.if_else(infinite, None, values)
    if reading.unit is not None:
        values = pc.divide(values, float(PER_SECOND[reading.unit]))
    return Parsed(values, pc.or_(bad, infinite), fault)


def integers(column: pa.Array) -> Parsed:
    """Whole numbers as int64; 12.0 is one."""
    fault = "is not a whole number"
    if pa.types.is_signed_integer(column.type):
        return Parsed(column.cast(pa.int64()), no_fault(column), fault)
    if is_text(column) and pc.all(pc.match_substring_regex(column, INTEGER)).as_py() is not False:
        return Parsed(column.cast(pa.int64()), no_fault(column), fault)
    whole = numbers(column, Reading())
    broken = pc.or_(
        pc.not_equal(pc.floor(whole.values), whole.values),
        pc.greater(pc.abs(whole.values), float(EXACT)),
    ).fill_null(False)
    values = pc.if_else(broken, None, whole.values).cast(pa.int64())
    return Parsed(values, pc.or_(whole.bad, broken), fault)


def booleans(column: pa.Array, reading: Reading) -> Parsed:
    """True and false, by value or by threshold."""
    if reading.at_least is not None:
        number = numbers(column, Reading())
        return number._replace(values=pc.greater_equal(number.values, reading.at_least))
    if pa.types.is_boolean(column.type):
        return Parsed(column, no_fault(column), "")
    fault = "is neither true nor false (see true_values and false_values)"
    if is_number(column):
        # 1.0 and 1 are the same number, so they must be the same text.
        column = pc.if_else(pc.is_nan(column), None, column) if _is_float(column) else column
        column = column.cast(pa.float64()).cast(pa.string())
        column = pc.replace_substring_regex(column, r"\.0$", "")
    if not is_text(column):
        return wrong_type(column, pa.bool_(), fault)
    yes = pc.is_in(column, pa.array(reading.true_values))
    no = pc.is_in(column, pa.array(reading.false_values))
    known = pc.or_(yes, no)
    bad = pc.and_(column.is_valid(), pc.invert(known))
    return Parsed(pc.if_else(known, yes, None), bad, fault)


def lists(column: pa.Array, reading: Reading) -> Parsed:
    """Lists of texts without empty parts and without spaces around them; null stays null."""
    kind = pa.list_(pa.string())
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        parts = texts(column.flatten())
        if pc.any(parts.bad).as_py():
            return wrong_type(column, kind, parts.fault)
        lengths = pc.list_value_length(column).fill_null(0)
        flat, valid = parts.values, column.is_valid()
    elif is_text(column):
        valid = column.is_valid()
        split = pc.split_pattern(column, reading.separator or "\0")
        lengths, flat = pc.list_value_length(split).fill_null(0), split.flatten()
    else:
        return wrong_type(column, kind, "is neither a list nor a text")
    flat = pc.utf8_trim_whitespace(flat)
    kept = pc.greater(pc.utf8_length(flat), 0).fill_null(False)
    owner = np.repeat(np.arange(len(column)), lengths.to_numpy(zero_copy_only=False))
    counts = np.bincount(owner[kept.to_numpy(zero_copy_only=False)], minlength=len(column)).astype(
        np.int32
    )
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
    built = pa.ListArray.from_arrays(pa.array(offsets), flat.filter(kept))
    values = pc.if_else(valid, built, pa.scalar(None, kind))
    return Parsed(values, no_fault(column), "")


def texts(column: pa.Array) -> Parsed:
    """Texts; whole numbers become their digits."""
    fault = "is not a text"
    if is_text(column):
        return Parsed(column, no_fault(column), fault)
    if _is_float(column):
        whole = integers(column)
        return whole._replace(values=whole.values.cast(pa.string()), fault=fault)
    if is_number(column):
        return Parsed(column.cast(pa.string()), no_fault(column), fault)
    return wrong_type(column, pa.string(), fault)


def are_integers(names: pa.Array) -> bool:
    """Whether every text is an `INTEGER`.

    >>> are_integers(pa.array(["0", "-7", "12"])), are_integers(pa.array(["007"]))
    (True, False)
    """
    return pc.all(pc.match_substring_regex(names, INTEGER), min_count=0).as_py() is True


def cast_each(column: pa.Array, kind: pa.DataType) -> tuple[pa.Array, pa.BooleanArray]:
    """Cast all values at once, or one distinct value after the other if some do not fit."""
    try:
        return column.cast(kind, safe=not pa.types.is_floating(kind)), no_fault(column)
    except pa.ArrowInvalid:
        encoded = column.dictionary_encode()
        words = encoded.dictionary
        cast = [_cast_one(words.slice(at, 1), kind) for at in range(len(words))]
        values = pa.concat_arrays(cast).take(encoded.indices)
        return values, pc.and_(column.is_valid(), values.is_null())


def _cast_one(value: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return value.cast(kind)
    except pa.ArrowInvalid:
        return pa.nulls(1, kind)


def wrong_type(column: pa.Array, kind: pa.DataType, fault: str) -> Parsed:
    """All values are at fault; a column of nothing but null has any type."""
    return Parsed(pa.nulls(len(column), kind), column.is_valid(), fault)


def no_fault(column: pa.Array) -> pa.BooleanArray:
    """The mask of a column in which every value could be parsed."""
    return pa.array(np.zeros(len(column), np.bool_))


def is_text(column: pa.Array) -> bool:
    """Whether the values are texts."""
    return bool(pa.types.is_string(column.type))


def _is_float(column: pa.Array) -> bool:
    return bool(pa.types.is_floating(column.type))


def is_number(column: pa.Array) -> bool:
    """Whether the values are numbers, which truths are not."""
    kind = column.type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
