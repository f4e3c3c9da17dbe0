"""The observer finds most of what there is to find, and bears a log that says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.baselines.observer.model import (
    InformedObserver,
    expected_probability,
    shown_often,
    shown_profile,
)
from shortlist.baselines.popularity import Popularity
from shortlist.datasets.interactions import seen_pairs

DISCOUNT = 1 / np.log2(np.arange(2, 12))


@pytest.fixture(scope="module")
def observer(tiny_world):
    return InformedObserver(dimensions=8, sweeps=8).fit(tiny_world.view)


def gain(scores, world):
    """Expected-gain NDCG@10 over unseen live videos."""
    view = world.view
    users = np.arange(len(view.users))
    p = world.truth.click(users, view.as_of, view.context)
    open_ = np.tile(view.catalogue.uploaded_before(view.as_of), (len(users), 1))
    for row, seen in enumerate(seen_pairs(view.log, users)):
        open_[row, seen] = False
    top = np.argsort(np.where(open_, -scores, np.inf), axis=1)[:, :10]
    ideal = -np.sort(np.where(open_, -p, 0.0), axis=1)[:, :10] @ DISCOUNT
    return float(np.mean(np.take_along_axis(p, top, 1) @ DISCOUNT / ideal))


def area(positive, said):
    order = np.argsort(said, kind="stable")
    rank = np.empty(len(said))
    rank[order] = np.arange(1, len(said) + 1)
    yes = positive.sum()
    return (rank[positive].sum() - yes * (yes + 1) / 2) / (yes * (len(said) - yes))


def test_its_lift_over_random_is_far_above_popularitys(observer, tiny_world):
    users = np.arange(len(tiny_world.view.users))
    rng = np.random.default_rng(0)
    random = gain(rng.random((len(users), len(tiny_world.view.catalogue))), tiny_world)
    popular = gain(Popularity(7.0).fit(tiny_world.view).score(users), tiny_world)
    found = gain(observer.score(users), tiny_world)
    assert found - random > 1.3 * (popular - random)
    assert found < 1


def test_it_tells_coming_clicks_and_how_many(observer, tiny_world):
    test = tiny_world.test
    said = observer.predict(test)
    for kind in (test.random_exposure, ~test.random_exposure):
        assert area(test.click[kind] == 1, said[kind]) > 0.64
        assert abs(said[kind].mean() - test.click[kind].mean()) < 0.06


def test_more_sweeps_fit_the_log_better(observer):
    history = observer._state.history
    assert len(history) == 8
    assert history[-1] > history[0] + 0.05


def test_it_learns_that_repeated_tags_tire_and_that_languages_matter(observer):
    coefficients = observer._state.dense[32:]
    assert coefficients[0] < -0.1, "another language"
    assert coefficients[2] < -0.1, "tired"


def test_a_score_is_the_prediction_for_an_opening_random_impression(observer, tiny_world):
    view = tiny_world.view
    videos = np.arange(0, len(view.catalogue), 3)
    one = view.log.take(np.zeros(len(videos), np.int64))
    rows = replace(
        one,
        user=np.full(len(videos), 4),
        video=videos,
        day=np.full(len(videos), view.as_of_day),
        session=np.full(len(videos), -1),
        position=np.full(len(videos), -1),
        random_exposure=np.ones(len(videos), np.bool_),
        context=np.tile(view.context, (len(videos), 1)),
    )
    scores = observer.score(np.array([4]))[0, videos]
    np.testing.assert_allclose(observer.predict(rows), scores, rtol=2e-4)


def test_uncertainty_pulls_a_probability_towards_one_half():
    means = np.array([2.0, 2.0, -2.0, 0.0])
    found = expected_probability(means, np.array([0.0, 4.0, 4.0, 9.0]))
    assert found[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert 0.5 < found[1] < found[0]
    assert found[2] == pytest.approx(1 - found[1])
    assert found[3] == 0.5
    draws = np.random.default_rng(0).normal(2.0, 2.0, 200_000)
    assert found[1] == pytest.approx((1 / (1 + np.exp(-draws))).mean(), abs=0.01)


def test_exposure_counts_leave_random_traffic_out(tiny_world):
    log, view = tiny_world.view.log, tiny_world.view
    from shortlist.baselines.observer.design import soft_tags

    tags = soft_tags(view.catalogue)
    chosen = log.take(~log.random_exposure)
    users = len(view.users)
    np.testing.assert_allclose(shown_profile(log, users, tags), shown_profile(chosen, users, tags))
    np.testing.assert_allclose(shown_often(log, view)[:, 0], shown_often(chosen, view)[:, 0])
    unborn = view.catalogue.upload_day >= view.as_of_day
    assert unborn.any()
    assert (shown_often(log, view)[unborn, 0] == 0).all()


@pytest.mark.parametrize("what", ["rows", "outcomes", "watch seconds", "content", "features"])
def test_whatever_is_missing_it_goes_on(tiny_world, what):
    view = tiny_world.view
    log = view.log
    nothing = np.full(len(log), np.nan, np.float32)
    if what == "rows":
        changed = replace(view, log=log.take(np.zeros(0, np.int64)))
    elif what == "outcomes":
        changed = replace(view, log=replace(log, click=nothing))
    elif what == "watch seconds":
        changed = replace(view, log=replace(log, watch_seconds=nothing))
    elif what == "content":
        changed = replace(view, content=np.zeros((len(view.catalogue), 0), np.float32))
    else:
        bare = replace(
            view.catalogue,
            creator=np.full(len(view.catalogue), -1),
            duration_seconds=np.full(len(view.catalogue), np.nan, np.float32),
        )
        changed = replace(view, catalogue=bare)
    model = InformedObserver(dimensions=3, sweeps=3).fit(changed)
    scores = model.score(np.array([0, 5]))
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.isfinite(model.predict(tiny_world.test)).all()
    if what in ("watch seconds", "content", "features"):
        users = np.arange(len(view.users))
        assert gain(model.score(users), tiny_world) > 0.38


def test_a_few_unknown_outcomes_are_left_out_of_the_log(tiny_world):
    view = tiny_world.view
    log = view.log
    hidden = np.arange(len(log)) % 5 == 0
    some = replace(log, click=np.where(hidden, np.nan, log.click).astype(np.float32))
    other = replace(some, watch_seconds=np.where(hidden, 99.0, log.watch_seconds))
    users = np.array([0, 1])
    one, two = (
        InformedObserver(3, 2).fit(replace(view, log=rows)).score(users) for rows in (some, other)
    )
    np.testing.assert_array_equal(one, two)
