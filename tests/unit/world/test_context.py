"""Sessions and their context: every vector says one consistent thing."""

import datetime as dt

import numpy as np
import pytest

from shortlist.datasets.schema import CONTEXT_FEATURES, CONTEXT_WIDTH
from shortlist.settings.world import WorldSettings
from shortlist.world.context import (
    AT,
    LONGEST_SESSION,
    Sessions,
    context_at,
    sessions_of_day,
    standard_context,
)
from shortlist.world.world import World, make_world

MANY = WorldSettings(users=2_000, videos=60, days=14, impressions=280_000)
GROUPS = {
    "part of the day": ("night", "morning", "afternoon", "evening"),
    "weekday": CONTEXT_FEATURES[6:13],
    "device": ("android", "ios", "tablet", "web"),
    "network": ("wifi", "cellular", "slow_network"),
}


@pytest.fixture(scope="module")
def many() -> World:
    return make_world(MANY, 3)


@pytest.fixture(scope="module")
def sessions(many: World) -> Sessions:
    return many.sessions(6)  # A Sunday.


def column(context: np.ndarray, *names: str) -> np.ndarray:
    return context[..., [AT[name] for name in names]]


@pytest.mark.parametrize("group", GROUPS)
def test_exactly_one_of_a_group_holds(sessions: Sessions, group: str) -> None:
    values = column(sessions.context, *GROUPS[group])
    assert set(np.unique(values)) == {0, 1}
    assert (values.sum(axis=1) == 1).all()


def test_the_weekday_is_that_of_the_calendar(many: World) -> None:
    for day in range(8):
        date = MANY.first_day + dt.timedelta(days=day)
        context = many.sessions(day).context
        assert (column(context, f"{date:%A}".lower()) == 1).all()
        assert (column(context, "weekend") == (date.weekday() >= 5)).all()


def test_the_hour_and_its_part_of_the_day_agree_with_the_start(sessions: Sessions) -> None:
    hour = sessions.start_hour
    assert (hour >= 0).all()
    assert (hour < 24).all()
    sine, cosine = column(sessions.context, "hour_sin", "hour_cos").T
    found = np.degrees(np.arctan2(sine, cosine)) / 15 % 24
    apart = (found - hour + 12) % 24 - 12
    np.testing.assert_allclose(apart, 0, atol=1e-4)
    part = column(sessions.context, *GROUPS["part of the day"]).argmax(axis=1)
    assert part.tolist() == np.floor(hour / 6).astype(int).tolist()


def test_sessions_ascend_by_start_and_their_ids_never_repeat(many: World) -> None:
    ids = []
    for day in (0, 1, 2):
        sessions = many.sessions(day)
        assert (np.diff(sessions.start_hour) >= 0).all()
        assert (sessions.day == day).all()
        ids.append(sessions.id)
    assert (np.diff(np.concatenate(ids)) > 0).all()


def test_lengths_are_geometric_with_the_users_mean(many: World) -> None:
    lengths, wanted = [], []
    for day in range(4):
        sessions = many.sessions(day)
        lengths.append(sessions.length)
        wanted.append(many.users.session_length[sessions.user])
    length, mean = np.concatenate(lengths), np.concatenate(wanted)
    assert length.min() == 1
    assert length.max() <= LONGEST_SESSION
    # A geometric length deviates by about its mean; four standard errors, and 1 % for the cut.
    assert length.mean() == pytest.approx(mean.mean(), rel=4 / np.sqrt(len(length)) + 0.01)
    memory = length[length > 10] - 10
    assert memory.mean() == pytest.approx(mean[length > 10].mean(), rel=0.15)


def test_users_come_as_often_as_they_should_and_more_on_weekends(many: World) -> None:
    a_day = np.array([len(many.sessions(day)) for day in range(7)])
    expected = many.users.sessions_per_day.sum()
    # Counts are Poisson: four standard errors.
    assert a_day.sum() == pytest.approx(7 * expected, rel=4 / np.sqrt(7 * expected) + 0.01)
    assert a_day[5:].mean() > 1.1 * a_day[:5].mean()


def test_sessions_of_a_day_are_numbered_from_its_first(sessions: Sessions) -> None:
    number = np.expm1(column(sessions.context, "session_of_day")[:, 0].astype(float)).round()
    for user in np.unique(sessions.user)[:200]:
        mine = number[sessions.user == user]
        assert mine.tolist() == list(range(len(mine)))


def test_hours_since_the_last_session_are_those_between_the_starts(many: World) -> None:
    today, before = many.sessions(4), many.sessions(3)
    said = column(today.context, "hours_since_last")[:, 0]
    checked = 0
    for row in range(0, len(today), 7):
        user, hour = today.user[row], today.start_hour[row]
        same_day = today.start_hour[(today.user == user) & (today.start_hour < hour)]
        yesterday = before.start_hour[before.user == user] - 24
        starts = np.r_[same_day, yesterday]
        gap = min(hour - starts.max(), 48) if len(starts) else 48
        assert said[row] == pytest.approx(np.log1p(gap) / np.log1p(48), abs=1e-6)
        checked += 1
    assert checked > 100


def test_every_feature_is_used_and_bounded(many: World) -> None:
    seen = np.concatenate(
        [
            context_at(many.sessions(day).context, position)
            for day in range(7)
            for position in (0, 3, 12)
        ]
    )
    assert np.isfinite(seen).all()
    assert np.abs(seen).max() <= np.log1p(24)
    constant = [name for name, spread in zip(AT, seen.std(axis=0), strict=True) if spread == 0]
    assert constant == []


@pytest.mark.parametrize("position", [0, 1, 9, 10, 59])
def test_context_at_a_position_says_how_deep_it_is(sessions: Sessions, position: int) -> None:
    later = context_at(sessions.context, position)
    depth, first, deep = column(later, "session_depth", "first_of_session", "deep_session").T
    np.testing.assert_allclose(depth, np.log1p(position) / np.log1p(60), atol=1e-6)
    assert (first == (position == 0)).all()
    assert (deep == (position >= 10)).all()
    rest = [place for name, place in AT.items() if name not in
            ("session_depth", "first_of_session", "deep_session")]  # fmt: skip
    assert (later[:, rest] == sessions.context[:, rest]).all()


def test_context_at_leaves_what_it_was_given_alone(sessions: Sessions) -> None:
    before = sessions.context.copy()
    context_at(sessions.context, 12)
    assert (sessions.context == before).all()
    assert (context_at(sessions.context, 0) == before).all()


def test_the_standard_context_is_one_that_could_be_met() -> None:
    context = standard_context()
    assert context.shape == (CONTEXT_WIDTH,)
    assert context.dtype == np.float32
    for names in GROUPS.values():
        assert column(context, *names).sum() == 1


def test_a_day_without_users_coming_is_empty() -> None:
    settings = WorldSettings(users=2, videos=60, days=28, impressions=10)
    world = make_world(settings, 1)
    lengths = [len(sessions_of_day(settings, world.users, world.streams, day)) for day in range(28)]
    assert 0 in lengths
    assert sum(lengths) > 0
