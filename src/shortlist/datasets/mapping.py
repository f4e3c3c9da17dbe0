"""The mapping of a log of one's own: which files, and which of their columns mean what.

A mapping is a YAML file, closed to names it does not know; ``docs/bring-your-own.md`` shows one.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self
from zoneinfo import available_timezones

import pyarrow as pa
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from shortlist.datasets.foreign import NULL_VALUES, Dialect, ForeignFile, Format, format_of
from shortlist.datasets.schema import TABLES
from shortlist.datasets.values import FALSE_VALUES, TRUE_VALUES, Reading, Unit
from shortlist.errors import InputError, NotFoundError
from shortlist.spelling import nearest

_OURS: Final = {"impression_id", "external_id", "context"}
MAPPABLE: Final[Mapping[str, Sequence[str]]] = {
    table: tuple(name for name in fields.names if name not in _OURS)
    for table, fields in TABLES.items()
}
"""The columns that a mapping may name, by table; the others are made by the import, or null."""

OUTCOMES: Final = ("click", "watch_seconds", "long_view", "like")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(
            f"no such time zone{nearest(name, available_timezones(), 'see IANA names')}"
        )
    return name


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class ColumnMapping(_Closed):
    """Where one column of the schema comes from; a plain name is short for ``{column: name}``."""

    column: str | None = Field(None, description="Its name in the file.")
    constant: bool | None = Field(None, description="In place of a column: one truth for all rows.")
    unit: Unit | None = Field(None, description="Of times and durations that are numbers.")
    format: str | None = Field(None, description="Of times that are texts, as in strptime.")
    separator: str | None = Field(None, description="Between the parts of lists that are texts.")
    true_values: Texts | None = Field(None, description="What stands for true.")
    false_values: Texts | None = Field(None, description="What stands for false.")
    at_least: float | None = Field(None, description="Numbers from here on are true.")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("name either a `column` or a `constant`")
        return self

    def reading(self, timezone: str) -> Reading:
        """How the values are to be parsed."""
        return Reading(
            unit=self.unit,
            format=self.format,
            separator=self.separator,
            true_values=self.true_values or TRUE_VALUES,
            false_values=self.false_values or FALSE_VALUES,
            at_least=self.at_least,
            timezone=timezone,
        )


class TableMapping(_Closed):
    """The files of one table, and its columns."""

    files: Texts = Field(description="Paths from the mapping's directory; * and ** match many.")
    format: Format | None = Field(None, description="By default as the suffix says.")
    separator: str = Field(",", min_length=1, max_length=1, description="Between values of CSV.")
    encoding: str = Field("utf-8", description="Of CSV.")
    header: Texts | None = Field(None, description="Column names of CSV without such a line.")
    null_values: Texts = Field(NULL_VALUES, description="What stands for no value in CSV.")
    columns: dict[str, ColumnMapping] = Field(description="By the name of the schema's column.")

    def foreign_files(self, base: Path) -> list[ForeignFile]:
        """The files, sorted within each pattern.

        Raises:
            NotFoundError: a pattern matches nothing.
            InputError: a suffix names no format.
        """
        dialect = Dialect(self.separator, self.encoding, self.header, self.null_values)
        paths = [path for pattern in self.files for path in _matches(base, pattern)]
        return [
            ForeignFile(path, self.format or format_of(path), dialect)
            for path in dict.fromkeys(paths)
        ]


class LongViewRule(_Closed):
    """A long view is a watch of at least so many seconds, or of the whole of a shorter video."""

    watch_seconds: float = Field(18.0, gt=0, description="Seconds that make a view long.")


class Derivations(_Closed):
    """Columns that follow from others."""

    long_view: LongViewRule | None = None


class LogMapping(_Closed):
    """A whole log. Users and videos that have no table are taken from the impressions."""

    name: str | None = Field(
        None, pattern=r"^[\w][\w.-]*$", description="Of the dataset; else the mapping file's name."
    )
    timezone: Annotated[str, AfterValidator(_known_timezone)] = Field(
        "UTC", description="Of times that name none, and of the days by which the log is split."
    )
    test_from: date | None = Field(None, description="First test day, where it is agreed upon.")
    users: TableMapping | None = None
    videos: TableMapping | None = None
    impressions: TableMapping
    derive: Derivations = Derivations()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for table, mapped in self.tables():
            for name, column in mapped.columns.items():
                if name not in MAPPABLE[table]:
                    raise ValueError(
                        f"{table}.columns: {table} have no column {name!r} to map"
                        f"{nearest(name, MAPPABLE[table])}"
                    )
                _refuse_idle_options(f"{table}.columns.{name}", table, name, column)
            for key in _required(table):
                if key not in mapped.columns:
                    raise ValueError(f"{table}.columns: {key} is missing; map it")
        columns = self.impressions.columns
        if not {"shown_at", "day"} & set(columns):
            raise ValueError("impressions.columns: neither shown_at nor day is mapped; map one")
        derived = self.derive.long_view is not None
        if derived and ("long_view" in columns or "watch_seconds" not in columns):
            raise ValueError(
                "derive.long_view: it follows from watch_seconds; map that, and not long_view"
            )
        if not set(OUTCOMES) & set(columns):
            raise ValueError(f"impressions.columns: map an outcome: {', '.join(OUTCOMES)}")
        return self

    def tables(self) -> Iterable[tuple[str, TableMapping]]:
        """The mapped tables by name, impressions last."""
        for name in ("users", "videos", "impressions"):
            mapped: TableMapping | None = getattr(self, name)
            if mapped is not None:
                yield name, mapped


def load_mapping(path: Path) -> LogMapping:
    """Read a mapping.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is not YAML, or something in it is misspelt, missing or of the wrong type;
            the message names it, and the nearest that exists.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _TextLoader)
    except FileNotFoundError as error:
        raise NotFoundError(f"no mapping {path}; check --mapping") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read mapping {path}: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is no mapping; it must say `impressions:` and what they are")
    try:
        return LogMapping.model_validate(document)
    except ValidationError as error:
        # A misspelt name often leaves another missing; the misspelling is the cause.
        details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        more = f" (and {len(details) - 1} more faults)" if len(details) > 1 else ""
        raise InputError(f"{path}: {_sentence(details[0])}{more}") from error


def _required(table: str) -> Sequence[str]:
    return {"users": ["user_id"], "videos": ["video_id"]}.get(table, ["user_id", "video_id"])


def _refuse_idle_options(where: str, table: str, name: str, column: ColumnMapping) -> None:
    """An option that the column's type has no use for is a mistake."""
    kind = TABLES[table].field(name).type
    useful = {"column"}
    if pa.types.is_timestamp(kind):
        useful |= {"unit", "format"}
    elif pa.types.is_date(kind):
        useful |= {"format"}
    elif pa.types.is_boolean(kind):
        useful |= {"constant", "true_values", "false_values", "at_least"}
    elif pa.types.is_list(kind):
        useful |= {"separator"}
    elif name.endswith("_seconds"):
        useful |= {"unit"}
    for option in sorted(column.model_fields_set - useful):
        raise ValueError(f"{where}: `{option}` says nothing about a {kind} column; remove it")


def _matches(base: Path, pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if not any(letter in pattern for letter in "*?["):
        return [base / path]
    root = Path(path.anchor) if path.is_absolute() else base
    found = sorted(root.glob(str(path.relative_to(root)) if path.is_absolute() else pattern))
    if not found:
        raise NotFoundError(f"no file matches {base / path}; check `files`")
    return found


def _sentence(detail: ErrorDetails) -> str:
    location = [str(part) for part in detail["loc"]]
    where = ".".join(location)
    if detail["type"] == "extra_forbidden":
        return f"no option {where!r}{nearest(location[-1], _options(location))}"
    if detail["type"] == "missing":
        return f"{where} is missing; add it"
    reason = detail["msg"].removeprefix("Value error, ")
    value = detail["input"]
    shown = f" cannot be {value!r}" if isinstance(value, str) else ""
    return f"{where}{shown}: {reason}" if where else reason


def _options(location: Sequence[str]) -> Iterable[str]:
    """The names known where an unknown one stands."""
    model: type[BaseModel] = LogMapping
    if location[0] in TABLES and len(location) > 1:
        model = ColumnMapping if location[1] == "columns" else TableMapping
    elif location[0] == "derive" and len(location) > 1:
        model = LongViewRule if len(location) > 2 else Derivations
    return model.model_fields


class _TextLoader(yaml.BaseLoader):
    """Reads scalars as text, so that `true_values: [yes]` is a word; refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", mark)
        return super().construct_mapping(node, deep)
