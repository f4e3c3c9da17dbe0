"""Moments and days in a column of somebody else's table."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.values import (
    EXACT,
    PER_SECOND,
    Parsed,
    Reading,
    cast_each,
    integers,
    is_number,
    is_text,
    no_fault,
    numbers,
    wrong_type,
)

_NOON: Final = 12 * 3600 * 1000
_EARLIEST: Final = 315_532_800_000  # 1980: what lies before is seconds read as milliseconds.
_LATEST: Final = 4_102_444_800_000  # 2100: what lies after is milliseconds read as seconds.


def moments(column: pa.Array, reading: Reading) -> Parsed:
    """Moments as UTC milliseconds; a date without a time is noon UTC of that date."""
    kind = pa.timestamp("ms", tz="UTC")
    if pa.types.is_date(column.type):
        noon = pc.add(column.cast(pa.date64()).cast(pa.int64()), _NOON)
        return _in_range(noon.cast(pa.timestamp("ms")).cast(kind), no_fault(column))
    if pa.types.is_timestamp(column.type):
        local = column if column.type.tz else _placed(column, reading.timezone)
        return _in_range(local.cast(kind, safe=False), no_fault(column))
    if reading.unit is not None and (is_number(column) or is_text(column)):
        number = numbers(column, Reading())
        factor = 1000 / PER_SECOND[reading.unit]
        milliseconds = pc.multiply(number.values, factor)
        outside = pc.greater(pc.abs(milliseconds), float(EXACT)).fill_null(False)
        milliseconds = pc.floor(pc.if_else(outside, None, milliseconds)).cast(pa.int64())
        return _in_range(milliseconds.cast(kind), pc.or_(number.bad, outside))
    if not is_text(column):
        return wrong_type(column, kind, "is a number whose `unit` (s, ms, us or ns) is not given")
    if reading.format is not None:
        naive = pc.strptime(column, reading.format, unit="ms", error_is_null=True)
        bad = pc.and_(column.is_valid(), naive.is_null())
        return _in_range(_placed(naive, reading.timezone).cast(kind, safe=False), bad)
    zoned = pc.match_substring_regex(column, r":.*(Z|[+-]\d\d:?\d\d)$").fill_null(False)
    date = pc.match_substring_regex(column, r"^\d{4}-\d\d-\d\d$").fill_null(False)
    naive, bad_naive = cast_each(pc.if_else(zoned, None, column), pa.timestamp("ns"))
    aware, bad_aware = cast_each(pc.if_else(zoned, column, None), pa.timestamp("ns", tz="UTC"))
    local = _placed(naive.cast(pa.timestamp("ms"), safe=False), reading.timezone).cast(kind)
    noon = pc.add(naive.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()), _NOON)
    values = pc.coalesce(aware.cast(kind, safe=False), pc.if_else(date, noon.cast(kind), local))
    return _in_range(values, pc.or_(bad_naive, bad_aware))


def dates(column: pa.Array, reading: Reading) -> Parsed:
    """Calendar days, of dates or of the moments' own time zone."""
    kind = pa.date32()
    if pa.types.is_date(column.type):
        return Parsed(column.cast(kind), no_fault(column), "")
    if is_text(column) and reading.format is not None:
        days = pc.strptime(column, reading.format, unit="s", error_is_null=True)
        bad = pc.and_(column.is_valid(), days.is_null())
        return Parsed(days.cast(kind, safe=False), bad, f"is not a date as {reading.format!r}")
    if is_number(column) and reading.format is not None:
        whole = integers(column)
        return dates(whole.values.cast(pa.string()), reading)
    if is_text(column):
        values, bad = cast_each(column, kind)
        return Parsed(values, bad, "is not a date such as 2026-01-31 (see format)")
    return wrong_type(column, kind, "is not a date (see format)")


def _placed(naive: pa.Array, timezone: str) -> pa.Array:
    """Local times in their zone; an hour that a clock change skips or repeats is its earliest."""
    return pc.assume_timezone(naive, timezone, ambiguous="earliest", nonexistent="earliest")


def _in_range(values: pa.Array, bad: pa.BooleanArray) -> Parsed:
    since = values.cast(pa.int64())
    outside = pc.or_(pc.less(since, _EARLIEST), pc.greater(since, _LATEST)).fill_null(False)
    return Parsed(
        pc.if_else(outside, None, values),
        pc.or_(bad, outside),
        "is not a time between 1980 and 2100 (see unit, format and timezone)",
    )
