"""What an off-policy log accepts, and how much it is worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shortlist.errors import InputError
from shortlist.evaluation.off_policy import PolicyLog, effective_share
from shortlist.evaluation.off_policy.log import effective_rows

GOOD = {
    "reward": np.array([1.0, 0.0]),
    "propensity": np.array([0.5, 0.25]),
    "target": np.array([0.5, 1.0]),
    "cluster": np.array([7, 3]),
}


def test_weights_are_target_over_propensity():
    assert PolicyLog(**GOOD).weight.tolist() == [1, 4]


def test_sums_are_by_cluster_in_ascending_order():
    log = PolicyLog(**GOOD)
    assert log.sums(np.array([1.0, 2.0])).tolist() == [2, 1]
    assert log.sizes.tolist() == [1, 1]
    assert log.clusters == 2


def test_float32_columns_are_weighed_in_double_precision():
    log = PolicyLog(**{**GOOD, "target": np.array([0.1, 0.2], np.float32)})
    assert log.weight.dtype == np.float64


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("reward", [3.0, 0.0], r"reward: 1 rows .* row 0 with 3\.0; divide rewards"),
        ("reward", [0.5, np.nan], r"reward: 1 rows .* row 1 with nan"),
        ("propensity", [np.nan, np.nan], r"propensity: 2 rows .* leave out rows"),
        ("propensity", [0.5, 0.0], r"propensity: 1 rows are 0, for example row 1"),
        ("propensity", [0.5, -0.5], r"propensity: 1 rows are not between"),
        ("target", [0.5, 1.2], r"target: 1 rows .* row 1 with 1\.2"),
        ("target", [0.5], r"differ in length: .*'target': 1"),
    ],
)
def test_a_wrong_column_is_named_with_row_value_and_remedy(name, values, complaint):
    with pytest.raises(InputError, match=complaint):
        PolicyLog(**{**GOOD, name: np.array(values)})


def test_a_probability_may_exceed_one_by_rounding():
    PolicyLog(**{**GOOD, "target": np.array([0.5, 1 + 1e-12])})


def test_effective_share_of_equal_weights_is_all():
    log = PolicyLog(np.zeros(4), np.full(4, 0.5), np.full(4, 0.1), np.arange(4))
    assert effective_share(log) == pytest.approx(1)


def test_effective_share_is_the_share_that_the_target_would_have_done():
    log = PolicyLog(np.zeros(8), np.full(8, 0.5), np.eye(8)[0] + np.eye(8)[3], np.arange(8))
    assert effective_share(log) == 2 / 8


@given(hnp.arrays(float, st.integers(1, 20), elements=st.floats(1e-3, 1e3)), st.floats(0.1, 10))
def test_effective_rows_lie_between_one_and_all_and_know_no_scale(weight, factor):
    rows = effective_rows(weight)
    assert 1 - 1e-9 <= rows <= len(weight) + 1e-9
    assert effective_rows(weight * factor) == pytest.approx(rows)
