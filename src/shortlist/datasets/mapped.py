"""One mapped table: the batches of its files as columns of the schema, checked file by file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.foreign import ForeignFile
from shortlist.datasets.ids import Ids
from shortlist.datasets.mapping import ColumnMapping, TableMapping
from shortlist.datasets.parsing import Faults, column_of, repeats
from shortlist.datasets.schema import TABLES
from shortlist.progress import track

IDS = ("user_id", "video_id")
_NAMES = (*IDS, "creator_id", "session_id")
"""Columns that hold names of any kind in the source; they are read as texts."""

Encode = Callable[[str, pa.Array, pa.Array, Faults], pa.Array]


@dataclass(frozen=True)
class MappedTable:
    """The reader of one table.

    Attributes:
        table: ``users``, ``videos`` or ``impressions``.
        mapped: its files and columns.
        timezone: of times that name none.
        required: columns in which null is a fault.
        known: the ids that users and videos may have, by column, where a table lists them.
    """

    table: str
    mapped: TableMapping
    timezone: str
    required: frozenset[str]
    known: dict[str, Ids] = field(default_factory=dict)

    def batches(self, file: ForeignFile, only: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of a file; ids, sessions and creators are still the source's names.

        Args:
            file: one of the table's files.
            only: the schema's columns wanted; all mapped ones by default.

        Raises:
            NotFoundError: there is no such file.
            InputError: the file is broken, or, once it was read to its end, any of its values.
        """
        columns = {
            name: column
            for name, column in self.mapped.columns.items()
            if only is None or name in only
        }
        sources = list(dict.fromkeys(c.column for c in columns.values() if c.column is not None))
        faults = Faults(file.path)
        for batch in track(file.batches(sources), f"reading {file.path.name}"):
            yield pa.table(
                {
                    name: self._column(name, column, batch, faults)
                    for name, column in columns.items()
                }
            )
            faults.rows += batch.num_rows
        faults.refuse()

    def _column(
        self, name: str, column: ColumnMapping, batch: pa.RecordBatch, faults: Faults
    ) -> pa.Array:
        target = TABLES[self.table].field(name)
        if column.column is None:
            return pa.array(np.full(batch.num_rows, column.constant))
        if name in _NAMES:
            target = target.with_type(pa.string())
        values = column_of(
            self.table,
            target,
            column.column,
            batch.column(column.column),
            column.reading(self.timezone),
            faults,
            required=name in self.required,
        )
        if name in self.known:
            unknown = pc.and_(values.is_valid(), self.known[name].encode(values).is_null())
            faults.add(column.column, values, unknown, f"is in no row of the {name[:-3]}s table")
        return values


def read_whole(table: MappedTable, files: Sequence[ForeignFile]) -> tuple[pa.Table, list[int]]:
    """A users or videos table of the schema, but for its names, and the rows of each file.

    Raises:
        InputError: as `MappedTable.batches`; or an id stands in two rows.
    """
    key = f"{table.table[:-1]}_id"
    parts = [pa.concat_tables(table.batches(file)) for file in files]
    rows = [part.num_rows for part in parts]
    whole = pa.concat_tables(parts)
    names = whole.column(key).combine_chunks()
    again = repeats(names)
    borders = np.cumsum([0, *rows])
    for file, (start, stop) in zip(files, pairwise(borders), strict=True):
        faults = Faults(file.path)
        source = table.mapped.columns[key].column or key
        faults.add(source, names[start:stop], again[start:stop], "repeats an id")
        faults.rows = int(stop - start)
        faults.refuse()
    return whole, rows
