"""Packed moments keep every product, and a posterior is the textbook's."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.baselines.observer.moments import Beliefs, pack, posterior, triangle, unpack


@st.composite
def symmetric(draw, count=2):
    width = draw(st.integers(1, 6))
    shape = (count, draw(st.integers(1, 4)), width, width)
    values = draw(hnp.arrays(np.float64, shape, elements=st.floats(-9, 9)))
    return values + values.swapaxes(-1, -2)


@settings(max_examples=50, deadline=None)
@given(symmetric())
def test_products_of_packed_rows_are_those_of_the_matrices(pair):
    a, b = pair
    expected = np.einsum("nij,nij->n", a, b)
    np.testing.assert_allclose((pack(a) * triangle(b)).sum(axis=1), expected, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(symmetric(count=1))
def test_unpacking_a_triangle_gives_the_matrix_back(matrices):
    width = matrices.shape[-1]
    np.testing.assert_array_equal(unpack(triangle(matrices[0]), width), matrices[0])


def test_one_gaussian_is_combined_as_in_the_textbook():
    """Prior N(1, 1/2) and three observations of precision 4 each with mean 2.5."""
    found = posterior(
        precision=np.array([[[12.0]]]),
        pull=np.array([[12.0 * 2.5]]),
        prior=np.array([[2.0]]),
        prior_mean=np.array([[1.0]]),
    )
    assert found.covariance.item() == pytest.approx(1 / 14)
    assert found.mean.item() == pytest.approx((12 * 2.5 + 2 * 1) / 14)


def test_two_dimensions_are_a_ridge_regression():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 2)), rng.standard_normal(30)
    noise, middle = 0.5, np.array([[0.3, -2.0]])
    prior = np.diag([2.0, 7.0])
    found = posterior((x.T @ x / noise)[None], (x.T @ y / noise)[None], prior, middle)
    # Least squares with the prior as two further rows.
    rows = np.r_[x / np.sqrt(noise), np.sqrt(prior)]
    right = np.r_[y / np.sqrt(noise), np.sqrt(prior) @ middle[0]]
    expected, *_ = np.linalg.lstsq(rows, right, rcond=None)
    np.testing.assert_allclose(found.mean[0], expected, rtol=1e-10)
    np.testing.assert_allclose(found.covariance[0], np.linalg.inv(rows.T @ rows), rtol=1e-10)


def test_no_evidence_leaves_the_prior():
    middle = np.array([[1.0, -2.0], [0.0, 5.0]])
    found = posterior(np.zeros((2, 2, 2)), np.zeros((2, 2)), np.diag([4.0, 0.5]), middle)
    np.testing.assert_allclose(found.mean, middle)
    np.testing.assert_allclose(found.covariance, np.tile(np.diag([0.25, 2.0]), (2, 1, 1)))


def test_second_moments_hold_the_mean_too():
    beliefs = Beliefs(np.array([[1.0, 2.0]]), np.array([[[1.0, 0.5], [0.5, 3.0]]]))
    assert beliefs.second()[0].tolist() == [[2.0, 2.5], [2.5, 7.0]]
