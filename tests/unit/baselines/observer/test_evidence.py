"""Rows summed by one side of the log equal a loop over them."""

import numpy as np

from shortlist.baselines.observer.evidence import layout


def test_sums_by_group_are_a_loop_over_the_rows():
    rng = np.random.default_rng(0)
    group, other = rng.integers(0, 5, 40), rng.integers(0, 7, 40)
    group[group == 3] = 2  # A group without rows.
    values, figures = rng.standard_normal(40), rng.standard_normal((7, 3))
    expected = np.zeros((5, 3))
    for row in range(40):
        expected[group[row]] += values[row] * figures[other[row]]
    found = layout(group, other, (5, 7)).sums(values, figures)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found[3] == 0).all()
