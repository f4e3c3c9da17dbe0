"""A log that goes on: the days of a dataset, and after them those of its live traffic.

What was drained beside a dataset becomes its newest days, so that the next split learns from live
traffic, or judges on it, as from any other day. A log of the past that is served as if it went on
(a synthetic world's) is continued without a gap: live days follow its last day, as far from each
other as they were.
"""

import datetime as dt
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.layout import LivePart
from shortlist.datasets.schema import IMPRESSIONS, USERS
from shortlist.datasets.store import Dataset, DatasetWriter, finished
from shortlist.errors import InputError

_VERSION: Final = 1
_DAY: Final = dt.timedelta(days=1)


def go_on(
    base: Dataset,
    live: Dataset,
    into: Path,
    *,
    forgotten: Collection[int] = (),
    follow: bool,
) -> tuple[Dataset, bool]:
    """Continue a log by the live traffic that was drained beside it.

    Days of the log are taken over byte by byte, and its users keep their rows: newcomers whose ids
    lie below theirs are left out. Where its source fixed a split, that ends here: the last days of
    all are judged on.

    Args:
        base: the log.
        live: what was drained beside it.
        into: directory of the dataset that is made.
        forgotten: users who asked for it. What the log has of them is left out: events, and all
            that is said of them but the id.
        follow: whether live days follow the log's last one at once. If not, all goes by the clock,
            and live days that the log covers itself are left out.

    Returns:
        The dataset, and whether it stood already. It is ``base`` itself where nothing is added.

    Raises:
        InputError: the traffic was drained beside another log.
        CorruptError: a dataset is torn.
        StorageError: the disk refused, or another process is writing the dataset.
    """
    if live.record.base != base.origin:
        beside = "no log" if live.record.base is None else f"{live.record.base.name!r}"
        raise InputError(
            f"{live.path} was drained beside {beside} and not beside {base.path} as it is now; run "
            f"`shortlist online drain {base.path.name}` first"
        )
    end = base.record.last_day
    moved = (live.record.first_day - end - _DAY).days if follow else 0
    days = {day: day - moved * _DAY for day in live.days() if day - moved * _DAY > end}
    gone = frozenset(forgotten)
    if not days and not gone:
        return base, True
    key = _key(base, live, sorted(gone), moved)
    if (stands := finished(into, key)) is not None:
        return stands, True
    source = f"{base.record.source}, then {live.record.source}"
    part = LivePart(first=min(days.values()), moved=moved) if days else None
    writer = DatasetWriter(into, source, key, base=base.origin, live=part)
    users = base.users()
    first = users.column("user_id")[0].as_py()
    for day in base.days():
        _take_over(writer, base, day, gone)
    placed = pc.field("user_id") >= first
    for clock, day in days.items():
        if not writer.has_day(day):
            table = live.impressions(first=clock, last=clock, where=placed)
            if table.num_rows:
                writer.write_day(day, _moved(table, day, moved))
    writer.write_videos(base.videos())
    writer.write_users(_users(users, live.users().filter(placed), gone))
    return writer.finish(), False


def _key(base: Dataset, live: Dataset, gone: list[int], moved: int) -> str:
    parts = (_VERSION, base.record.key, base.record.digest, live.record.digest, gone, moved)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _take_over(writer: DatasetWriter, base: Dataset, day: dt.date, gone: frozenset[int]) -> None:
    """A day of the log without the rows of those who are gone."""
    theirs = pc.field("user_id").isin(list(gone))
    as_it_is = not gone or not base.impressions(["user_id"], day, day, theirs).num_rows
    if as_it_is and writer.keep_day(day, base):
        return
    left = base.impressions(first=day, last=day, where=~theirs)
    if left.num_rows:
        writer.write_day(day, left)


def _moved(table: pa.Table, day: dt.date, moved: int) -> pa.Table:
    """Rows of one day, all their times moved with it."""
    place = IMPRESSIONS.get_field_index
    shown = table.column("shown_at")
    earlier = pc.subtract(shown, pa.scalar(moved * _DAY, pa.duration("ms")))
    table = table.set_column(
        place("shown_at"), IMPRESSIONS.field("shown_at"), earlier.cast(shown.type)
    )
    days = pa.array([day] * table.num_rows, IMPRESSIONS.field("day").type)
    return table.set_column(place("day"), IMPRESSIONS.field("day"), days)


def _users(base: pa.Table, live: pa.Table, gone: frozenset[int]) -> pa.Table:
    """Users of the log, of those who are gone the ids alone, and newcomers; ascending."""
    ids = base.column("user_id")
    known = pc.is_in(live.column("user_id"), value_set=ids.combine_chunks())
    there = pc.invert(pc.is_in(ids, value_set=pa.array(sorted(gone), pa.int64())))
    columns = {
        field.name: ids
        if field.name == "user_id"
        else pc.if_else(there, base.column(field.name), pa.scalar(None, field.type))
        for field in USERS
    }
    newcomers = live.filter(pc.invert(known))
    both = pa.concat_tables([pa.table(columns, schema=USERS), newcomers])
    return both.take(pc.sort_indices(both, [("user_id", "ascending")])).combine_chunks()
