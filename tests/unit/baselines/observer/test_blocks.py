"""Blocks of rows add up to the whole product, in 64 bits."""

import numpy as np
import pytest

from shortlist.baselines.observer import blocks


@pytest.fixture
def tall(monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 7)
    return np.random.default_rng(0).standard_normal((23, 4)).astype(np.float32)


def test_products_are_those_of_the_whole_matrix_in_64_bits(tall):
    rng = np.random.default_rng(1)
    whole, weight = tall.astype(np.float64), rng.random(23)
    expected = whole.T @ np.diag(weight) @ whole
    np.testing.assert_allclose(blocks.weighted_gram(tall, weight), expected, rtol=1e-12)
    for shape in ((), (3,)):
        right, left = rng.random((4, *shape)), rng.random((23, *shape))
        np.testing.assert_allclose(blocks.times(tall, right), whole @ right, rtol=1e-12)
        np.testing.assert_allclose(blocks.transposed_times(tall, left), whole.T @ left, rtol=1e-12)


def test_no_rows_give_zeros():
    nothing = np.zeros((0, 3), np.float32)
    assert blocks.weighted_gram(nothing, np.zeros(0)).tolist() == [[0.0] * 3] * 3
    assert blocks.transposed_times(nothing, np.zeros((0, 2))).tolist() == [[0.0] * 2] * 3
    assert blocks.times(nothing, np.zeros(3)).shape == (0,)
