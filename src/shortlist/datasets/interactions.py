"""What a model is fitted to: the columns of a log as numpy arrays, ids replaced by table rows."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Target = Literal["click", "long_view"]

OUTCOMES: Final = ("click", "long_view", "like", "skip", "watch_seconds")


@dataclass(frozen=True, slots=True)
class Interactions:
    """Impressions of a window of days, one entry per row, ascending by day, then impression id.

    Attributes:
        user: row of the user in the users table, int64 [n].
        video: row of the video in the videos table, int64 [n].
        day: days since 1970-01-01, int64 [n].
        session: session id, int64 [n]; -1 where unknown.
        position: place in the session, from 0, int64 [n]; -1 where unknown.
        click, long_view, like, skip: 1, 0 or NaN where unknown, float32 [n].
        watch_seconds: seconds watched, float32 [n]; NaN where unknown.
        propensity: probability under the logging policy, float64 [n]; NaN where unknown.
        random_exposure: shown by the random part of the traffic, bool [n].
        context: float32 [n, 32]; zeros where unknown. Empty [n, 0] unless it was asked for.
    """

    user: Ints
    video: Ints
    day: Ints
    session: Ints
    position: Ints
    click: Floats
    long_view: Floats
    like: Floats
    skip: Floats
    watch_seconds: Floats
    propensity: Doubles
    random_exposure: Bools
    context: Floats

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: Ints | Bools) -> Self:
        """The given rows (indices or a mask) of every column."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def outcome(self, name: Target) -> Floats:
        """The column a model learns, float32 [n]."""
        return self.click if name == "click" else self.long_view

    @classmethod
    def load(
        cls,
        dataset: Dataset,
        users: Users,
        catalogue: Catalogue,
        first: dt.date | None = None,
        last: dt.date | None = None,
        *,
        context: bool = False,
    ) -> Self:
        """Read a window of days, first and last inclusive.

        Context vectors (128 bytes a row) only if asked for; they are then read a day at a time
        into their place, so that they are never held twice.

        Raises:
            InputError: a row names a user or a video that the tables do not have.
        """
        skipped = {"impression_id", "shown_at", "context"}
        columns = [name for name in schema.IMPRESSIONS.names if name not in skipped]
        rows = cls.from_table(dataset.impressions(columns, first, last), users, catalogue)
        if not context:
            return rows
        vectors = np.zeros((len(rows), schema.CONTEXT_WIDTH), np.float32)
        start = 0
        for day in dataset.each_day(["context"], first, last):
            _fill_contexts(day.column("context"), vectors[start : start + day.num_rows])
            start += day.num_rows
        return replace(rows, context=vectors)

    @classmethod
    def from_table(cls, table: pa.Table, users: Users, catalogue: Catalogue) -> Self:
        """Convert a table with the schema's columns; context vectors where it has them.

        Raises:
            InputError: a row names a user or a video that the tables do not have.
        """
        number = table.num_rows
        if "context" in table.column_names:
            context = np.zeros((number, schema.CONTEXT_WIDTH), np.float32)
            _fill_contexts(table.column("context"), context)
        else:
            context = np.zeros((number, 0), np.float32)
        return cls(
            user=_rows(table, "user_id", users.ids),
            video=_rows(table, "video_id", catalogue.ids),
            day=table.column("day").cast(pa.int32()).to_numpy().astype(np.int64),
            session=_filled(table, "session_id", -1, np.int64),
            position=_filled(table, "position", -1, np.int64),
            **{name: _filled(table, name, np.nan, np.float32) for name in OUTCOMES},
            propensity=_filled(table, "propensity", np.nan, np.float64),
            random_exposure=_filled(table, "random_exposure", False, np.bool_),
            context=context,
        )


@dataclass(frozen=True, slots=True)
class TrainingView:
    """All that a recommender may see when it is fitted: logs and features, never the truth.

    Attributes:
        users: the users table.
        catalogue: the videos table.
        log: the impressions of the history.
        content: content vectors of the videos, float32 [n_videos, width], rows of unit length.
        as_of: first day that is not in the history; recommendations are for this day.
        target: the outcome that recommendations should bring about.
        context: the context in which the recommendations will be shown, float32 [32].
        seed: for whatever a fit draws at random.
    """

    users: Users
    catalogue: Catalogue
    log: Interactions
    content: Floats
    as_of: dt.date
    target: Target
    context: Floats
    seed: int = 0

    @property
    def as_of_day(self) -> int:
        """``as_of`` in days since 1970-01-01."""
        return (self.as_of - dt.date(1970, 1, 1)).days


def _rows(table: pa.Table, column: str, ids: Ints) -> Ints:
    values: Ints = table.column(column).to_numpy()
    rows: Ints = np.searchsorted(ids, values).clip(max=max(len(ids) - 1, 0))
    if len(values) and (len(ids) == 0 or not bool((ids[rows] == values).all())):
        unknown = values if len(ids) == 0 else values[ids[rows] != values]
        raise InputError(
            f"impressions: {len(unknown)} rows have a {column} that its table lacks, for example "
            f"{unknown[0]}; import the tables of the same source together"
        )
    return rows


def _filled(
    table: pa.Table, column: str, missing: float | bool, dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    values = table.column(column)
    if pa.types.is_boolean(values.type) and dtype != np.bool_:
        values = values.cast(pa.int8())
    if values.null_count:
        if dtype in (np.float32, np.float64):
            values = values.cast(pa.float64())
        values = values.fill_null(missing)
    filled: npt.NDArray[Any] = values.to_numpy()
    return filled.astype(dtype, copy=False)


def _fill_contexts(column: pa.ChunkedArray, into: Floats) -> None:
    """Copy context vectors into ``into``, [n, 32]; rows without one are left as they are."""
    start = 0
    for chunk in column.chunks:
        part = into[start : start + len(chunk)]
        # `flatten` leaves null vectors out.
        vectors = chunk.flatten().to_numpy().reshape(-1, schema.CONTEXT_WIDTH)
        if chunk.null_count:
            part[chunk.is_valid().to_numpy(zero_copy_only=False)] = vectors
        else:
            part[:] = vectors
        start += len(chunk)


def events_since(user: Ints) -> Ints:
    """How many later rows the same user has, int64 [n]: 0 marks a user's last event.

    Args:
        user: the user of each row, in the order of time, int64 [n].

    >>> events_since(np.array([7, 3, 7, 7]))
    array([2, 0, 1, 0])
    """
    order = np.argsort(user, kind="stable")
    _, first, counts = np.unique(user[order], return_index=True, return_counts=True)
    later = np.empty(len(user), np.int64)
    later[order] = np.repeat(first + counts, counts) - 1 - np.arange(len(user))
    return later


def seen_pairs(log: Interactions, users: Ints) -> list[Ints]:
    """For each of ``users`` (rows), the distinct video rows ``log`` shows to them, ascending."""
    span = int(log.video.max(initial=0)) + 1
    keys = np.unique(log.user * span + log.video)
    starts, ends = np.searchsorted(keys, users * span), np.searchsorted(keys, (users + 1) * span)
    return [keys[a:b] % span for a, b in zip(starts, ends, strict=True)]


def pack_lists(lists: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Flatten ragged lists into values and borders (``values[borders[i]:borders[i + 1]]``)."""
    borders = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(part) for part in lists], out=borders[1:])
    values = np.concatenate(lists) if lists else np.zeros(0, np.int64)
    return values.astype(np.int64), borders
