"""Tables of the schema, from the columns that a source has."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from shortlist.datasets.schema import IMPRESSIONS, TABLES


def filled(table: str, columns: Mapping[str, pa.Array | pa.ChunkedArray], rows: int) -> pa.Table:
    """A table of the schema with ``columns``; what a source cannot know is null, or an empty list.

    Impression ids are 0 until the order of the rows is known; `numbered` gives them.

    Args:
        table: ``users``, ``videos`` or ``impressions``.
        columns: arrays of the schema's types, by name.
        rows: their length.
    """
    arrays = {
        field.name: columns[field.name] if field.name in columns else _blank(field, rows)
        for field in TABLES[table]
    }
    return pa.table(arrays, schema=TABLES[table])


def numbered(impressions: pa.Table, start: int) -> pa.Table:
    """Impressions with ids from ``start`` on, in the order of the rows."""
    ids = pa.array(np.arange(start, start + impressions.num_rows))
    at = IMPRESSIONS.get_field_index("impression_id")
    return impressions.set_column(at, IMPRESSIONS.field(at), ids)


def _blank(field: pa.Field, rows: int) -> pa.Array:
    if field.nullable:
        return pa.nulls(rows, field.type)
    if pa.types.is_list(field.type):
        return pa.array([[]] * rows, field.type)
    return pa.array(np.zeros(rows, np.int64))
