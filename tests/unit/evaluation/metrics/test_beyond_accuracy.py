"""Reach and diversity of lists: worked examples and laws."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from shortlist.evaluation.metrics import beyond_accuracy as beyond


def test_coverage_counts_each_video_once_and_no_padding():
    assert beyond.coverage(np.array([[0, 1, -1], [1, 2, 0]]), 12) == 3 / 12


def test_gini_of_worked_examples():
    assert beyond.gini(np.array([3, 3, 3])) == 0
    assert beyond.gini(np.array([0, 1])) == 1 / 2
    # Of all ordered pairs of (1, 2, 3), mean distance 8/9, over twice the mean 2.
    np.testing.assert_allclose(beyond.gini(np.array([2, 1, 3])), (8 / 9) / (2 * 2))
    assert np.isnan(beyond.gini(np.array([0, 0])))


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(any), st.integers(2, 9))
def test_gini_knows_neither_scale_nor_order(counts, factor):
    value = beyond.gini(np.array(counts))
    assert 0 <= value < 1
    np.testing.assert_allclose(beyond.gini(np.array(counts[::-1]) * factor), value, atol=1e-12)


def test_most_popular_share_is_rounded_up_and_ties_go_to_the_lower_row():
    counts = np.array([4, 9, 4, 1])
    lists = np.array([[0], [1], [2], [3]])
    assert beyond.popularity_share(lists, counts, 0.01).tolist() == [0, 1, 0, 0]
    assert beyond.popularity_share(lists, counts, 0.5).tolist() == [1, 1, 0, 0]


def test_most_popular_share_is_not_rounded_up_for_a_last_bit():
    counts = np.arange(100)
    assert 0.07 * 100 > 7
    assert beyond.popularity_share(np.array([[92], [93]]), counts, 0.07).tolist() == [0, 1]


def test_padding_belongs_to_no_share_and_an_empty_list_has_none():
    found = beyond.popularity_share(np.array([[1, -1], [-1, -1]]), np.array([0, 0, 5]), 0.3)
    assert found[0] == 0
    assert np.isnan(found[1])


def test_content_distance_is_the_mean_over_pairs():
    rng = np.random.default_rng(0)
    content = rng.normal(size=(20, 5)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    lists = np.array([[3, 8, 1, 19], [2, 4, 6, -1]])
    slow = []
    for row in lists:
        shown = row[row >= 0]
        pairs = [(a, b) for a in shown for b in shown if a < b]
        slow.append(np.mean([1 - content[a] @ content[b] for a, b in pairs]))
    np.testing.assert_allclose(beyond.content_distance(lists, content), slow, rtol=1e-6)


def test_content_distance_needs_two_videos():
    content = np.eye(2, dtype=np.float32)
    assert np.isnan(beyond.content_distance(np.array([[1, -1], [-1, -1]]), content)).all()


def test_content_distance_does_not_depend_on_chunks(monkeypatch):
    content = np.eye(6, dtype=np.float32)
    content[1] = content[0]
    lists = np.array([[0, 1], [0, 2], [1, 0], [3, 4], [5, 0]])
    monkeypatch.setattr(beyond, "_ROWS_AT_ONCE", 2)
    assert beyond.content_distance(lists, content).tolist() == [0, 1, 0, 1, 1]


def test_a_tag_is_counted_once_however_many_videos_have_it():
    tags = sp.csr_array(np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]], np.float32))
    lists = np.array([[0, 1], [1, 2], [2, -1]])
    assert beyond.distinct_tags(lists, tags).tolist() == [3, 2, 0]


def test_random_lists_hold_live_videos_that_are_not_excluded_each_once():
    live = np.array([True] * 8 + [False] * 4)
    exclude = [np.array([0, 1]), np.array([], np.int64), np.arange(6)]
    lists = beyond.random_lists(3, 4, 12, seed=1, live=live, exclude=exclude)
    for row, banned in zip(lists, exclude, strict=True):
        shown = row[row >= 0]
        assert len(np.unique(shown)) == len(shown) == min(4, 8 - len(banned))
        assert live[shown].all()
        assert not np.isin(shown, banned).any()


def test_random_lists_follow_their_seed():
    first = beyond.random_lists(5, 3, 100, seed=1)
    np.testing.assert_array_equal(first, beyond.random_lists(5, 3, 100, seed=1))
    assert (first != beyond.random_lists(5, 3, 100, seed=2)).any()


def test_random_lists_show_every_allowed_video_equally_often():
    exclude = [np.array([2])] * 4_000
    lists = beyond.random_lists(4_000, 2, 5, seed=0, exclude=exclude)
    counts = np.bincount(lists.ravel(), minlength=5)
    assert counts[2] == 0
    # 2,000 expected, deviation about 32.
    assert np.abs(counts[[0, 1, 3, 4]] - 2_000).max() < 150


@pytest.mark.parametrize("k", [1, 3])
def test_figures_have_one_entry_per_list(k):
    lists = beyond.random_lists(7, k, 10, seed=0)
    content = np.eye(10, dtype=np.float32)
    tags = sp.csr_array(np.eye(10))
    for found in (
        beyond.popularity_share(lists, np.arange(10), 0.2),
        beyond.content_distance(lists, content),
        beyond.distinct_tags(lists, tags),
    ):
        assert found.shape == (7,)
        assert found.dtype == np.float64
