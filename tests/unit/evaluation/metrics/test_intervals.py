"""Bootstrap intervals over users: what they cover, what they leave out, what they refuse."""

import numpy as np
import pytest

from shortlist.errors import RefusedError
from shortlist.evaluation.metrics import intervals


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth, covered = 0.3 * 0.5, 0
    for seed in range(300):
        # As an NDCG is: mostly 0, else anywhere up to 1.
        values = np.where(rng.random(120) < 0.3, rng.random(120), 0.0)
        found = intervals.mean_interval(values, 300, seed)
        covered += found.low <= truth <= found.high
    # 95 % of 300 is 285, deviation 4.
    assert 270 <= covered <= 297


def test_the_paired_interval_covers_the_difference_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered, narrower = 0, 0
    for seed in range(200):
        user = rng.gamma(1.0, size=150)
        first, second = user + rng.normal(0.05, 0.2, 150), user + rng.normal(0, 0.2, 150)
        found = intervals.paired_difference(first, second, 300, seed)
        covered += found.low <= 0.05 <= found.high
        apart = intervals.mean_interval(first, 300, seed)
        narrower += found.high - found.low < apart.high - apart.low
    assert 178 <= covered <= 198
    assert narrower == 200


def test_users_without_a_figure_are_left_out():
    values = np.array([1.0, np.nan, 0.0, 1.0, np.nan, 1.0])
    found = intervals.mean_interval(values)
    assert found.value == 3 / 4
    assert found.n == 4
    assert found.low < found.value < found.high


def test_a_pair_needs_both_figures():
    found = intervals.paired_difference(
        np.array([1.0, np.nan, 0.5, 0.9]), np.array([0.0, 0.3, np.nan, 0.1])
    )
    assert found.value == pytest.approx((1.0 + 0.8) / 2)
    assert found.n == 2


def test_equal_figures_have_no_width():
    found = intervals.mean_interval(np.full(10, 0.25))
    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)


def test_the_same_seed_gives_the_same_interval_alone_or_with_others():
    values = np.random.default_rng(0).random((50, 2))
    alone = intervals.mean_interval(values[:, 0], 200, 7)
    together = intervals.mean_intervals({"a": values[:, 0], "b": values[:, 1]}, 200, 7)
    assert together["a"].low == pytest.approx(alone.low, abs=1e-12)
    assert together["a"].high == pytest.approx(alone.high, abs=1e-12)
    assert intervals.mean_interval(values[:, 0], 200, 8).low != alone.low


def test_fewer_than_two_users_are_refused():
    with pytest.raises(RefusedError, match=r"ndcg@10: only 1 users .* judge more users"):
        intervals.mean_intervals({"ndcg@10": np.array([0.5, np.nan])})


def test_unequally_many_users_are_refused():
    with pytest.raises(ValueError, match="unequally many"):
        intervals.mean_intervals({"a": np.zeros(3), "b": np.zeros(4)})
    with pytest.raises(ValueError, match="cannot be paired"):
        intervals.paired_difference(np.zeros(3), np.zeros(1))


def test_no_figures_give_no_intervals():
    assert intervals.mean_intervals({}) == {}


def test_every_resample_draws_as_many_units_as_there_are(monkeypatch):
    monkeypatch.setattr(intervals, "_DRAWS_AT_ONCE", 70)
    blocks = list(intervals.resample_counts(9, 25, 0))
    assert max(block.size for block in blocks) <= 70
    counts = np.concatenate(blocks)
    assert counts.shape == (25, 9)
    assert (counts.sum(axis=1) == 9).all()


def test_resampled_counts_have_the_variance_of_a_multinomial():
    counts = np.concatenate(list(intervals.resample_counts(40, 5_000, 3)))
    # Var = n (1/n) (1 - 1/n); the mean is exact by construction.
    assert counts.var() == pytest.approx(1 - 1 / 40, rel=0.02)


def test_sums_are_by_unit_in_ascending_order():
    found = intervals.sums_by_unit(np.array([5, 2, 5]), np.array([[1.0, 10], [2, 20], [3, 30]]))
    assert found.tolist() == [[2, 20], [4, 40]]


def test_a_counted_figure_is_its_own_interval():
    found = intervals.exact(0.4, 12)
    assert (found.low, found.value, found.high, found.n) == (0.4, 0.4, 0.4, 12)
