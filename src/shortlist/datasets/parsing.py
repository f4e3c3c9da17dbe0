"""A column of somebody else's table as a column of the schema; what cannot be is counted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.laws import BOUNDS
from shortlist.datasets.times import dates, moments
from shortlist.datasets.values import (
    Parsed,
    Reading,
    booleans,
    integers,
    is_text,
    lists,
    numbers,
    texts,
)
from shortlist.errors import InputError


@dataclass
class _Fault:
    rows: int
    example: object
    row: int


class Faults:
    """What is wrong with the values of one file, by column, counted over all its batches."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        """Rows seen before the batch at hand."""
        self._found: dict[tuple[str, str], _Fault] = {}

    def add(self, name: str, column: pa.Array, bad: pa.BooleanArray, fault: str) -> None:
        """Count the faults of a batch.

        Args:
            name: of the column in the file.
            column: its values as they stand in the file.
            bad: which of them are at fault.
            fault: what they are not, as the end of "the value ...".
        """
        at = np.flatnonzero(bad.to_numpy(zero_copy_only=False))
        if not len(at):
            return
        first = int(at[0])
        example = _Fault(0, column[first].as_py(), self.rows + first + 1)
        self._found.setdefault((name, fault), example).rows += len(at)

    def refuse(self) -> None:
        """End the file: raise if anything was wrong.

        Raises:
            InputError: with file, column, row count and an example.
        """
        if not self._found:
            return
        (name, fault), found = next(iter(self._found.items()))
        shown = "" if found.example is None else f" {found.example!r:.80}"
        more = f" (and {len(self._found) - 1} more faults)" if len(self._found) > 1 else ""
        raise InputError(
            f"{self.path}, column {name!r}: in {found.rows} of {self.rows} rows the value {fault}, "
            f"for example{shown} in row {found.row}{more}"
        )


def column_of(
    table: str,
    field: pa.Field,
    name: str,
    column: pa.Array,
    reading: Reading,
    faults: Faults,
    *,
    required: bool = False,
) -> pa.Array:
    """Turn a column of a batch into a column of the schema.

    Args:
        table: ``users``, ``videos`` or ``impressions``: whose laws hold.
        field: the wanted column.
        name: of the column in the file.
        column: its values in the file.
        reading: how they are written.
        faults: where to count what is wrong; such values become null.
        required: whether null is a fault.
    """
    parsed = parse(column, field.type, reading)
    faults.add(name, column, parsed.bad, parsed.fault)
    values = parsed.values
    if required:
        faults.add(name, column, pc.and_not(values.is_null(), parsed.bad), "is missing")
    if field.name == "duration_seconds":
        # A video of no length is one of unknown length.
        values = pc.if_else(pc.equal(values, 0), None, values)
    bounds = BOUNDS[table].get(field.name)
    if bounds is not None:
        broken = bounds.broken_by(values)
        faults.add(name, column, broken, f"is not {bounds}")
        values = pc.if_else(broken, None, values)
    return values


def parse(column: pa.Array, kind: pa.DataType, reading: Reading) -> Parsed:
    """Parse ``column`` as a type of the schema.

    Args:
        column: of any type.
        kind: the wanted type.
        reading: how the values are written.
    """
    column = _plain(column)
    if pa.types.is_timestamp(kind):
        return moments(column, reading)
    if pa.types.is_date(kind):
        return dates(column, reading)
    if pa.types.is_boolean(kind):
        return booleans(column, reading)
    if pa.types.is_list(kind):
        return lists(column, reading)
    if pa.types.is_string(kind):
        return texts(column)
    whole = pa.types.is_integer(kind)
    return _narrowed(integers(column) if whole else numbers(column, reading), kind)


def repeats(column: pa.Array) -> pa.BooleanArray:
    """Which values stand further up already.

    >>> repeats(pa.array(["a", "b", "a"])).to_pylist()
    [False, False, True]
    """
    _, first = np.unique(column.dictionary_encode().indices.to_numpy(), return_index=True)
    mask = np.ones(len(column), np.bool_)
    mask[first] = False
    return pa.array(mask)


def _plain(column: pa.Array) -> pa.Array:
    """The same values without dictionaries, wide offsets and spaces around them."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return pc.utf8_trim_whitespace(column) if is_text(column) else column


def _narrowed(parsed: Parsed, kind: pa.DataType) -> Parsed:
    if not pa.types.is_integer(kind):
        return parsed._replace(values=parsed.values.cast(kind, safe=False))
    bounds = np.iinfo(kind.to_pandas_dtype())
    outside = pc.or_(
        pc.less(parsed.values, int(bounds.min)), pc.greater(parsed.values, int(bounds.max))
    ).fill_null(False)
    values = pc.if_else(outside, None, parsed.values).cast(kind)
    return parsed._replace(values=values, bad=pc.or_(parsed.bad, outside))
