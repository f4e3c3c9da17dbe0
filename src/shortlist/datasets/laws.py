"""What must hold of every row of a dataset, whoever writes it; readers rely on it unchecked."""

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.schema import TABLES
from shortlist.errors import InputError

KEYS: Final[Mapping[str, str]] = {
    "users": "user_id",
    "videos": "video_id",
    "impressions": "impression_id",
}
"""The column by which each table ascends."""


class Bounds(NamedTuple):
    """Values that a column may take; ``strict`` leaves the lower bound itself out."""

    low: float
    high: float = float("inf")
    strict: bool = False

    def __str__(self) -> str:
        """As a sentence says it: ``at least 0``, ``above 0 and at most 1``."""
        low = f"{'above' if self.strict else 'at least'} {self.low:g}"
        return low if self.high == float("inf") else f"{low} and at most {self.high:g}"

    def broken_by(self, column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """Which values lie outside or are not finite, a boolean array; null breaks nothing."""
        low = (pc.less_equal if self.strict else pc.less)(column, self.low)
        broken = pc.or_(low, pc.greater(column, self.high))
        if pa.types.is_floating(column.type):
            broken = pc.or_(broken, pc.invert(pc.is_finite(column)))
        return broken.fill_null(False)


BOUNDS: Final[Mapping[str, Mapping[str, Bounds]]] = {
    "users": {"registered_days": Bounds(0)},
    "videos": {"duration_seconds": Bounds(0, strict=True)},
    "impressions": {
        "position": Bounds(0),
        "propensity": Bounds(0, 1, strict=True),
        "watch_seconds": Bounds(0),
    },
}


def check(name: str, table: pa.Table, day: dt.date | None = None) -> None:
    """Hold ``table`` against the laws of the table called ``name``.

    Args:
        name: ``users``, ``videos`` or ``impressions``.
        table: rows in the order in which they will be written.
        day: the only day that impressions may have, where one is given.

    Raises:
        InputError: columns or types differ from the schema, a required value is null, ids do not
            ascend or repeat, or a value is out of bounds; the message has a row count and an
            example.
    """
    fields = TABLES[name]
    if not table.schema.equals(fields):
        raise InputError(f"{name}: columns or types differ from the schema of {name}")
    for field in fields:
        column = table.column(field.name)
        if not field.nullable and column.null_count:
            raise InputError(f"{name}: {field.name} is null in {column.null_count} rows")
        if pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type):
            missing = sum(chunk.flatten().null_count for chunk in column.chunks)
            if missing:
                raise InputError(f"{name}: lists of {field.name} hold {missing} nulls")
    for column_name, bounds in BOUNDS[name].items():
        column = table.column(column_name)
        _refuse(name, column_name, column, bounds.broken_by(column), f"must be {bounds}")
    keys = table.column(KEYS[name]).to_numpy()
    falls = np.r_[False, keys[1:] <= keys[:-1]] if len(keys) else np.zeros(0, np.bool_)
    _refuse(name, KEYS[name], keys, falls, "must ascend without repeats")
    if day is not None:
        days = table.column("day")
        _refuse(name, "day", days, pc.not_equal(days, pa.scalar(day)), f"must be {day}")


def _refuse(name: str, column_name: str, column: object, broken: object, law: str) -> None:
    at = np.flatnonzero(np.asarray(broken))
    if len(at):
        value = column[int(at[0])]  # type: ignore[index]
        example = value.as_py() if isinstance(value, pa.Scalar) else value
        raise InputError(
            f"{name}: {column_name} {law}; {len(at)} rows break that, for example row {at[0]} "
            f"with {example}"
        )
