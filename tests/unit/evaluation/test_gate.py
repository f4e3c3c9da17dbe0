"""The gate lets a better ranker through, and a worse one only within its tolerance."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets.interactions import Doubles
from shortlist.evaluation.gate import Verdict, decide

USERS = 400
RNG = np.random.default_rng(5)
POPULARITY: Doubles = RNG.uniform(0.3, 0.5, USERS)
PUBLISHED: Doubles = POPULARITY + 0.1 + RNG.normal(0, 0.05, USERS)
TOSS: Doubles = np.tile([1.0, -1.0], USERS // 2)  # Better for half the users, worse for half.


def verdict(
    candidate: Doubles, published: Doubles | None = PUBLISHED, tolerance: float = 0.0
) -> Verdict:
    return decide("ndcg@10", candidate, POPULARITY, published, tolerance=tolerance, seed=1)


def test_a_better_ranker_passes_and_it_is_said_by_how_much():
    found = verdict(PUBLISHED + 0.02 + 0.01 * TOSS)
    assert found.passed
    ahead = found.comparisons[1].difference
    assert ahead is not None
    assert ahead.low < 0.02 < ahead.high
    assert found.reasons[0].startswith("The ranker beats popularity by 0.1")
    assert found.reasons[1] == (
        f"The ranker beats the published bundle by {ahead.value:.4f} of ndcg@10 "
        f"({ahead.low:.4f} to {ahead.high:.4f}, 400 users)."
    )


def test_a_gain_within_chance_passes_and_its_interval_is_told():
    found = verdict(PUBLISHED + 0.001 + 0.05 * TOSS)
    assert found.passed
    ahead = found.comparisons[1].difference
    assert ahead is not None
    assert ahead.low < 0 < ahead.value
    assert found.reasons[1].startswith(
        "The ranker beats the published bundle by 0.0010 of ndcg@10 (-0.0"
    )


def test_a_gain_that_is_none_in_four_decimals_does_not_read_as_none():
    assert "by 2e-05 of ndcg@10" in verdict(PUBLISHED + 0.00002).reasons[1]


def test_an_equal_is_refused_and_the_way_round_it_is_said():
    found = verdict(PUBLISHED)
    assert [comparison.passed for comparison in found.comparisons] == [True, False]
    assert not found.passed
    assert found.reasons[1] == (
        "The ranker does not beat the published bundle: it is equal in ndcg@10 (0.0000 to 0.0000, "
        "400 users), and its lead must be above 0; the same ranker with another slate passes with "
        "a pipeline.gate_tolerance above 0."
    )


@pytest.mark.parametrize("loss", [0.02, 0.001])
def test_a_worse_ranker_is_refused_although_it_beats_popularity(loss: float):
    found = verdict(PUBLISHED - loss)
    assert [comparison.passed for comparison in found.comparisons] == [True, False]
    assert not found.passed
    assert found.reasons[1] == (
        f"The ranker does not beat the published bundle: it is behind by {loss:.4f} of ndcg@10 "
        f"({-loss:.4f} to {-loss:.4f}, 400 users), and its lead must be above 0."
    )


def test_a_tolerance_lets_an_equal_and_a_smaller_loss_through_and_says_so():
    equal, slightly, more = (
        verdict(PUBLISHED - loss, tolerance=0.01) for loss in (0.0, 0.005, 0.02)
    )
    assert equal.passed
    assert slightly.passed
    assert slightly.reasons[1] == (
        "The ranker does not beat the published bundle: it is behind by 0.0050 of ndcg@10 "
        "(-0.0050 to -0.0050, 400 users), and a loss below the tolerance of 0.01 is let through."
    )
    assert not more.passed
    assert more.reasons[1].endswith("and its loss must be below the tolerance of 0.01.")


def test_a_tolerance_changes_nothing_about_popularity():
    assert not verdict(POPULARITY, None, tolerance=0.5).passed


def test_a_ranker_like_popularity_is_refused_also_where_nothing_is_published():
    for candidate in (POPULARITY, POPULARITY + 0.05 * TOSS, POPULARITY - 0.1):
        found = verdict(candidate, None)
        assert not found.passed
        assert found.reasons[0].startswith("The ranker does not beat popularity: ")
        assert found.reasons[0].endswith("must lie above 0.")


def test_where_nothing_is_published_beating_popularity_is_enough():
    found = verdict(PUBLISHED, None)
    assert found.passed
    assert found.reasons[1] == "There is no other published bundle to beat."


def test_a_remark_on_what_is_published_is_said_first_and_stands_for_it_where_it_has_no_figures():
    gone = "The published bundle cannot be opened."
    told = [
        decide("ndcg@10", PUBLISHED + 0.1, POPULARITY, theirs, remark=gone).reasons[1]
        for theirs in (PUBLISHED, None)
    ]
    assert told[0].startswith(f"{gone} The ranker beats the published bundle by 0.1000")
    assert told[1] == gone


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_figure_that_is_no_number_is_refused(bad: float):
    candidate = PUBLISHED + 0.1
    candidate[7] = bad
    for published in (PUBLISHED, None):
        found = verdict(candidate, published)
        assert not found.passed
        assert found.comparisons[0].difference is None
        assert "is no number for 1 of 400 users" in found.reasons[0]
    assert not verdict(np.full(USERS, np.nan)).passed


def test_a_user_of_whom_nobody_has_a_figure_is_left_out():
    candidate, popularity = PUBLISHED.copy(), POPULARITY.copy()
    candidate[:5] = popularity[:5] = np.nan
    found = decide("ndcg@10", candidate, popularity, None, tolerance=0.0)
    assert found.passed
    assert found.comparisons[0].difference is not None
    assert found.comparisons[0].difference.n == USERS - 5


def test_too_few_users_are_a_refusal_and_other_users_an_error():
    found = decide("ndcg@10", np.ones(1), np.zeros(1), None, tolerance=0.0)
    assert not found.passed
    assert "an interval needs two" in found.reasons[0]
    with pytest.raises(ValueError, match="cannot be paired"):
        decide("ndcg@10", np.ones(3), np.zeros(4), None, tolerance=0.0)


def test_a_verdict_is_read_back_as_it_was_written():
    for found in (verdict(PUBLISHED), verdict(np.full(USERS, np.nan), None)):
        text = found.model_dump_json()
        assert Verdict.model_validate_json(text) == found
        assert json.loads(text)["passed"] == found.passed


@given(st.floats(-0.2, 0.2), st.floats(0, 0.1), st.floats(0, 0.1))
def test_more_tolerance_or_a_better_candidate_never_turns_a_pass_into_a_refusal(
    shift: float, gain: float, tolerance: float
):
    users = slice(0, 20)

    def passes(by: float, within: float) -> bool:
        candidate = PUBLISHED[users] + by
        one = decide(
            "ndcg", candidate, POPULARITY[users], PUBLISHED[users], tolerance=within, resamples=100
        )
        return one.passed

    if passes(shift, tolerance):
        assert passes(shift + gain + 1e-9, tolerance)
        assert passes(shift, tolerance + gain)
