"""Impressions and what came of them, in one row; worked by hand."""

import datetime as dt
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets import laws
from shortlist.online.entries import Action, EntryType
from shortlist.online.joining import (
    DAY_MS,
    HOUR_MS,
    SKEW_MS,
    Row,
    impressions_table,
    join_day,
    reach,
)

DAY = dt.date(2026, 3, 2)
START = (DAY - dt.date(1970, 1, 1)).days * DAY_MS
JOIN = 24 * HOUR_MS
NOON = START + 12 * HOUR_MS
ALL = {10: 60.0, 11: 6.0}
_COUNT = iter(range(1, 10**9))


def event(action: Action, at: int, **given: Any) -> dict[str, Any]:
    plain = {
        "type": int(EntryType.EVENT),
        "identity": next(_COUNT) << 44,
        "subject": 1,
        "at_ms": at,
        "video": 10,
        "action": int(action),
        "watch_seconds": None,
        "request_id": None,
        "session_id": None,
        "position": None,
        "propensity": None,
    }
    return plain | given


def page(at: int, **given: Any) -> dict[str, Any]:
    plain = {
        "type": int(EntryType.PAGE),
        "identity": next(_COUNT) << 44,
        "subject": 1,
        "at_ms": at,
        "request_id": "r",
        "session_id": "s",
        "context": [0.5] * 32,
        "videos": [10, 11],
        "positions": [4, 5],
        "propensities": [0.98, 0.01],
        "random": [False, True],
    }
    return plain | given


def rows(*entries: dict[str, Any], day: dt.date = DAY) -> list[Row]:
    return join_day(entries, day, JOIN).rows


def test_an_impression_and_its_outcomes_are_one_row() -> None:
    (row,) = rows(
        event(Action.LIKE, NOON + 9_000, request_id="r"),
        event(Action.IMPRESSION, NOON, request_id="r"),
        event(Action.WATCH, NOON + 8_000, request_id="r", watch_seconds=3.0),
        event(Action.CLICK, NOON + 1_000, request_id="r"),
        event(Action.WATCH, NOON + 8_500, request_id="r", watch_seconds=20.0),
        page(NOON - 500),
    )
    assert row.at == NOON
    assert (row.clicked, row.liked, row.skipped, row.watched) == (True, True, False, 20.0)
    table = impressions_table([row], ALL, NOON)
    (found,) = table.to_pylist()
    assert found["click"] is True
    assert found["long_view"] is True
    assert found["like"] is True
    assert found["skip"] is False
    assert (found["position"], found["propensity"], found["random_exposure"]) == (4, 0.98, False)
    assert found["context"] == [0.5] * 32
    assert found["session_id"] is not None
    assert found["day"] == DAY
    laws.check("impressions", table, DAY)


def test_what_nobody_reported_is_false_or_unknown_never_invented() -> None:
    (bare,) = impressions_table(rows(event(Action.IMPRESSION, NOON)), ALL, NOON).to_pylist()
    assert (bare["click"], bare["like"], bare["skip"], bare["long_view"]) == (False,) * 4
    assert bare["watch_seconds"] is None
    assert bare["context"] is bare["propensity"] is bare["session_id"] is None
    assert bare["random_exposure"] is None
    (opened,) = impressions_table(
        rows(event(Action.IMPRESSION, NOON), event(Action.CLICK, NOON + 1)), ALL, NOON
    ).to_pylist()
    assert opened["long_view"] is None


def test_a_short_watch_is_a_skip_and_the_whole_of_a_short_video_is_long() -> None:
    (short,) = impressions_table(
        rows(event(Action.WATCH, NOON, watch_seconds=1.5)), ALL, NOON
    ).to_pylist()
    assert (short["skip"], short["long_view"]) == (True, False)
    (whole,) = impressions_table(
        rows(event(Action.WATCH, NOON, watch_seconds=6.0, video=11)), ALL, NOON
    ).to_pylist()
    assert (whole["skip"], whole["long_view"]) == (False, True)


def test_an_outcome_without_its_impression_is_a_row_because_who_clicked_has_seen() -> None:
    (row,) = rows(page(NOON - 500), event(Action.CLICK, NOON, request_id="r"))
    assert row.slot is not None
    assert row.at == NOON
    (alone,) = rows(event(Action.CLICK, NOON), event(Action.LIKE, NOON + 5))
    assert alone.clicked
    assert alone.liked


def test_one_video_on_two_pages_is_two_rows_each_with_its_own_outcomes() -> None:
    first, second = rows(
        page(NOON),
        page(NOON + 1_000, request_id="q"),
        event(Action.IMPRESSION, NOON, request_id="r"),
        event(Action.IMPRESSION, NOON + 1_000, request_id="q"),
        event(Action.CLICK, NOON + 2_000, request_id="r"),
    )
    assert (first.request, first.clicked) == ("r", True)
    assert (second.request, second.clicked) == ("q", False)


def test_an_outcome_that_names_no_page_joins_the_latest_impression() -> None:
    first, second = rows(
        event(Action.IMPRESSION, NOON, request_id="r"),
        event(Action.IMPRESSION, NOON + 60_000_00),
        event(Action.LIKE, NOON + 70_000_00),
    )
    assert (first.liked, second.liked) == (False, True)


def test_an_impression_reported_twice_of_one_page_is_one_row() -> None:
    assert len(rows(*(event(Action.IMPRESSION, NOON + i, request_id="r") for i in range(2)))) == 1
    assert len(rows(*(event(Action.IMPRESSION, NOON + i) for i in range(2)))) == 2


def test_an_outcome_that_names_a_page_of_long_ago_is_late_and_changes_nothing() -> None:
    shown = event(Action.IMPRESSION, START, request_id="r")
    just = event(Action.CLICK, START + JOIN, request_id="r")
    late = event(Action.CLICK, START + JOIN + 1, request_id="r")
    tomorrow = DAY + dt.timedelta(days=1)
    assert join_day([shown, just], DAY, JOIN).rows[0].clicked
    joined = join_day([shown, late], DAY, JOIN)
    assert not joined.rows[0].clicked
    assert (joined.late, join_day([shown, late], tomorrow, JOIN).late) == (0, 1)
    assert join_day([shown, late], tomorrow, JOIN).rows == []


def test_a_clock_that_is_a_little_behind_does_not_part_a_click_from_its_impression() -> None:
    (row,) = rows(event(Action.IMPRESSION, NOON), event(Action.CLICK, NOON - SKEW_MS))
    assert row.clicked
    assert len(rows(event(Action.IMPRESSION, NOON), event(Action.CLICK, NOON - SKEW_MS - 1))) == 2


def test_users_and_videos_are_kept_apart() -> None:
    found = rows(
        event(Action.IMPRESSION, NOON),
        event(Action.CLICK, NOON + 1, subject=2),
        event(Action.CLICK, NOON + 2, video=11),
    )
    assert [(row.user, row.video, row.clicked) for row in found] == [
        (1, 10, False),
        (2, 10, True),
        (1, 11, True),
    ]


def test_rows_that_wait_and_rows_of_unknown_videos_are_left_out() -> None:
    found = rows(
        event(Action.IMPRESSION, NOON),
        event(Action.IMPRESSION, NOON + 1, video=99),
        event(Action.IMPRESSION, NOON + 2, video=11),
    )
    assert impressions_table(found, ALL, NOON + 1).column("video_id").to_pylist() == [10]


def test_a_propensity_that_cannot_be_is_unknown() -> None:
    (row,) = rows(page(NOON, propensities=[0.0, 1.0]), event(Action.CLICK, NOON, request_id="r"))
    assert impressions_table([row], ALL, NOON)["propensity"].to_pylist() == [None]


def test_ids_ascend_and_stay_when_a_row_comes_between() -> None:
    entries = [event(Action.IMPRESSION, NOON + i, subject=i) for i in (0, 5, 9)]
    before = impressions_table(rows(*entries), ALL, START + DAY_MS)
    between = event(Action.IMPRESSION, NOON + 7, subject=7)
    after = impressions_table(rows(*entries, between), ALL, START + DAY_MS)
    old, new = (
        dict(zip(t["user_id"].to_pylist(), t["impression_id"].to_pylist(), strict=True))
        for t in (before, after)
    )
    assert {user: new[user] for user in old} == old
    assert new[5] < new[7] < new[9]


def test_ids_of_equal_moments_differ() -> None:
    twins = [event(Action.IMPRESSION, NOON, identity=5, subject=i) for i in range(3)]
    ids = impressions_table(rows(*twins), ALL, NOON)["impression_id"].to_numpy()
    assert np.diff(ids).tolist() == [1, 1]


HOURS = st.integers(-60, 60).map(lambda half: NOON + half * HOUR_MS // 2)
EVENTS = st.lists(
    st.tuples(st.sampled_from(Action), HOURS, st.sampled_from([None, "r", "q"])), max_size=25
)


@given(EVENTS)
def test_a_day_made_of_what_is_near_equals_that_day_made_of_all(
    drawn: list[tuple[Action, int, str | None]],
) -> None:
    entries = [
        event(action, at, request_id=request, identity=(place + 1) << 44)
        for place, (action, at, request) in enumerate(drawn)
    ] + [page(NOON, identity=1), page(NOON - 20 * HOUR_MS, request_id="q", identity=2)]
    first, last = reach(DAY, JOIN)
    near = [entry for entry in entries if first <= entry["at_ms"] <= last]
    assert join_day(entries, DAY, JOIN) == join_day(near, DAY, JOIN)


@given(EVENTS)
def test_every_outcome_is_in_one_row_or_late(
    drawn: list[tuple[Action, int, str | None]],
) -> None:
    entries = [
        event(action, at, request_id=request, watch_seconds=float(place), identity=place << 44)
        for place, (action, at, request) in enumerate(drawn)
        if action is not Action.IMPRESSION
    ]
    days = [DAY + dt.timedelta(days=n) for n in range(-3, 4)]
    joined = [join_day(entries, day, JOIN) for day in days]
    late = sum(one.late for one in joined)
    named = sum(entry["request_id"] is not None for entry in entries)
    # Without any page or impression, all that name a page are late and others are rows of a day.
    assert late == named
    watched = {row.watched for one in joined for row in one.rows}
    assert len(watched) == sum(len(one.rows) for one in joined)
