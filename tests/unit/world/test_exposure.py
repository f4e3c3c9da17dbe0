"""The logging policy: its probabilities are those by which it draws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from shortlist.settings.world import WorldSettings
from shortlist.world.exposure import LoggingPolicy
from shortlist.world.streams import Streams
from shortlist.world.world import World, make_world

DAY = 1
DRAWS = 60_000


@pytest.fixture(scope="module")
def policy(world: World) -> LoggingPolicy:
    return world.policy(DAY)


def draw(policy: LoggingPolicy, user: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    streams = Streams(seed)
    at = tuple(streams.uniform(kind, 0, DRAWS) for kind in ("random", "shelf", "place"))
    shelves = np.repeat(policy.shelves(np.array([user])), DRAWS, axis=0)
    return policy.draw(shelves, at)


def over_live(policy: LoggingPolicy, user: int) -> np.ndarray:
    shelves = np.repeat(policy.shelves(np.array([user])), len(policy.live), axis=0)
    return policy.probability(shelves, policy.live)


@pytest.mark.parametrize("user", [0, 17, 59])
def test_probabilities_over_the_live_videos_sum_to_one(policy: LoggingPolicy, user: int) -> None:
    mu = over_live(policy, user)
    assert mu.sum() == pytest.approx(1, abs=1e-9)
    assert mu.min() >= policy.random_share / len(policy.live)


@pytest.mark.parametrize("user", [0, 17])
def test_videos_are_drawn_as_often_as_their_probabilities_say(
    policy: LoggingPolicy, user: int
) -> None:
    video, _ = draw(policy, user)
    expected = over_live(policy, user) * DRAWS
    found = np.bincount(video, minlength=len(policy.shelf))[policy.live]
    assert stats.chisquare(found, expected).pvalue > 0.001


def test_the_random_part_has_its_share_and_is_uniform_over_the_live_videos(
    policy: LoggingPolicy,
) -> None:
    _, randomly = draw(policy, 3)
    share = policy.random_share
    # Four standard errors.
    tolerance = 4 * np.sqrt(share * (1 - share) / DRAWS)
    assert randomly.mean() == pytest.approx(share, abs=tolerance)
    video, randomly = draw(replace(policy, random_share=1.0), 3)
    assert randomly.all()
    found = np.bincount(video, minlength=len(policy.shelf))[policy.live]
    assert stats.chisquare(found).pvalue > 0.001


def test_only_videos_uploaded_before_the_day_are_live(world: World) -> None:
    for day in range(world.settings.days):
        live = world.policy(day).live
        assert sorted(live) == np.flatnonzero(world.videos.upload_day < day).tolist()
        assert set(draw(world.policy(day), 2)[0]) <= set(live.tolist())


def test_more_appeal_hype_or_freshness_brings_more_exposure(world: World) -> None:
    policy = world.policy(DAY)
    settings, videos = world.settings, world.videos
    age = DAY - videos.upload_day
    said = np.log(policy.weight[policy.live])
    by_hand = (settings.appeal_focus * videos.appeal + videos.hype - age / settings.freshness_days)[
        policy.live
    ]
    np.testing.assert_allclose(said, by_hand, rtol=1e-9)
    assert not policy.weight[age <= 0].any()


def test_users_are_shown_their_own_language_and_their_own_tags(world: World) -> None:
    policy = world.policy(DAY)
    own, liked = [], []
    for user in range(len(world.users)):
        mu = over_live(policy, user)
        same = world.videos.language[policy.live] == world.users.language[user]
        own.append(mu[same].sum() / max(same.mean(), 1e-9))
        match = world.videos.taste[policy.live] @ world.users.taste_on(DAY)[user]
        liked.append(mu @ match - match.mean())
    assert np.mean(own) > 1.5
    assert np.mean(liked) > 0.3
    assert np.mean(np.array(liked) > 0) > 0.8


def test_the_logging_system_knows_a_blurred_and_older_taste(small: WorldSettings) -> None:
    settings = small.model_copy(update={"users": 2_000, "drift_degrees": 10.0, "days": 10})
    world = make_world(settings, 5)
    policy = world.policy(8)

    def agreement(day: int) -> float:
        truth = world.users.taste_on(day) @ world.space.tags.T
        return float(np.corrcoef(truth.ravel(), policy.taste.ravel())[0, 1])

    assert 0.5 < agreement(5) < 0.95
    assert agreement(5) > agreement(8)
