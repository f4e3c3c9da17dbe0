"""Intervals of clustered, weighted proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shortlist.evaluation.metrics.proportions import clustered_ratio, korn_graubard

MANY = 10**9


def test_plain_rows_get_the_exact_binomial_interval():
    error = np.sqrt(0.3 * 0.7 / 40)
    exact = stats.binomtest(12, 40).proportion_ci(0.95, method="exact")
    found = korn_graubard(0.3, error, 40, MANY)
    assert found == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(("rate", "end"), [(0.0, 0), (1.0, 1)])
def test_a_rate_at_the_border_still_has_width(rate, end):
    found = korn_graubard(rate, 0.0, 50, MANY)
    assert found[end] == rate
    assert abs(found[1 - end] - rate) == pytest.approx(1 - 0.025 ** (1 / 50))


def test_few_clusters_widen_the_interval():
    few, many = korn_graubard(0.3, 0.05, 500, 4), korn_graubard(0.3, 0.05, 500, MANY)
    assert few[0] < many[0]
    assert few[1] > many[1]


def test_no_more_rows_are_believed_than_there_are():
    assert korn_graubard(0.3, 1e-6, 20, MANY) == korn_graubard(0.3, np.sqrt(0.21 / 20), 20, MANY)


@given(st.floats(-1, 2), st.floats(0, 1), st.floats(1, 1e6), st.integers(2, 10**6))
def test_the_interval_lies_between_0_and_1_around_the_rate(rate, error, rows, clusters):
    low, high = korn_graubard(rate, error, rows, clusters)
    assert 0 <= low <= min(max(rate, 0), 1) + 1e-9
    assert min(max(rate, 0), 1) - 1e-9 <= high <= 1


def test_equal_clusters_give_the_error_of_a_mean():
    means = np.array([0.1, 0.5, 0.4, 0.8])
    value, error = clustered_ratio(means * 10, np.full(4, 10.0))
    assert value == pytest.approx(means.mean())
    assert error == pytest.approx(means.std(ddof=1) / np.sqrt(4))


def test_rows_that_are_alike_count_once():
    rng = np.random.default_rng(0)
    cluster = rng.random(50)
    _, apart = clustered_ratio(cluster, np.ones(50))
    _, copied = clustered_ratio(cluster * 8, np.full(50, 8.0))
    assert copied == pytest.approx(apart)
