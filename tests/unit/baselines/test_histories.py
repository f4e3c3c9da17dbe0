"""Histories as matrices: recency, repeats, and what lies below a model's horizon."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shortlist.baselines.histories import rank_below
from shortlist.datasets.signals import decay, positives, user_video, video_sums


def test_an_event_of_the_future_counts_no_more_than_one_of_today():
    assert decay(np.array([-3, 0]), 2.0).tolist() == [1.0, 1.0]


def test_unknown_outcomes_and_refusals_are_no_positives(view_of):
    view = view_of([0, 0, 1], [0, 1, 1], [1.0, np.nan, 0.0], users=2, videos=2)
    assert positives(view).tolist() == [0]


def test_a_pair_that_repeats_keeps_its_largest_weight(view_of):
    view = view_of([0, 0, 1, 0], [2, 2, 1, 0], [1.0] * 4, users=2, videos=3)
    matrix = user_video(view, np.arange(4), np.array([0.5, 0.75, 1.0, 0.25]))
    assert matrix.toarray().tolist() == [[0.25, 0.0, 0.75], [0.0, 1.0, 0.0]]
    assert matrix.dtype == np.float32


def test_sums_by_video_cover_the_catalogue(view_of):
    view = view_of([0, 0, 1], [2, 0, 2], [1.0] * 3, users=2, videos=4)
    assert video_sums(view, np.arange(3)).tolist() == [1.0, 0.0, 2.0, 0.0]
    assert video_sums(view, np.array([0, 2]), np.array([0.5, 0.25])).tolist() == [0, 0, 0.75, 0]


@given(st.integers(0, 2**12))
def test_what_is_not_judged_stays_below_what_is(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(5, 8)).astype(np.float32)
    scored = rng.random((5, 8)) < 0.5
    popularity = rng.integers(0, 9, 8).astype(np.float64)
    ranked = rank_below(scores.copy(), scored, popularity)
    assert (ranked[scored] == scores[scored]).all()
    for row, known in zip(ranked, scored, strict=True):
        below = row[~known]
        assert (
            np.argsort(popularity[~known], kind="stable") == np.argsort(below, kind="stable")
        ).all()
        if known.any() and len(below):
            assert below.max() < row[known].min()
