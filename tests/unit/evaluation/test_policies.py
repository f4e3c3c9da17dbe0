"""The promise of off-policy estimates: intervals that cover the truth, or no verdict at all.

One day of a small world is let unfold a hundred times: users, videos and sessions stay, exposure
and outcomes are drawn anew. What a target policy is truly worth on the day's opening slots follows
from the law, without any draw, and is the same for all hundred.
"""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from shortlist.datasets.interactions import Interactions
from shortlist.evaluation.off_policy.log import PolicyLog, effective_share
from shortlist.evaluation.policies import estimate_policy
from shortlist.evaluation.top_share import share_policy
from shortlist.settings.world import WorldSettings
from shortlist.world.simulate import simulate
from shortlist.world.streams import Streams
from shortlist.world.world import make_world

DAY, RUNS = 1, 100
METHODS = ("IPS", "SNIPS", "DR")


@dataclass(frozen=True)
class Day:
    """The opening slots of a day.

    ``p`` [slots, videos] is the true probability of a click, ``user`` [slots] whose slot it is,
    ``rates`` [videos] what another day's log says of each video.
    """

    unfold: object
    p: np.ndarray
    user: np.ndarray
    live: np.ndarray
    rates: np.ndarray


@pytest.fixture(scope="module")
def day():
    settings = WorldSettings(users=150, videos=200, creators=30, days=2, impressions=10_000)
    world = make_world(settings, 4)
    policy, sessions = world.policy(DAY), world.sessions(DAY)
    # A draw is found by session and position: cut to one slot, a session opens as it would whole.
    openings = replace(sessions, length=np.ones_like(sessions.length))
    count = len(sessions)

    def unfold(seed):
        return simulate(world.law, policy, openings, Streams(seed), rows=slice(0, count), day=DAY)

    videos = np.arange(settings.videos)
    p = np.stack(
        [
            expit(
                world.law.pairs(
                    np.full(len(videos), user),
                    videos,
                    DAY,
                    np.tile(context_of(sessions, row), (len(videos), 1)),
                    np.zeros(len(videos)),
                )
            )
            for row, user in enumerate(sessions.user)
        ]
    )
    before = unfold(10_000)
    shown = np.bincount(before.video, minlength=len(videos))
    clicked = np.bincount(before.video, before.click, minlength=len(videos))
    live = np.zeros(len(videos), np.bool_)
    live[policy.live] = True
    rates = (clicked + 10 * before.click.mean()) / (shown + 10)
    return Day(unfold, p, sessions.user, live, rates)


def context_of(sessions, row):
    from shortlist.world.context import context_at

    return context_at(sessions.context[[row]], 0)[0]


def estimates(day, distribution, seed):
    """What the judge says of a policy [slots, videos], from one unfolding of the day."""
    slots = day.unfold(seed)
    rows = len(slots.video)
    nothing = np.full(rows, np.nan, np.float32)
    test = Interactions(
        user=day.user,
        video=slots.video,
        day=np.zeros(rows, np.int64),
        session=slots.session,
        position=slots.position,
        click=slots.click.astype(np.float32),
        **dict.fromkeys(("long_view", "like", "skip", "watch_seconds"), nothing),
        propensity=slots.propensity,
        random_exposure=slots.random_exposure,
        context=np.zeros((rows, 0), np.float32),
    )
    performance = SimpleNamespace(
        chosen=distribution[np.arange(rows), slots.video],
        chosen_rate=distribution @ day.rates,
        logged_rate=day.rates[slots.video],
    )
    arena = SimpleNamespace(test=test, view=SimpleNamespace(target="click"))
    return estimate_policy(arena, performance), PolicyLog(
        test.click, test.propensity, performance.chosen, test.user
    )


def liking(day, noise):
    """Scores of a model that knows each user's taste, but not exactly, [slots, videos]."""
    rng = np.random.default_rng(1)
    return (day.p + noise * rng.standard_normal(day.p.shape)).astype(np.float32)


def best_share(day, scores, share):
    return share_policy(scores, day.live, share).distribution(scores)


@pytest.mark.parametrize(
    ("noise", "share"), [(0.1, 0.1), (0.0, 0.1), (0.02, 0.03)], ids=["blurred", "oracle", "sharp"]
)
def test_intervals_cover_the_truth_in_ninety_of_a_hundred_unfoldings(day, noise, share):
    distribution = best_share(day, liking(day, noise), share)
    truth = float((distribution * day.p).sum(axis=1).mean())
    covered, verdicts = dict.fromkeys(METHODS, 0), 0
    middles = {method: [] for method in METHODS}
    for seed in range(RUNS):
        found, log = estimates(day, distribution, seed)
        if effective_share(log) < 0.01:
            assert all(isinstance(answer, str) for answer in found.values())
            continue
        verdicts += 1
        for method in METHODS:
            covered[method] += found[method].low <= truth <= found[method].high
            middles[method].append(found[method].value)
    assert verdicts >= RUNS / 2
    for method in METHODS:
        assert covered[method] >= 0.9 * verdicts, method


def test_estimates_without_bias_average_to_the_truth(day):
    distribution = best_share(day, liking(day, 0.1), 0.1)
    truth = float((distribution * day.p).sum(axis=1).mean())
    answers = [estimates(day, distribution, seed)[0] for seed in range(RUNS)]
    for method in ("IPS", "DR"):
        values = np.array([answer[method].value for answer in answers])
        error = values.std() / np.sqrt(RUNS)
        assert abs(values.mean() - truth) < 4 * error, method


def test_intervals_say_something(day):
    """Where the target is near to what was logged, an interval is far from all or nothing."""
    everything = day.live / day.live.sum() * np.ones_like(day.p)
    found, _ = estimates(day, everything, 0)
    truth = float((everything * day.p).sum(axis=1).mean())
    for method in METHODS:
        assert found[method].low <= truth <= found[method].high
        assert found[method].high - found[method].low < 0.5


def test_a_needle_gets_no_verdict(day):
    """One video for each user that the log all but never shows."""
    slots = day.unfold(0)
    scores = -np.tile(np.bincount(slots.video, minlength=day.p.shape[1]), (len(day.p), 1))
    distribution = best_share(day, scores.astype(np.float32), 1e-6)
    distribution = (np.cumsum(distribution > 0, axis=1) == 1) & (distribution > 0)
    distribution = distribution.astype(np.float64)
    np.testing.assert_array_equal(distribution.sum(axis=1), 1)
    found, log = estimates(day, distribution, 1)
    assert effective_share(log) < 0.01
    for method in METHODS:
        assert "the log says too little of this policy" in found[method]


def test_a_log_without_propensities_gets_no_estimate(micro, monkeypatch):
    test = micro.arena.test
    bare = replace(test, propensity=np.full(len(test), np.nan))
    performance = SimpleNamespace(chosen=None, chosen_rate=None, logged_rate=None)
    assert estimate_policy(replace(micro.arena, test=bare), performance) == {}
