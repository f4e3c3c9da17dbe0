"""From archived entries to impressions: what was shown, and what came of it, in one row.

A row is a video shown to a user on a page on a day. It is made by a reported impression or, where
that was lost, by the first outcome: who clicked has seen. Outcomes join the latest such row within
``online.join_hours``; context, propensity, session and position are those of the served page.
Which row an entry belongs to hangs on nothing further away than that many hours, so a day can be
made again from the entries around it, and always comes out the same.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets.ids import opaque
from shortlist.datasets.schema import IMPRESSIONS
from shortlist.online.archive import utc_day
from shortlist.online.entries import SKIP_SECONDS, Action, EntryType, long_view_from

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
SKEW_MS: Final = 60_000
"""An outcome may be reported with a time so much before its impression's, by another clock."""
_TIE_BITS: Final = 20


@dataclass(slots=True)
class Slot:
    """What the served page knows of a video on it."""

    at: int
    session: str | None
    position: int | None
    propensity: float | None
    random: bool
    context: list[float] | None


@dataclass(slots=True)
class Row:
    """One impression in the making; times in milliseconds."""

    user: int
    video: int
    request: str | None
    at: int
    identity: int
    first: dict[str, Any]
    clicked: bool = False
    liked: bool = False
    skipped: bool = False
    watched: float | None = None
    slot: Slot | None = None

    def add(self, action: int, watch_seconds: float | None) -> None:
        """What one more outcome says."""
        self.clicked |= action == Action.CLICK
        self.liked |= action == Action.LIKE
        self.skipped |= action == Action.SKIP
        if watch_seconds is not None:
            self.watched = max(self.watched or 0.0, watch_seconds)


@dataclass(slots=True)
class Joined:
    """Rows of a day, and what was left over.

    Attributes:
        rows: ascending by time, then by what told them apart.
        late: outcomes of the day that name a page which was shown too long before, or never.
    """

    rows: list[Row]
    late: int = 0


@dataclass(slots=True)
class _Shown:
    """Rows of one user and video so far."""

    rows: list[Row] = field(default_factory=list)

    def latest(self, at: int, within: int, request: str | None) -> Row | None:
        """The latest row that an outcome at a time may belong to; of its own page first."""
        fitting = [row for row in self.rows if row.at - SKEW_MS <= at <= row.at + within]
        own = [row for row in fitting if request is not None and row.request == request]
        if request is not None and not own:
            return None
        return max(own or fitting, key=lambda row: (row.at, row.identity), default=None)


def join_day(entries: Iterable[Mapping[str, Any]], day: dt.date, join_ms: int) -> Joined:
    """Make the rows of a day.

    Args:
        entries: rows of segments, none a duplicate: all whose time lies in the day's `reach`; in
            any order.
        day: in UTC.
        join_ms: how long after an impression an outcome joins it.
    """
    ordered = sorted(entries, key=lambda entry: (entry["at_ms"], entry["identity"]))
    events = [entry for entry in ordered if entry["type"] == EntryType.EVENT]
    slots = _slots(entry for entry in ordered if entry["type"] == EntryType.PAGE)
    shown: dict[tuple[int, int], _Shown] = defaultdict(_Shown)
    impressions: dict[tuple[int, int, str | None, Any], Row] = {}
    for event in events:
        if event["action"] != Action.IMPRESSION:
            continue
        # A page shows a video once; without a page every report is another time.
        when = utc_day(event["at_ms"]) if event["request_id"] is not None else event["identity"]
        key = (event["subject"], event["video"], event["request_id"], when)
        if key not in impressions:
            impressions[key] = _new(event)
            shown[event["subject"], event["video"]].rows.append(impressions[key])
    late = 0
    orphans: dict[tuple[int, int, str | None, dt.date], Row] = {}
    for event in events:
        if event["action"] == Action.IMPRESSION:
            continue
        user, video, request = event["subject"], event["video"], event["request_id"]
        row = shown[user, video].latest(event["at_ms"], join_ms, request)
        if row is None:
            on, slot = utc_day(event["at_ms"]), slots.get((user, request, video))
            if request is not None and not (
                slot and slot.at - SKEW_MS <= event["at_ms"] <= slot.at + join_ms
            ):
                late += on == day
                continue
            row = orphans.setdefault((user, video, request, on), _new(event))
        row.add(event["action"], event["watch_seconds"])
    rows = [row for row in [*impressions.values(), *orphans.values()] if utc_day(row.at) == day]
    for row in rows:
        slot = slots.get((row.user, row.request, row.video))
        if slot is not None and abs(row.at - slot.at) <= join_ms:
            row.slot = slot
    return Joined(sorted(rows, key=lambda row: (row.at, row.identity)), late)


def reach(day: dt.date, join_ms: int) -> tuple[int, int]:
    """Times of the first and the last entry that a day's rows may hang on, in milliseconds."""
    start = (day - dt.date(1970, 1, 1)).days * DAY_MS
    return start - join_ms - SKEW_MS, start + DAY_MS + join_ms + SKEW_MS


def impressions_table(rows: list[Row], duration: Mapping[int, float], settled_ms: int) -> pa.Table:
    """Rows in the dataset's schema.

    Ids are made of the time and of what told the row apart. They ascend in time, lie above those
    of any dataset that counts its rows, and stay what they are when a late row comes between.

    Args:
        rows: of one day, ascending.
        duration: seconds by video, where they are known; videos that are not in it are unknown.
        settled_ms: later rows still wait for their outcomes and are left out.
    """
    kept = [row for row in rows if row.at <= settled_ms and row.video in duration]
    sessions = [row.slot.session if row.slot else row.first["session_id"] for row in kept]
    columns = {
        "impression_id": _ids(kept),
        "user_id": [row.user for row in kept],
        "video_id": [row.video for row in kept],
        "day": [utc_day(row.at) for row in kept],
        "shown_at": [row.at for row in kept],
        "session_id": opaque(pa.array(sessions, pa.string())),
        "position": [row.slot.position if row.slot else row.first["position"] for row in kept],
        "context": [row.slot.context if row.slot else None for row in kept],
        "propensity": [
            row.slot.propensity if row.slot else row.first["propensity"] for row in kept
        ],
        "random_exposure": [row.slot.random if row.slot else None for row in kept],
        "click": [row.clicked for row in kept],
        "watch_seconds": [row.watched for row in kept],
        "long_view": [_long_view(row, duration[row.video]) for row in kept],
        "like": [row.liked for row in kept],
        "skip": [row.skipped or _left_at_once(row) for row in kept],
    }
    arrays = [
        values if isinstance(values, pa.Array) else pa.array(values, IMPRESSIONS.field(name).type)
        for name, values in columns.items()
    ]
    return pa.Table.from_arrays(arrays, schema=IMPRESSIONS)


def _new(event: Mapping[str, Any]) -> Row:
    return Row(
        user=event["subject"],
        video=event["video"],
        request=event["request_id"],
        at=event["at_ms"],
        identity=event["identity"],
        first=dict(event),
    )


def _slots(pages: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str | None, int], Slot]:
    found: dict[tuple[int, str | None, int], Slot] = {}
    for page in pages:
        lists = (page["videos"], page["positions"], page["propensities"], page["random"])
        for video, position, propensity, random in zip(*lists, strict=True):
            slot = Slot(
                page["at_ms"],
                page["session_id"],
                position if position >= 0 else None,
                propensity if 0 < propensity <= 1 else None,
                random,
                page["context"],
            )
            found.setdefault((page["subject"], page["request_id"], video), slot)
    return found


def _ids(rows: list[Row]) -> npt.NDArray[np.int64]:
    ids, last = np.zeros(len(rows), np.int64), -1
    for place, row in enumerate(rows):
        last = max((row.at << _TIE_BITS) | (row.identity >> (64 - _TIE_BITS)), last + 1)
        ids[place] = last
    return ids


def _long_view(row: Row, duration: float) -> bool | None:
    """Unknown where a video was opened and nobody said for how long."""
    if row.watched is not None:
        return row.watched >= long_view_from(duration)
    return None if row.clicked else False


def _left_at_once(row: Row) -> bool:
    return row.watched is not None and row.watched < SKIP_SECONDS
