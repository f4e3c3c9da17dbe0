"""The users and videos tables as numpy arrays, ready for models."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from shortlist.errors import NotFoundError

_DAY_MILLISECONDS: Final = 86_400_000


@dataclass(frozen=True)
class Catalogue:
    """The videos table; row ``j`` of every array is the video ``ids[j]``.

    Attributes:
        table: the table itself, for titles and whatever else is not an array here.
        ids: video ids, ascending, int64 [n].
        creator: index of the creator among this table's creators, int64 [n]; -1 where unknown.
        duration_seconds: float32 [n]; NaN where unknown.
        upload_day: days since 1970-01-01 in UTC, int64 [n]; the earliest known where unknown.
        language: index into ``languages``, int64 [n]; -1 where unknown.
        languages: names of the languages, sorted.
        tag_names: names of all tags, sorted.
        tags: who has which tag, CSR of float32 ones, [n, n_tags].
    """

    table: pa.Table
    ids: npt.NDArray[np.int64]
    creator: npt.NDArray[np.int64]
    duration_seconds: npt.NDArray[np.float32]
    upload_day: npt.NDArray[np.int64]
    language: npt.NDArray[np.int64]
    languages: tuple[str, ...]
    tag_names: tuple[str, ...]
    tags: sp.csr_array

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def creators(self) -> int:
        """How many creators there are."""
        return int(self.creator.max(initial=-1)) + 1

    def uploaded_before(self, day: dt.date) -> npt.NDArray[np.bool_]:
        """Which videos exist when ``day`` begins, bool [n]."""
        return self.upload_day < (day - dt.date(1970, 1, 1)).days

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Convert a videos table of the schema, ascending by ``video_id``."""
        creator, _ = _codes(table.column("creator_id"))
        language, languages = _codes(table.column("language"))
        tags, names = _incidence(table.column("tags"))
        return cls(
            table=table,
            ids=table.column("video_id").to_numpy(),
            creator=creator,
            duration_seconds=_floats(table.column("duration_seconds")),
            upload_day=upload_days(table.column("uploaded_at")),
            language=language,
            languages=tuple(str(name) for name in languages),
            tag_names=names,
            tags=tags,
        )


@dataclass(frozen=True)
class Users:
    """The users table; row ``i`` of every array is the user ``ids[i]``.

    Attributes:
        table: the table itself.
        ids: user ids, ascending, int64 [n].
        language: index into ``languages``, int64 [n]; -1 where unknown.
        languages: names of the languages, sorted.
        activity: index into ``activities``, int64 [n]; -1 where unknown.
        activities: names of the activity classes, sorted.
    """

    table: pa.Table
    ids: npt.NDArray[np.int64]
    language: npt.NDArray[np.int64]
    languages: tuple[str, ...]
    activity: npt.NDArray[np.int64]
    activities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, user_id: int) -> int:
        """The row of a user id.

        Raises:
            NotFoundError: there is no such user.
        """
        at = int(np.searchsorted(self.ids, user_id))
        if at == len(self.ids) or self.ids[at] != user_id:
            known = f"ids run from {self.ids[0]} to {self.ids[-1]}" if len(self.ids) else "none"
            raise NotFoundError(f"no user {user_id} in this dataset ({known})")
        return at

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Convert a users table of the schema, ascending by ``user_id``."""
        language, languages = _codes(table.column("language"))
        activity, activities = _codes(table.column("activity"))
        return cls(
            table=table,
            ids=table.column("user_id").to_numpy(),
            language=language,
            languages=tuple(str(name) for name in languages),
            activity=activity,
            activities=tuple(str(name) for name in activities),
        )


def upload_days(uploaded_at: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Days since 1970-01-01 in UTC of a column of the schema; the earliest known where unknown."""
    milliseconds = uploaded_at.cast(pa.int64())
    earliest = pc.min(milliseconds).as_py() or 0
    days: npt.NDArray[np.int64] = milliseconds.fill_null(earliest).to_numpy() // _DAY_MILLISECONDS
    return days


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[object]]:
    """Codes of a column's values in sorted order, -1 for null, and the values."""
    values = sorted(value for value in column.unique().to_pylist() if value is not None)
    if not values:
        return np.full(len(column), -1, np.int64), []
    found = pc.index_in(column, value_set=pa.array(values, column.type))
    return found.fill_null(-1).to_numpy().astype(np.int64), values


def _incidence(column: pa.ChunkedArray) -> tuple[sp.csr_array, tuple[str, ...]]:
    lists = column.combine_chunks()
    counts = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    codes, names = _codes(pa.chunked_array([lists.flatten()], pa.string()))
    borders = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ones = np.ones(len(codes), np.float32)
    matrix = sp.csr_array((ones, codes, borders), shape=(len(counts), len(names)))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix, tuple(str(name) for name in names)


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float64] = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
    return values.astype(np.float32)
