"""Somebody else's CSV or Parquet file, read in batches; each way it can be broken is one sentence.

CSV values arrive as text, so that whoever parses them can say which one is wrong; Parquet values
arrive with the file's own types.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from shortlist.errors import InputError, NotFoundError
from shortlist.spelling import nearest

Format = Literal["csv", "parquet"]

FORMATS: Final[Mapping[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""The format of a file by its suffix, once ``.gz``, ``.bz2`` or ``.zst`` is taken off."""

NULL_VALUES: Final = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "\\N")
_COMPRESSED: Final = (".gz", ".bz2", ".zst")
_BATCH_ROWS: Final = 256 * 1024
_BLOCK_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        separator: the character between values.
        encoding: of the whole file.
        header: names of the columns, where the file has no line with them.
        null_values: texts that stand for no value.
    """

    separator: str = ","
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    null_values: tuple[str, ...] = NULL_VALUES


@dataclass(frozen=True)
class ForeignFile:
    """One file. Nothing is opened before it is asked for.

    Attributes:
        path: where it lies.
        format: how to read it.
        dialect: how to read it if it is CSV.
    """

    path: Path
    format: Format
    dialect: Dialect = field(default_factory=Dialect)

    def names(self) -> list[str]:
        """The names of the columns, in the order of the file.

        Raises:
            NotFoundError: there is no such file.
            InputError: the file is empty, is not of its format, or names a column twice.
        """
        self._refuse_absent_or_empty()
        with self._malformed():
            if self.format == "parquet":
                names = list(pq.read_schema(self.path).names)
            else:
                with self._open_csv(None) as reader:
                    names = list(reader.schema.names)
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{self.path}: two columns are called {name!r}; rename one")
        return names

    def require(self, columns: Sequence[str]) -> None:
        """Hold that the file has ``columns``.

        Raises:
            InputError: it lacks one; the message names the nearest that it has.
        """
        names = self.names()
        for column in columns:
            if column not in names:
                raise InputError(f"{self.path}: no column {column!r}{nearest(column, names)}")

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in the order of the file, some hundred thousand at a time.

        Args:
            columns: the columns wanted, without repeats; batches have them in this order.

        Raises:
            NotFoundError: there is no such file.
            InputError: a column is missing, or the file is torn, ragged or has no rows.
        """
        self.require(columns)
        rows = 0
        with self._malformed():
            for batch in self._parquet(columns) if self.format == "parquet" else self._csv(columns):
                rows += batch.num_rows
                if batch.num_rows:
                    yield batch
        if not rows:
            raise InputError(f"{self.path} has no rows; name a file that has some")

    def _parquet(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False):
                yield batch.select(list(columns))

    def _csv(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with self._open_csv(columns) as reader:
            yield from reader

    def _open_csv(self, columns: Sequence[str] | None) -> pa.csv.CSVStreamingReader:
        wanted = list(columns or [])
        convert = pa.csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            null_values=list(self.dialect.null_values),
            strings_can_be_null=True,
        )
        header = self.dialect.header
        return pa.csv.open_csv(
            self.path,
            pa.csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                encoding=self.dialect.encoding,
                column_names=None if header is None else list(header),
            ),
            pa.csv.ParseOptions(delimiter=self.dialect.separator, newlines_in_values=True),
            convert,
        )

    def _refuse_absent_or_empty(self) -> None:
        if not self.path.exists():
            raise NotFoundError(f"no file {self.path}; check the path")
        if not self.path.is_file():
            raise InputError(f"{self.path} is not a file; name its files, for example with *")
        if self.path.stat().st_size == 0:
            raise InputError(f"{self.path} is empty; name a file that has rows")

    @contextmanager
    def _malformed(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
            reason = _printable(str(error).splitlines()[0])[:200].rstrip(". ")
            raise InputError(
                f"{self.path} cannot be read as {'CSV' if self.format == 'csv' else 'Parquet'}: "
                f"{reason}"
            ) from error
        except (UnicodeDecodeError, LookupError) as error:
            raise InputError(
                f"{self.path} is not {self.dialect.encoding} text; set `encoding`"
            ) from error
        except OSError as error:
            reason = (error.strerror or str(error)).splitlines()[0]
            raise InputError(f"cannot read {self.path}: {reason}") from error


def _printable(text: str) -> str:
    """``text`` without what would ruin a terminal: a file may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def format_of(path: Path) -> Format:
    """The format that a file's suffix stands for.

    >>> format_of(Path("log_4_08.csv.gz"))
    'csv'

    Raises:
        InputError: the suffix says nothing.
    """
    suffix = Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix
    if suffix.lower() not in FORMATS:
        raise InputError(
            f"{path}: its suffix {suffix!r} names no format; set `format` to csv or parquet"
        )
    return FORMATS[suffix.lower()]
