"""A day's log: each row is what the law and the policy said at that place of its session."""

import datetime as dt

import numpy as np
import pytest
from scipy.special import expit

from shortlist.datasets import laws
from shortlist.settings.world import WorldSettings
from shortlist.world.context import Sessions, context_at
from shortlist.world.law import LONG_VIEW_SECONDS
from shortlist.world.simulate import Slots, join_slots
from shortlist.world.world import World, make_world

DAY = 1


@pytest.fixture(scope="module")
def played(world: World) -> tuple[Sessions, Slots]:
    return world.slots(DAY)


@pytest.fixture(scope="module")
def sessions(played: tuple[Sessions, Slots]) -> Sessions:
    return played[0]


@pytest.fixture(scope="module")
def slots(played: tuple[Sessions, Slots]) -> Slots:
    return played[1]


@pytest.fixture(scope="module")
def table(world: World) -> dict[str, np.ndarray]:
    columns = world.impressions_table(DAY)
    return {name: columns.column(name).to_numpy() for name in columns.column_names}


def test_the_table_is_lawful(world: World) -> None:
    date = world.settings.first_day + dt.timedelta(days=DAY)
    laws.check("impressions", world.impressions_table(DAY), date)


def test_every_session_is_whole_without_gaps_or_repeats(sessions: Sessions, slots: Slots) -> None:
    for row in range(len(sessions)):
        mine = slots.session == row
        assert sorted(slots.position[mine]) == list(range(sessions.length[row]))
        assert len(set(slots.video[mine])) == mine.sum()


def test_ids_ascend_by_session_and_position(table: dict[str, np.ndarray]) -> None:
    assert (np.diff(table["impression_id"]) > 0).all()
    order = np.lexsort((table["position"], table["session_id"]))
    assert order.tolist() == list(range(len(order)))


def test_the_table_holds_no_latent(table: dict[str, np.ndarray]) -> None:
    assert not {"logit", "tired", "appeal", "taste"} & set(table)


def test_only_videos_already_uploaded_are_shown(world: World, slots: Slots) -> None:
    assert world.videos.upload_day[slots.video].max() < DAY


def test_a_propensity_is_the_policy_without_what_the_session_has_shown(
    world: World, sessions: Sessions, slots: Slots
) -> None:
    policy = world.policy(DAY)
    mu = policy.probability(policy.shelves(sessions.user[slots.session]), slots.video)
    for row in range(len(sessions)):
        mine = np.flatnonzero(slots.session == row)
        mine = mine[np.argsort(slots.position[mine])]
        gone = np.r_[0, np.cumsum(mu[mine])[:-1]]
        np.testing.assert_allclose(slots.propensity[mine], mu[mine] / (1 - gone), rtol=1e-9)


def test_inverse_propensity_weights_of_a_uniform_policy_average_to_one(world: World) -> None:
    weights = []
    for day in range(world.settings.days):
        live = len(world.policy(day).live)
        _, slots = world.slots(day)
        target = 1 / (live - slots.position)  # Uniform over what the session has not shown.
        weights.append(target / slots.propensity)
    weight = np.concatenate(weights)
    # A tenth of the traffic is uniform, so no weight exceeds ten by much.
    assert weight.max() < 1.3 / world.settings.random_share
    # Four standard errors.
    assert weight.mean() == pytest.approx(1, abs=4 * weight.std() / np.sqrt(len(weight)))


def test_the_random_share_of_first_places_is_the_setting(world: World) -> None:
    first = []
    for day in range(world.settings.days):
        _, slots = world.slots(day)
        first.append(slots.random_exposure[slots.position == 0])
    randomly, share = np.concatenate(first), world.settings.random_share
    # Four standard errors. Deeper in a session the share grows: what is redrawn because it was
    # shown already is mostly the policy's favourite.
    tolerance = 4 * np.sqrt(share * (1 - share) / len(randomly))
    assert randomly.mean() == pytest.approx(share, abs=tolerance)


def test_logits_are_those_of_the_law_in_the_row_s_own_context(
    world: World, sessions: Sessions, slots: Slots
) -> None:
    for position in (0, 1, 5, 11):
        at = np.flatnonzero(slots.position == position)
        session = slots.session[at]
        context = context_at(sessions.context[session], position)
        said = world.law.pairs(
            sessions.user[session], slots.video[at], DAY, context, slots.tired[at]
        )
        assert said.tobytes() == slots.logit[at].tobytes()


def test_tiredness_in_a_session_equals_a_loop(world: World, slots: Slots) -> None:
    recovery = world.settings.recovery
    for row in np.unique(slots.session)[:40]:
        mine = np.flatnonzero(slots.session == row)
        mine = mine[np.argsort(slots.position[mine])]
        tags = world.videos.tag[slots.video[mine]]
        for place, slot in enumerate(mine):
            earlier = [
                recovery ** (place - before - 1)
                for before in range(place)
                if tags[before] == tags[place]
            ]
            assert slots.tired[slot] == pytest.approx(sum(earlier), abs=1e-9)


def test_clicks_come_as_often_as_their_probabilities_say(world: World) -> None:
    surplus, variance = 0.0, 0.0
    for day in range(world.settings.days):
        _, slots = world.slots(day)
        p = expit(slots.logit)
        surplus += float((slots.click - p).sum())
        variance += float((p * (1 - p)).sum())
    assert variance > 300
    assert abs(surplus) < 4 * np.sqrt(variance)


def test_what_a_row_says_follows_from_its_watch_seconds(
    world: World, table: dict[str, np.ndarray]
) -> None:
    row = table["video_id"] - world.videos.ids[0]
    watched = table["watch_seconds"]
    enough = np.minimum(world.videos.duration_seconds[row], LONG_VIEW_SECONDS)
    assert table["long_view"].tolist() == (watched >= enough.astype(np.float32)).tolist()
    assert table["skip"].tolist() == (watched < 2).tolist()
    assert not (table["like"] & ~table["click"].astype(bool)).any()


def test_a_row_is_shown_when_the_one_before_it_was_watched(
    table: dict[str, np.ndarray],
) -> None:
    shown = table["shown_at"].astype("datetime64[ms]").astype(np.int64) / 1_000
    later = table["position"][1:] > 0
    wait = np.diff(shown)[later]
    # A second between two videos; times are cut to milliseconds.
    np.testing.assert_allclose(wait, table["watch_seconds"][:-1][later] + 1, atol=0.0021)


def test_the_context_of_a_row_is_its_session_s_at_its_position(
    world: World, sessions: Sessions, table: dict[str, np.ndarray]
) -> None:
    start = dict(zip(sessions.id.tolist(), sessions.context, strict=True))
    vectors = np.stack(table["context"])
    for row in range(0, len(vectors), 5):
        first = start[int(table["session_id"][row])][None]
        expected = context_at(first, int(table["position"][row]))[0]
        assert vectors[row].tolist() == expected.tolist()


def test_a_session_ends_where_the_policy_has_nothing_new_to_show() -> None:
    settings = WorldSettings(
        users=40, videos=60, creators=10, days=2, impressions=4_000, session_length=30.0
    )
    world = make_world(settings, 0)
    sessions, slots = world.slots(0)
    assert len(slots.video) < sessions.length.sum(), "the catalogue must be too small"
    laws.check("impressions", world.impressions_table(0))
    pairs = set(zip(slots.session.tolist(), slots.video.tolist(), strict=True))
    assert len(pairs) == len(slots.video)
    for row in np.unique(slots.session):
        mine = np.sort(slots.position[slots.session == row])
        assert mine.tolist() == list(range(len(mine)))


def test_a_day_before_the_first_upload_is_empty() -> None:
    settings = WorldSettings(
        users=5, videos=60, creators=2, days=400, stock_days=1, impressions=40_000
    )
    world = make_world(settings, 1)
    empty = [day for day in range(20) if len(world.policy(day).live) == 0]
    assert empty
    assert len(world.sessions(empty[0])) > 0
    assert world.impressions_table(empty[0]).num_rows == 0


def test_no_impressions_join_to_none() -> None:
    assert len(join_slots([]).video) == 0
