"""Users differ in taste, breadth, drift and activity, and show a noisy part of it."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shortlist.datasets import laws
from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.streams import Streams
from shortlist.world.taste import make_taste_space
from shortlist.world.users import Users, make_users
from shortlist.world.world import World, make_world

# Explaining a failure would print the whole world again and again.
examples = settings(
    deadline=None, derandomize=True, max_examples=25, phases=set(Phase) - {Phase.explain}
)

MANY = WorldSettings(users=4_000, videos=60, days=10, impressions=200_000)


@pytest.fixture(scope="module")
def many() -> Users:
    streams = Streams(2)
    return make_users(MANY, make_taste_space(streams, MANY.dimensions), streams)


@examples
@given(st.floats(0, 400))
def test_taste_is_a_unit_vector_on_every_day(world: World, day: float) -> None:
    length = np.linalg.norm(world.users.taste_on(day), axis=1)
    np.testing.assert_allclose(length, 1, atol=1e-9)


def test_taste_before_the_first_day_is_that_of_the_first_day(world: World) -> None:
    assert world.users.taste_on(-3).tolist() == world.users.taste_on(0).tolist()


def test_taste_of_some_users_equals_their_rows_of_all(world: World) -> None:
    rows = np.array([5, 0, 5])
    assert world.users.taste_on(2, rows).tolist() == world.users.taste_on(2)[rows].tolist()


def test_taste_turns_by_the_same_angle_every_day(world: World) -> None:
    users = world.users
    for day in (1, 7):
        cosine = np.einsum("nk,nk->n", users.taste_on(day - 1), users.taste_on(day))
        np.testing.assert_allclose(np.arccos(cosine), users.turn, atol=1e-6)


def test_the_median_turn_is_the_setting(many: Users) -> None:
    # The median of 4,000 lognormal values of deviation .6 has a standard error of 1.2 %.
    assert np.degrees(np.median(many.turn)) == pytest.approx(MANY.drift_degrees, rel=0.05)


def test_expected_impressions_a_day_add_up_to_the_setting(many: Users) -> None:
    a_day = (many.sessions_per_day * many.session_length).sum()
    assert a_day * MANY.days == pytest.approx(MANY.impressions)


def test_the_most_active_tenth_makes_a_third_of_the_impressions(many: Users) -> None:
    share = np.sort(many.sessions_per_day * many.session_length)[-400:].sum() * 10 / 200_000
    assert 0.28 < share < 0.45


def test_users_differ_in_breadth(many: Users) -> None:
    space = make_taste_space(Streams(2), MANY.dimensions)
    nearness = np.sort(np.exp(3 * many.taste @ space.tags.T / 4), axis=1)
    top = nearness[:, -1] / nearness.sum(axis=1)
    low, high = np.quantile(top, [0.1, 0.9])
    assert high > 2 * low


def test_readiness_has_the_deviation_of_the_setting(many: Users) -> None:
    # Five standard errors of a deviation over 4,000 users: 5 / sqrt(8,000).
    assert many.readiness.std() == pytest.approx(MANY.user_deviation, rel=5 / np.sqrt(8_000))


def test_the_users_table_is_lawful_and_its_rows_are_the_users(world: World) -> None:
    table = world.users_table()
    laws.check("users", table)
    assert table.column("user_id").to_pylist() == world.users.ids.tolist()
    language = [vocabulary.LANGUAGES[code] for code in world.users.language]
    assert table.column("language").to_pylist() == language


def test_declared_interests_are_few_distinct_and_near_to_the_taste() -> None:
    world = make_world(MANY, 2)
    declared = world.users_table().column("interests").to_pylist()
    assert {len(tags) for tags in declared} == {0, 1, 2, 3}
    assert all(len(set(tags)) == len(tags) for tags in declared)
    nearness = world.users.taste @ world.space.tags.T
    mine = [
        nearness[i, vocabulary.TAG_NAMES.index(tag)]
        for i, tags in enumerate(declared)
        for tag in tags
    ]
    assert np.mean(mine) > nearness.mean() + nearness.std()


def test_activity_classes_follow_the_true_activity_with_noise() -> None:
    world = make_world(MANY, 2)
    names = world.users_table().column("activity").to_pylist()
    level = np.array([vocabulary.ACTIVITIES.index(name) for name in names])
    means = [np.log(world.users.sessions_per_day[level == i]).mean() for i in range(4)]
    assert means == sorted(means)
    assert np.bincount(level).min() > 900
    order = np.corrcoef(level, np.log(world.users.sessions_per_day))[0, 1]
    assert 0.6 < order < 0.95, "a class must tell something of the activity, but not all"


def test_a_larger_world_keeps_every_draw_of_the_smaller_one(small: WorldSettings) -> None:
    more = small.model_copy(update={"users": 2 * small.users})
    few, many = make_world(small, 1).users, make_world(more, 1).users
    assert many.taste[: len(few)].tolist() == few.taste.tolist()
    assert many.readiness[: len(few)].tolist() == few.readiness.tolist()
