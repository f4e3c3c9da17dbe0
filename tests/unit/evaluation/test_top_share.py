"""The policy that draws from a model's best share is a distribution, fair to equal scores."""

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.evaluation.top_share import share_policy

# Few distinct values, so that many scores are equal.
tables = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 30)),
    elements=st.sampled_from([-1.5, 0.0, 0.25, 3.0]),
)
shares = st.floats(0.01, 1.0)


@st.composite
def cases(draw):
    scores = draw(tables)
    live = draw(hnp.arrays(np.bool_, scores.shape[1]))
    live[draw(st.integers(0, scores.shape[1] - 1))] = True
    return scores, live, draw(shares)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_probabilities_sum_to_one_over_live_videos(case):
    scores, live, share = case
    distribution = share_policy(scores, live, share).distribution(scores)
    assert (distribution >= 0).all()
    assert (distribution[:, ~live] == 0).all()
    np.testing.assert_allclose(distribution.sum(axis=1), 1.0, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_equal_scores_get_equal_chances_and_better_ones_no_smaller(case):
    scores, live, share = case
    policy = share_policy(scores, live, share)
    for score, chance in zip(scores, policy.distribution(scores), strict=True):
        order = np.argsort(score[live])
        values, chances = score[live][order], chance[live][order]
        assert (np.diff(chances) >= -1e-15).all()
        assert (np.diff(chances)[np.diff(values) == 0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
def test_every_way_to_ask_gives_the_same_answer(case, seed):
    scores, live, share = case
    rng = np.random.default_rng(seed)
    policy = share_policy(scores, live, share)
    distribution = policy.distribution(scores)
    row = rng.integers(0, len(scores), 20)
    video = rng.integers(0, len(live), 20)
    np.testing.assert_array_equal(policy.probability(scores, row, video), distribution[row, video])
    values = rng.random(len(live))
    np.testing.assert_allclose(policy.mean(scores, values), distribution @ values)
    above, at = (
        np.unpackbits(bits, axis=1, count=len(live)).astype(np.bool_)
        for bits in policy.packed(scores, np.ones(len(scores), np.bool_))
    )
    assert not (above & at).any()
    np.testing.assert_array_equal(above | at, distribution > 0)


def test_a_share_of_distinct_scores_is_its_best_videos():
    scores = np.arange(20, dtype=np.float32)[None]
    live = np.ones(20, np.bool_)
    live[19] = False  # The best of all is not there to be shown.
    distribution = share_policy(scores, live, 0.1).distribution(scores)[0]
    assert distribution.nonzero()[0].tolist() == [17, 18]
    assert distribution[17] == distribution[18] == 0.5


def test_the_smallest_share_is_one_video():
    scores = np.array([[0.0, 2.0, 1.0]], np.float32)
    policy = share_policy(scores, np.ones(3, np.bool_), 0.01)
    assert policy.distribution(scores).tolist() == [[0.0, 1.0, 0.0]]
