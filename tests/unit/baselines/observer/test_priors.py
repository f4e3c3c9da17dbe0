"""A prior finds what features and creators say, and no more than that."""

import numpy as np
import pytest

from shortlist.baselines.observer.moments import Beliefs
from shortlist.baselines.observer.priors import Prior, learn_prior

ROWS, NOISE = 4_000, 0.3


def beliefs_about(values, evidence, seed=0):
    """Posteriors under a standard prior after evidence of the given precision."""
    rng = np.random.default_rng(seed)
    precision = np.broadcast_to(evidence, values.shape)
    seen = values + rng.standard_normal(values.shape) / np.sqrt(precision)
    variance = 1 / (precision + 1.0)
    covariance = np.zeros((*values.shape, values.shape[1]))
    covariance[:, range(values.shape[1]), range(values.shape[1])] = variance
    return Beliefs(variance * precision * seen, covariance)


def standard(values):
    return Prior(np.zeros_like(values), np.ones(values.shape[1]))


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(1)
    return np.c_[np.ones(ROWS), rng.standard_normal((ROWS, 3))]


COEFFICIENTS = np.array([[0.5, -1.0], [1.2, 0.0], [0.0, 0.7], [0.0, 0.0]])


@pytest.fixture(scope="module")
def values(features):
    rng = np.random.default_rng(2)
    return features @ COEFFICIENTS + NOISE * rng.standard_normal((ROWS, 2))


@pytest.mark.parametrize("evidence", [0.5, 5.0, 500.0])
def test_known_coefficients_are_recovered_whatever_the_evidence(features, values, evidence):
    found = learn_prior(beliefs_about(values, evidence), standard(values), features, None)
    learned, *_ = np.linalg.lstsq(features, found.mean, rcond=None)
    np.testing.assert_allclose(learned, COEFFICIENTS, atol=0.12)


def test_the_spread_is_what_features_leave_unexplained(features, values):
    found = learn_prior(beliefs_about(values, 500.0), standard(values), features, None)
    np.testing.assert_allclose(found.spread, NOISE**2, rtol=0.1)


def test_features_that_say_nothing_are_shrunk_away():
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((400, 200))
    values = rng.standard_normal((400, 1))
    found = learn_prior(beliefs_about(values, 100.0), standard(values), noise, None)
    assert found.mean.std() < 0.4  # Least squares would explain .7 of the deviation.


def test_creators_get_their_own_means_and_the_unknown_none(features, values):
    rng = np.random.default_rng(4)
    group = rng.integers(-1, 50, ROWS)
    effect = rng.standard_normal((50, 2))
    moved = values + np.where(group[:, None] >= 0, effect[group], 0.0)
    beliefs = beliefs_about(moved, 100.0)
    found = learn_prior(beliefs, standard(moved), features, group)
    plain = learn_prior(beliefs, standard(moved), features, None)
    rest = found.mean - features @ COEFFICIENTS
    means = np.stack([rest[group == creator].mean(axis=0) for creator in range(50)])
    assert np.corrcoef(means.ravel(), effect.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(found.mean[group < 0], plain.mean[group < 0])
    assert (found.spread < plain.spread).all()


def test_nobody_has_a_creator(features, values):
    beliefs = beliefs_about(values, 5.0)
    nobody = learn_prior(beliefs, standard(values), features, np.full(ROWS, -1))
    plain = learn_prior(beliefs, standard(values), features, None)
    np.testing.assert_array_equal(nobody.mean, plain.mean)
