"""Each model against an answer worked by hand, or a slower way to the same."""

import datetime as dt
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp

from shortlist.baselines import als
from shortlist.baselines.content import Content
from shortlist.baselines.ease import EASE, ease_weights
from shortlist.baselines.item_knn import ItemKNN, nearest_neighbours
from shortlist.baselines.popularity import Popularity, PopularityRate
from shortlist.baselines.random import Random
from shortlist.baselines.weighted_ease import WeightedEASE
from shortlist.datasets.interactions import events_since
from shortlist.datasets.signals import decay, smoothed_rate, user_video, watch_trend, watches


@pytest.fixture
def likes(view_of):
    """Users 0 and 1 like videos 0 and 1, user 1 also 2; user 2 likes 3; user 3 is unknown."""
    return view_of(
        [0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 3, 0], [1, 1, 1, 1, 1, 1, 0], users=4, videos=5
    )


def test_random_scores_are_uniform_and_differ_between_users_and_seeds(blocks):
    scores = Random().fit(blocks.view).score(np.arange(50))
    assert abs(scores.mean() - 0.5) < 0.05
    assert len(np.unique(scores)) > 0.99 * scores.size
    other = Random().fit(replace(blocks.view, seed=1)).score(np.arange(50))
    assert not (other == scores).any()


def test_popularity_on_one_day_is_the_plain_count(likes):
    assert Popularity(7.0).fit(likes).score(np.array([3])).tolist() == [[2, 2, 1, 1, 0]]


def test_a_positive_one_half_life_ago_counts_half(likes):
    later = replace(likes, as_of=likes.as_of + dt.timedelta(days=3))
    assert Popularity(3.0).fit(later).score(np.array([0])).tolist() == [[1, 1, 0.5, 0.5, 0]]


def test_the_rate_is_shrunk_to_the_mean_by_the_prior(likes):
    # 6 positives in 7 impressions; video 0 has 2 of 3, video 4 was never shown.
    scores = PopularityRate(7.0, 7.0).fit(likes).score(np.array([0]))[0]
    np.testing.assert_allclose(scores[[0, 1, 4]], [(2 + 6) / 10, (2 + 6) / 9, 6 / 7], rtol=1e-6)


def test_likeness_is_the_shrunk_cosine_without_the_video_itself(likes):
    history = user_video(likes, np.arange(6))
    likeness = nearest_neighbours(history, neighbours=5, shrinkage=1.0).toarray()
    expected = np.zeros((5, 5))
    expected[0, 1] = expected[1, 0] = 2 / (2 + 1)
    expected[0, 2] = expected[2, 0] = expected[1, 2] = expected[2, 1] = 1 / (2**0.5 + 1)
    np.testing.assert_allclose(likeness, expected, rtol=1e-6)
    nearest = nearest_neighbours(history, neighbours=1, shrinkage=1.0).toarray()
    assert np.flatnonzero(nearest[0]).tolist() == [1]
    assert np.flatnonzero(nearest[2]).tolist() == [0]  # equal likeness: the first row


def test_item_knn_sums_likeness_and_ends_with_popularity(likes):
    scores = ItemKNN(5, 1.0).fit(likes).score(np.array([2, 0]))
    assert min(scores[1, :3]) > scores[1, 3] > scores[1, 4]
    assert np.argsort(-scores[0], kind="stable").tolist() == [0, 1, 2, 3, 4]


def test_ease_weights_solve_the_constrained_regression():
    """Each column is the ridge solution with its own weight tied to zero, solved one by one."""
    dense = np.random.default_rng(0).random((40, 9)) < 0.3
    history = sp.csr_array(dense.astype(np.float32))
    weights = ease_weights(history, l2=2.0)
    x = dense.astype(np.float64)
    for j in range(9):
        others = np.delete(np.arange(9), j)
        a = x[:, others]
        expected = np.linalg.solve(a.T @ a + 2.0 * np.eye(8), a.T @ x[:, j])
        np.testing.assert_allclose(weights[others, j], expected, atol=2e-6)
        assert weights[j, j] == 0.0


def test_ease_weights_agree_across_the_borders_of_blocks():
    dense = (np.random.default_rng(1).random((60, 1_030)) < 0.02).astype(np.float32)
    weights = ease_weights(sp.csr_array(dense), l2=10.0)
    inverse = np.linalg.inv(dense.T.astype(np.float64) @ dense + 10.0 * np.eye(1_030))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_ease_leaves_the_least_liked_to_popularity(likes):
    scores = EASE(videos=2, l2=1.0).fit(likes).score(np.array([0]))[0]
    assert min(scores[[0, 1]]) > max(scores[[2, 3, 4]])
    assert scores[2] == scores[3] > scores[4]


def test_als_does_not_depend_on_the_number_of_threads(blocks, monkeypatch):
    users, library = np.arange(20), als.AlternatingLeastSquares
    scores = []
    for threads in (1, 3):
        limited = partial(library, num_threads=threads)
        monkeypatch.setattr(als, "AlternatingLeastSquares", limited)
        scores.append(als.ALS(4, 5, 1.0, 2.0).fit(blocks.view).score(users).tobytes())
    assert scores[0] == scores[1]


def test_the_trend_is_the_share_of_recent_watches(view_of):
    # User 0 watched video 0, then 1; user 1 declined video 0, then watched 1.
    view = view_of([0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 1], users=2, videos=3)
    # Recent: 1/2 for video 0, 1 + 1 for video 1; mean 2.5 / 3.
    expected = [(0.5 + 2.5 / 3) / 2, (2 + 2.5 / 3) / 3, 2.5 / 3]
    np.testing.assert_allclose(watch_trend(view, 1.0, 1.0), expected)


def test_weighted_ease_is_ease_on_recent_watches_times_rate_and_trend(blocks):
    view, users = blocks.view, np.arange(10)
    rows = watches(view)
    recency = decay(events_since(view.log.user[rows]), 9.0)
    history = user_video(view, rows, recency)
    lift = smoothed_rate(view, np.inf, 3.0) ** 0.7 * watch_trend(view, 4.0, 3.0)
    expected = (history[users] @ ease_weights(history, 2.0)) * lift
    scores = WeightedEASE(40, 2.0, 9.0, 4.0, 0.7, 3.0).fit(view).score(users)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


def test_where_clicks_are_unknown_every_row_is_a_watch(likes):
    assert watches(likes).tolist() == [0, 1, 2, 3, 4, 5]
    unknown = replace(likes.log, click=np.full(7, np.nan, np.float32))
    assert watches(replace(likes, log=unknown)).tolist() == list(range(7))


def test_a_content_profile_is_liked_less_declined(view_of):
    view = view_of([0, 0, 1], [0, 1, 2], [1, 0, 0], users=3, videos=4)
    view = replace(view, content=np.eye(4, dtype=np.float32))
    scores = Content(half_life_events=1.0, aversion=0.5).fit(view).score(np.arange(3))
    # The like has one later event: weight 1/2, of 1/2 + 1; the refusal has none: 1 of 1 + 1.
    np.testing.assert_allclose(scores[0], [0.5 / 1.5, -0.5 / 2, 0, 0])
    # User 1 liked nothing and user 2 saw nothing: popularity.
    assert np.argmax(scores[1]) == np.argmax(scores[2]) == 0
