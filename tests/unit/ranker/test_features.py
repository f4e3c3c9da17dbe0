"""What the ranker knows of videos and moments, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.ranker.features import WEARY, item_features, session_weariness, video_age, weariness

TAGS = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], np.float32)


def log_of(micro, session, position, video):
    count = len(session)
    log = micro.view.log.take(np.arange(count))
    return replace(
        log, session=np.array(session), position=np.array(position), video=np.array(video)
    )


def test_weariness_of_a_session_adds_overlaps_that_fade(micro):
    # Rows out of order: the session shows 0, 2, 0.
    log = log_of(micro, [4, 4, 4], [2, 0, 1], [0, 0, 2])
    weary = session_weariness(log, TAGS)
    assert weary.dtype == np.float32
    for pace, left in enumerate(WEARY):
        first, second = 0.0, 0.5 * 1.0
        # Before the third: video 0 faded once overlaps by 1, video 2 by 1/2.
        third = left * 1.0 + 0.5
        np.testing.assert_allclose(weary[[1, 2, 0], pace], [first, second, third], rtol=1e-6)


def test_sessions_do_not_weary_one_another_and_unknown_ones_nobody(micro):
    log = log_of(micro, [4, 5, -1, -1], [0, 0, 0, 1], [0, 0, 0, 0])
    np.testing.assert_array_equal(session_weariness(log, TAGS), 0.0)


def test_one_viewers_weariness_is_that_of_his_session(micro):
    shown = [0, 2, 1, 1]
    log = log_of(micro, [7] * 5, range(5), [*shown, 2])
    alone = weariness(np.array(shown), np.array([2]), TAGS)
    np.testing.assert_allclose(alone[0], session_weariness(log, TAGS)[4], rtol=1e-6)
    assert weariness(np.zeros(0, np.int64), np.array([0, 1]), TAGS).tolist() == [[0, 0], [0, 0]]


def test_age_is_log_of_weeks_and_nobody_is_younger_than_new():
    age = video_age(np.array([100, 93, 107]), 100.0)
    np.testing.assert_allclose(age, [0.0, np.log(2.0), 0.0], rtol=1e-6)
    assert age.dtype == np.float32


def test_components_have_unit_variance_and_nothing_in_common(micro):
    features = micro.features
    assert features.content.shape == (40, micro.settings.content_components)
    moments = features.content.T @ features.content / len(features)
    np.testing.assert_allclose(moments, np.eye(len(moments)), atol=1e-4)
    again = (features.vectors - features.mean) @ features.projection
    np.testing.assert_allclose(again, features.content, atol=1e-5)


def test_the_first_component_is_what_content_varies_by_most(micro):
    cats = np.arange(40) % 2 == 0
    assert abs(np.corrcoef(micro.features.content[:, 0], cats)[0, 1]) > 0.9


def test_content_without_variation_has_no_components(micro):
    view = replace(micro.view, content=np.ones_like(micro.view.content))
    assert item_features(view, 5).content.shape == (40, 0)


def test_static_features_are_standardised_and_unknown_ones_say_nothing(micro):
    static = micro.features.static
    assert np.isnan(micro.view.catalogue.duration_seconds[5])
    assert static[5, 0] == 0.0
    known = np.delete(static[:, 0], 5)
    assert known.mean() == pytest.approx(0.0, abs=1e-5)
    assert known.std() == pytest.approx(1.0, abs=1e-5)
    assert static[:, 1].mean() == pytest.approx(0.0, abs=1e-5)


def test_outcomes_are_not_among_the_features(micro):
    log = micro.view.log
    turned = replace(log, click=1 - log.click, skip=1 - log.skip, watch_seconds=log.day * 1.0)
    other = item_features(replace(micro.view, log=turned), micro.settings.content_components)
    for name in ("content", "tags", "creator", "language", "static"):
        np.testing.assert_array_equal(getattr(other, name), getattr(micro.features, name))


def test_only_what_the_policy_chose_counts_as_exposure(micro):
    log = micro.view.log
    by_chance = replace(log, random_exposure=np.ones(len(log), np.bool_))
    static = item_features(replace(micro.view, log=by_chance), 5).static
    # Nobody was chosen, so the videos differ by their age alone: all of a day are alike.
    same_day = micro.view.catalogue.upload_day == micro.view.catalogue.upload_day[0]
    assert len(np.unique(static[same_day, 1])) == 1
    assert len(np.unique(micro.features.static[same_day, 1])) > 1
