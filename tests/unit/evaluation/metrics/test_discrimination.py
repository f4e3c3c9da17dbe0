"""AUC, calibration and log loss: against scikit-learn, by hand, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from shortlist.errors import RefusedError
from shortlist.evaluation.metrics import discrimination as told


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=40))
def test_auc_agrees_with_sklearn_on_ties(rows):
    positive = np.array([yes for yes, _ in rows])
    scores = np.array([score for _, score in rows], np.float32)
    if positive.all() or not positive.any():
        return
    assert told.area_under_curve(positive, scores) == pytest.approx(roc_auc_score(positive, scores))


def test_auc_of_resampled_users_agrees_with_sklearn():
    rng = np.random.default_rng(0)
    positive = rng.random(60) < 0.4
    scores = rng.integers(0, 9, 60).astype(float)
    users = rng.integers(0, 12, 60)
    counts = rng.integers(0, 4, 12).astype(float)
    found = told._Pairs(positive, scores, users).area(counts)
    assert found == pytest.approx(roc_auc_score(positive, scores, sample_weight=counts[users]))


def test_auc_interval_covers_as_often_as_it_says_when_users_differ():
    rng = np.random.default_rng(0)

    def rows(users: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        user = np.repeat(np.arange(users), each)
        # Some users' scores carry more signal: rows of one user are alike.
        signal = np.repeat(rng.choice([0.0, 2.0], users), each)
        positive = rng.random(len(user)) < 0.4
        return positive, signal * positive + rng.normal(size=len(user)), user

    positive, scores, _ = rows(40_000, 10)
    truth = roc_auc_score(positive, scores)
    covered = blind = 0
    for seed in range(80):
        positive, scores, user = rows(60, 10)
        found = told.auc(positive, scores, user, 100, seed)
        covered += found.low <= truth <= found.high
        alone = told.auc(positive, scores, np.arange(len(user)), 100, seed)
        blind += alone.low <= truth <= alone.high
    # 95 % of 80 is 76, deviation 2.
    assert 70 <= covered < 80
    assert blind < covered


def test_auc_counts_users_not_rows():
    positive = np.array([True, False, True, False])
    assert told.auc(positive, np.array([2.0, 1, 4, 3]), np.array([7, 7, 9, 9])).n == 2


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_auc_without_both_outcomes_is_refused(positive):
    with pytest.raises(RefusedError, match="cannot be told apart"):
        told.area_under_curve(np.array(positive), np.array([0.1, 0.2]))


def test_auc_of_one_user_is_refused():
    with pytest.raises(RefusedError, match="of 1 users"):
        told.auc(np.array([True, False]), np.array([0.1, 0.2]), np.array([3, 3]))


def test_auc_of_nan_is_a_bug():
    with pytest.raises(ValueError, match="not finite"):
        told.area_under_curve(np.array([True, False]), np.array([np.nan, 0.2]))


def test_calibration_bins_hold_about_equally_many_rows():
    predicted = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    positive = np.array([False, False, False, True, False, True, True, True])
    curve = told.calibration(positive, predicted, np.arange(8), "logged", bins=4)
    assert curve.label == "logged"
    assert curve.x == pytest.approx([0.15, 0.35, 0.55, 0.75])
    assert curve.y == pytest.approx([0, 1 / 2, 1 / 2, 1])
    assert curve.low is not None
    assert curve.high is not None
    assert all(a <= y <= b for a, y, b in zip(curve.low, curve.y, curve.high, strict=True))
    # A bin in which nothing happened may still have a rate.
    assert curve.high[0] > 0.5


def test_equal_predictions_share_a_bin():
    predicted = np.array([0.2] * 9 + [0.7])
    curve = told.calibration(np.ones(10, bool), predicted, np.arange(10), "x", bins=5)
    assert len(curve.x) == 2
    constant = told.calibration(np.ones(4, bool), np.full(4, 0.3), np.arange(4), "x")
    assert constant.x == pytest.approx([0.3])


def test_a_bin_of_one_user_says_nothing():
    curve = told.calibration(np.array([True, False]), np.full(2, 0.4), np.zeros(2, int), "x")
    assert (curve.low, curve.high) == ([0.0], [1.0])


def test_calibration_intervals_cover_the_rate_of_users_who_are_alike():
    rng = np.random.default_rng(0)
    covered = total = 0
    for _ in range(60):
        user = np.repeat(np.arange(80), 10)
        predicted = rng.uniform(0.05, 0.5, 800)
        # Each user is above or below what is predicted, right on average.
        mood = np.repeat(rng.choice([0.4, 1.6], 80), 10)
        positive = rng.random(800) < predicted * mood
        curve = told.calibration(positive, predicted, user, "x", bins=4)
        assert curve.low is not None
        assert curve.high is not None
        for low, mean, high in zip(curve.low, curve.x, curve.high, strict=True):
            total += 1
            covered += low <= mean <= high
    assert 0.91 <= covered / total <= 0.995


def test_calibration_error_of_a_worked_example():
    predicted = np.array([0.1, 0.3, 0.6, 0.8])
    positive = np.array([False, True, True, True])
    found = told.calibration_error(positive, predicted, np.arange(4), bins=2)
    assert found.value == pytest.approx((abs(0.2 - 0.5) + abs(0.7 - 1.0)) / 2)
    assert found.low <= found.value <= found.high


def test_calibration_error_interval_covers_the_true_error():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        user = np.repeat(np.arange(100), 10)
        truth = rng.uniform(0.1, 0.5, 1_000)
        positive = rng.random(1_000) < truth
        found = told.calibration_error(positive, truth + 0.1, user, 5, 200, seed)
        covered += found.low <= 0.1 <= found.high
    assert covered >= 88


def test_calibration_error_of_true_odds_may_be_nothing():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.1, 0.5, 2_000)
    found = told.calibration_error(rng.random(2_000) < truth, truth, np.arange(2_000), 10, 300)
    assert found.low == 0
    assert found.value > 0


def test_log_loss_agrees_with_sklearn():
    rng = np.random.default_rng(0)
    positive, predicted = rng.random(50) < 0.3, rng.random(50)
    found = told.log_loss(positive, predicted, np.arange(50) // 5)
    assert found.value == pytest.approx(sklearn_log_loss(positive, predicted))
    assert found.n == 10
    assert found.low < found.value < found.high


def test_one_certain_mistake_is_not_infinite():
    found = told.log_loss(np.array([True, True]), np.array([0.0, 1.0]), np.arange(2))
    assert found.value == pytest.approx(-math.log(1e-7) / 2, rel=1e-6)


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_what_is_no_probability_is_a_bug(wrong):
    rows = (np.array([True, False]), np.array([0.5, wrong]), np.arange(2))
    with pytest.raises(ValueError, match="not a probability"):
        told.log_loss(*rows)
    with pytest.raises(ValueError, match="not a probability"):
        told.calibration(*rows, "x")
    with pytest.raises(ValueError, match="not a probability"):
        told.calibration_error(*rows)


def test_no_rows_are_refused():
    nothing = np.zeros(0)
    with pytest.raises(RefusedError, match="no row"):
        told.calibration(nothing.astype(bool), nothing, nothing.astype(int), "x")
