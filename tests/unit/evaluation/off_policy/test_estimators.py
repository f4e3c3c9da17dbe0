"""IPS, SNIPS and DR: by hand, their laws, and when they refuse."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shortlist.errors import InputError, RefusedError
from shortlist.evaluation.off_policy import PolicyLog, doubly_robust, ips, snips


def make(reward, propensity, target, cluster=None) -> PolicyLog:
    reward = np.asarray(reward, float)
    return PolicyLog(
        reward,
        np.broadcast_to(np.asarray(propensity, float), reward.shape),
        np.broadcast_to(np.asarray(target, float), reward.shape),
        np.arange(len(reward)) if cluster is None else np.asarray(cluster),
    )


# Weights 2, 1/2 and 0.
WORKED = make([1, 1, 0], [0.25, 0.5, 0.5], [0.5, 0.25, 0])


def drawn(rows: int = 3_000, seed: int = 0, rate: float = 0.3) -> PolicyLog:
    """Two actions, logged with 0.8 and 0.2, wanted with 0.3 and 0.7; both earn ``rate``."""
    rng = np.random.default_rng(seed)
    second = rng.random(rows) < 0.2
    return make(rng.random(rows) < rate, np.where(second, 0.2, 0.8), np.where(second, 0.7, 0.3))


def test_ips_of_a_worked_example():
    assert ips(WORKED).value == pytest.approx((2 * 1 + 1 / 2 * 1) / 3)


def test_snips_of_a_worked_example():
    assert snips(WORKED).value == pytest.approx((2 * 1 + 1 / 2 * 1) / (2 + 1 / 2))


def test_doubly_robust_of_a_worked_example():
    found = doubly_robust(WORKED, np.array([0.5, 0.2, 0.4]), np.array([0.6, 0.3, 0.1]))
    scores = [0.6 + 2 * (1 - 0.5), 0.3 + 1 / 2 * (1 - 0.2), 0.1]
    assert found.value == pytest.approx(sum(scores) / 3)


def test_without_a_model_doubly_robust_is_ips():
    log = drawn()
    nothing = np.zeros(len(log))
    assert doubly_robust(log, nothing, nothing) == ips(log)


def test_the_logging_policy_itself_is_worth_what_it_earned():
    rng = np.random.default_rng(0)
    log = make(rng.random(400) < 0.3, 0.2, 0.2)
    for found in (ips(log), snips(log)):
        assert found.value == pytest.approx(log.reward.mean())
        assert found.low < found.value < found.high
        # Two errors are 0.045 to each side.
        assert found.high - found.low < 0.1


def test_doubly_robust_is_right_with_a_true_model_and_wrong_propensities():
    rng = np.random.default_rng(0)
    second = rng.random(20_000) < 0.2
    rate = np.where(second, 0.6, 0.2)
    log = make(rng.random(20_000) < rate, 0.5, np.where(second, 0.7, 0.3))
    truth = 0.3 * 0.2 + 0.7 * 0.6
    found = doubly_robust(log, rate, np.full(20_000, truth))
    assert found.value == pytest.approx(truth, abs=0.02)
    assert abs(ips(log).value - truth) > 0.1


def test_a_model_steadies_the_estimate():
    spread = {"ips": [], "dr": []}
    for seed in range(60):
        log = drawn(500, seed, 0.9)
        spread["ips"].append(ips(log).value)
        spread["dr"].append(doubly_robust(log, np.full(500, 0.9), np.full(500, 0.9)).value)
    assert np.std(spread["dr"]) < 0.6 * np.std(spread["ips"])


def test_clipping_lowers_the_estimate_and_keeps_the_truth_in_the_interval():
    log = drawn()
    whole, clipped = ips(log), ips(log, clip=1.0)
    # The second action's weight of 3.5 counts 1: 0.3 * (0.3 + 0.2).
    assert clipped.value == pytest.approx(0.15, abs=0.02)
    assert whole.value == pytest.approx(0.3, abs=0.03)
    assert clipped.low < 0.3 < clipped.high
    assert ips(log, clip=3.6) == whole


def test_what_the_log_never_shows_stays_possible():
    # A tenth of what the target does was logged once in a million times, and so never.
    rng = np.random.default_rng(0)
    rows = 5_000
    log = make(rng.random(rows) < 0.2, 0.5, 0.45)
    for worth in (0.0, 1.0):
        truth = 0.9 * 0.2 + 0.1 * worth
        for found in (
            ips(log),
            snips(log),
            doubly_robust(log, np.full(rows, 0.2), np.full(rows, 0.2)),
        ):
            assert found.low <= truth <= found.high
    assert snips(log).high - snips(log).low < 0.2


def test_knowing_what_the_unseen_may_earn_narrows_the_interval():
    log = drawn(rate=0.03)
    wide, narrow = snips(log), snips(log, unseen=(0.0, 0.2))
    assert narrow.value == wide.value
    assert narrow.high < wide.high
    assert narrow.low <= 0.03 <= narrow.high


def test_what_the_unseen_may_earn_at_most_stays_possible():
    rng = np.random.default_rng(0)
    log = make(rng.random(5_000) < 0.03, 0.5, 0.45)
    truth = 0.9 * 0.03 + 0.1 * 0.2
    assert snips(log, unseen=(0.0, 0.03)).high < truth < snips(log, unseen=(0.0, 0.2)).high


@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_a_log_in_which_nothing_else_happened_does_not_exclude_it(reward):
    # Nothing in 50 rows is compatible with a rate r where (1 - r)^50 is at least 2.5 %.
    log = make(np.full(50, reward), 0.5, 0.5)
    found = snips(log)
    room = 1 - 0.025 ** (1 / 50)
    width = found.high - found.low
    assert found.value == reward
    # Fifty clusters are few, which widens it by a factor of (2.010 / 1.960)^2.
    assert width == pytest.approx(room * (2.010 / 1.960) ** 2, rel=0.01)


@given(
    rewards=st.lists(st.floats(0, 1), min_size=2, max_size=30),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_intervals_hold_their_estimate_and_snips_stays_between_0_and_1(rewards, seed):
    rng = np.random.default_rng(seed)
    size = len(rewards)
    log = make(
        rewards, rng.uniform(0.2, 1, size), rng.uniform(0, 1, size), rng.integers(0, 5, size)
    )
    try:
        found = snips(log)
    except RefusedError:
        assume(False)
    assert -1e-9 <= found.low <= found.value <= found.high <= 1 + 1e-9
    other = ips(log)
    assert other.low <= other.value <= other.high


def test_rewards_turned_round_turn_the_interval_round():
    log = drawn(400)
    turned = make(1 - log.reward, log.propensity, log.target)
    there, back = snips(log), snips(turned)
    assert there.value == pytest.approx(1 - back.value)
    assert there.low == pytest.approx(1 - back.high)
    assert there.high == pytest.approx(1 - back.low)


def test_rows_of_one_cluster_are_not_counted_as_independent():
    log = drawn(600)
    copies = np.repeat(np.arange(600), 6)
    copied = make(log.reward[copies], log.propensity[copies], log.target[copies], copies)
    blind = make(log.reward[copies], log.propensity[copies], log.target[copies])
    assert snips(copied).n == 600
    width = snips(log).high - snips(log).low
    assert snips(copied).high - snips(copied).low == pytest.approx(width, rel=0.02)
    assert snips(blind).high - snips(blind).low < 0.5 * width


def test_a_small_effective_sample_is_refused_with_a_sentence():
    target = np.full(1_000, 1e-6)
    target[:5] = 1
    log = make(np.ones(1_000), 0.5, target)
    for estimate in (ips, snips, lambda log: doubly_robust(log, target, target)):
        with pytest.raises(RefusedError, match=r"1,000 rows tell as much as 5 \(0\.50%") as refusal:
            estimate(log)
        assert "log more random traffic" in str(refusal.value)


def test_clipping_is_no_way_round_a_refusal():
    target = np.full(1_000, 1e-6)
    target[:5] = 1
    with pytest.raises(RefusedError):
        ips(make(np.ones(1_000), 0.5, target), clip=1e-6)


def test_one_effective_row_in_a_hundred_is_enough():
    rng = np.random.default_rng(0)
    target = np.zeros(10_000)
    target[:100] = 1
    assert snips(make(rng.random(10_000) < 0.5, 0.01, target)).low > 0


@pytest.mark.parametrize("rows", [0, 5])
def test_a_log_that_never_meets_the_target_is_refused(rows):
    with pytest.raises(RefusedError, match="says too little"):
        snips(make(np.zeros(rows), 0.5, 0.0))


def test_one_cluster_is_refused():
    with pytest.raises(RefusedError, match="one cluster"):
        snips(make([1, 0], 0.5, 0.5, [3, 3]))


def test_propensities_of_a_part_of_the_mixture_are_found_out():
    log = drawn()
    part = make(log.reward, log.propensity / 2, log.target)
    with pytest.raises(RefusedError, match=r"average (1\.9|2\.0|2\.1)\d? where they must"):
        ips(part)


@pytest.mark.parametrize("unseen", [(0.5, 0.2), (-0.1, 1), (0, 1.5), (float("nan"), 1)])
def test_an_impossible_range_of_the_unseen_is_refused(unseen):
    with pytest.raises(InputError, match="unseen"):
        snips(WORKED, unseen)


def test_a_clip_that_is_not_positive_is_refused():
    with pytest.raises(InputError, match="clip: 0"):
        ips(WORKED, clip=0.0)


@pytest.mark.parametrize("column", [np.zeros(2), np.array([0.1, np.nan, 0.2])])
def test_a_model_that_does_not_fit_the_rows_is_refused(column):
    with pytest.raises(InputError, match="q_target"):
        doubly_robust(WORKED, np.zeros(3), column)
