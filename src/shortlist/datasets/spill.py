"""Rows of many files sorted into days on disk, file by file, so that a killed run can go on.

A log need not be sorted, and one day of it may be spread over all its files. Each file is divided
once and for all; then a day is gathered from all files.
"""

import datetime as dt
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from shortlist.errors import CorruptError
from shortlist.files import staged_directory, sweep_staging

_COUNTS: Final = "rows.json"
_HELD_ROWS: Final = 500_000
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="zstd")


class Spill:
    """A directory of rows by file and by day."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        sweep_staging(directory)

    def has(self, file: int) -> bool:
        """Whether file number ``file`` was divided, by this run or an earlier one."""
        return (self._of(file) / _COUNTS).is_file()

    def divide(self, file: int, batches: Iterable[pa.Table]) -> None:
        """Divide the rows of a file by their column ``day``.

        Args:
            file: its number.
            batches: its rows, in order; held until they are half a million.

        Raises:
            StorageError: the disk refused.
        """
        counts: dict[str, int] = {}
        with staged_directory(self._of(file)) as aside:
            held: list[pa.Table] = []
            for batch in batches:
                held.append(batch)
                if sum(map(len, held)) >= _HELD_ROWS:
                    _write_days(aside, pa.concat_tables(held), counts)
                    held = []
            if sum(map(len, held)):
                _write_days(aside, pa.concat_tables(held), counts)
            (aside / _COUNTS).write_text(json.dumps(counts))

    def rows(self, file: int) -> dict[dt.date, int]:
        """How many rows of each day file number ``file`` has."""
        counts = json.loads((self._of(file) / _COUNTS).read_text())
        return {dt.date.fromisoformat(day): rows for day, rows in counts.items()}

    def gather(self, day: dt.date) -> pa.Table:
        """All rows of a day, in the order of the files and then of their rows.

        Raises:
            CorruptError: a part was torn.
        """
        parts = sorted(self.directory.glob(f"*/{day.isoformat()}-*.arrow"))
        try:
            return pa.concat_tables([pa.ipc.open_file(part).read_all() for part in parts])
        except (pa.ArrowInvalid, OSError) as error:
            raise CorruptError(f"{self.directory} is torn; delete it and run this again") from error

    def _of(self, file: int) -> Path:
        return self.directory / f"{file:06d}"


def _write_days(directory: Path, table: pa.Table, counts: dict[str, int]) -> None:
    days = table["day"].cast(pa.int32()).to_numpy()
    order = np.argsort(days, kind="stable")
    table, days = table.take(order), days[order]
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
    for start, stop in pairwise([*starts.tolist(), len(days)]):
        rows = table.slice(start, stop - start)
        day = rows["day"][0].as_py().isoformat()
        before = counts.get(day, 0)
        # Named by the rows before it, so that parts sort in the order of the file.
        path = directory / f"{day}-{before:012d}.arrow"
        with pa.ipc.new_file(str(path), rows.schema, options=_OPTIONS) as writer:
            writer.write_table(rows)
        counts[day] = before + rows.num_rows
