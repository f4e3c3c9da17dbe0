"""Popularity: rates beside counts."""

import numpy as np

from shortlist.datasets.signals import decayed_positives, smoothed_rate
from shortlist.recall.popularity import Popularity, log_odds, popular, popularity_scores
from shortlist.settings.recall import RecallSettings


def test_equal_scores_come_by_row(kit):
    source = Popularity(np.array([1, 2, 2, 3], np.float32), np.array([1, 1, 1, 0], np.bool_))
    assert source.recall(kit.query(39), 4).video.tolist() == [1, 2, 0]


def test_the_best_tenth_of_the_live_is_popular_in_the_order_of_the_source():
    scores = np.tile(np.arange(12, dtype=np.float32), 2)
    live = scores < 10  # 20 of 24: the two best live ones are of score 9.
    assert np.flatnonzero(popular(scores, live)).tolist() == [9, 21]
    level, every = np.zeros(15, np.float32), np.ones(15, np.bool_)
    assert np.flatnonzero(popular(level, every)).tolist() == [0, 1]
    assert not popular(level, ~every).any()


def test_the_setting_chooses_what_is_popular(kit):
    rate = RecallSettings(half_life_days=3, prior_impressions=2)
    count = rate.model_copy(update={"popularity_score": "count"})
    rates, counts = smoothed_rate(kit.view, 3, 2), decayed_positives(kit.view, 3)
    assert np.allclose(popularity_scores(kit.view, rate), rates)
    assert np.allclose(popularity_scores(kit.view, count), counts)
    odds = np.exp(log_odds(kit.view, rate))
    assert np.allclose(odds / (1 + odds), rates, atol=1e-6)
