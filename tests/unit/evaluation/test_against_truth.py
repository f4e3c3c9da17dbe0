"""What the truth says of lists, pages and policies equals a loop over the law."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from shortlist.baselines.oracle import Oracle
from shortlist.baselines.popularity import Popularity
from shortlist.baselines.random import Random
from shortlist.datasets.signals import smoothed_rate
from shortlist.evaluation.against_truth import (
    gains,
    page_values,
    policy_values,
    sample_rows,
    share_distribution,
    truth_of_lists,
)
from shortlist.evaluation.arena import opening_rows
from shortlist.evaluation.figures import true_per_user
from shortlist.evaluation.performance import perform, probed_users
from shortlist.evaluation.top_share import share_policy

SHARE = 0.1
EPOCH = dt.date(1970, 1, 1)


@pytest.fixture(scope="module")
def acts(micro):
    rates = smoothed_rate(micro.arena.view, half_life_days=7.0, prior_impressions=20.0)
    models = {"random": Random(), "popularity": Popularity(7.0), "oracle": Oracle(micro.truth)}
    return {
        name: perform(model, micro.arena, share=SHARE, rates=rates)
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def day(micro):
    return micro.truth.day(micro.arena.view.as_of)


def lists_of(acts, micro, name="random", k=10):
    return acts[name].lists[sample_rows(micro.arena), :k]


def logit(micro, user, video, day, tired=0.0):
    context = micro.arena.view.context[None]
    one = np.array([user]), np.array([video])
    return float(micro.truth.law.pairs(*one, day, context, np.array([tired]))[0])


def test_a_pages_value_is_a_walk_from_top_to_bottom(micro, acts, day):
    arena, settings = micro.arena, micro.truth.world.settings
    lists = lists_of(acts, micro, "popularity")[:6]
    tag = micro.truth.law.videos.tag
    expected = []
    for user, page in zip(arena.sample, lists, strict=False):
        clicks, tired = 0.0, dict.fromkeys(range(60), 0.0)
        for video in page:
            clicks += expit(logit(micro, user, video, day, tired[tag[video]]))
            tired = {name: level * settings.recovery for name, level in tired.items()}
            tired[tag[video]] += 1.0
        expected.append(clicks)
    few = replace(arena, sample=arena.sample[:6])
    np.testing.assert_allclose(page_values(micro.truth, few, lists), expected, rtol=1e-10)


def test_fatigue_makes_a_page_worth_less_than_its_gains(micro, acts):
    lists = lists_of(acts, micro, "oracle")
    page = page_values(micro.truth, micro.arena, lists)
    assert (page <= gains(micro.truth, micro.arena, lists).sum(axis=1) + 1e-12).all()
    assert (page < gains(micro.truth, micro.arena, lists).sum(axis=1) - 0.01).any()


@pytest.mark.parametrize("target", ["click", "long_view"])
def test_gains_are_the_truths_own_probabilities(micro, acts, target):
    arena = replace(micro.arena, view=replace(micro.arena.view, target=target))
    view, lists = arena.view, lists_of(acts, micro)
    p = getattr(micro.truth, target)(arena.sample, view.as_of, view.context)
    expected = np.take_along_axis(p, lists, axis=1)
    np.testing.assert_allclose(gains(micro.truth, arena, lists), expected, rtol=1e-10)


def test_an_empty_place_gains_nothing_and_ends_the_page(micro, acts):
    lists = lists_of(acts, micro).copy()
    short = lists.copy()
    short[::2, 4:] = -1
    full, cut = (gains(micro.truth, micro.arena, part) for part in (lists, short))
    assert (cut[::2, 4:] == 0).all()
    np.testing.assert_array_equal(cut[::2, :4], full[::2, :4])
    pages = page_values(micro.truth, micro.arena, short)
    np.testing.assert_allclose(pages[1::2], page_values(micro.truth, micro.arena, lists)[1::2])
    fewer = replace(micro.arena, sample=micro.arena.sample[::2])
    np.testing.assert_allclose(pages[::2], page_values(micro.truth, fewer, lists[::2, :4]))


def test_the_oracle_is_the_measure_of_itself(micro, acts):
    best = acts["oracle"].lists[sample_rows(micro.arena)]
    itself = replace(acts["oracle"], deep=best)
    found = truth_of_lists(micro.truth, micro.arena, itself, acts["oracle"], 10)
    np.testing.assert_allclose(found.ndcg, 1.0, rtol=1e-6)
    assert found.oracle_recall is not None
    assert (found.oracle_recall == 1).all()
    other = truth_of_lists(micro.truth, micro.arena, acts["random"], acts["oracle"], 10)
    assert (other.ndcg < 1).all()
    assert (other.ndcg > 0).all()


def test_recall_counts_the_oracles_best_among_the_deep_lists(micro, acts):
    deep = np.argsort(-np.arange(len(micro.arena.catalogue)))[:80]
    few = replace(acts["random"], deep=np.tile(deep, (len(micro.arena.sample), 1)))
    found = truth_of_lists(micro.truth, micro.arena, few, acts["oracle"], 10)
    best = acts["oracle"].lists[sample_rows(micro.arena)]
    expected = [len(set(row[row >= 0]) & set(deep)) / (row >= 0).sum() for row in best]
    np.testing.assert_allclose(found.oracle_recall, expected)


def test_recall_is_no_figure_where_the_deep_lists_hold_every_live_video(micro, acts):
    found = truth_of_lists(micro.truth, micro.arena, acts["random"], acts["oracle"], 10)
    assert found.oracle_recall is None
    assert list(true_per_user(found, 10)) == ["expected_gain_ndcg@10", "page_value@10"]
    live = int(micro.arena.live.sum())
    for length, known in ((live, False), (live - 1, True)):
        deep = np.zeros((len(micro.arena.sample), length), np.int64)
        few = replace(acts["random"], deep=deep)
        found = truth_of_lists(micro.truth, micro.arena, few, acts["oracle"], 10)
        assert (found.oracle_recall is not None) is known


def test_a_policys_value_is_the_mean_over_its_videos(micro, acts):
    arena, truth = micro.arena, micro.truth
    values = policy_values(truth, arena, acts, SHARE)
    test, probed = arena.test, set(probed_users(arena).tolist())
    rows = [row for row in opening_rows(arena) if test.user[row] in probed]
    everyone = np.arange(len(arena.view.users))
    for name, model in {"popularity": Popularity(7.0), "oracle": Oracle(truth)}.items():
        scores = model.fit(arena.view).score(everyone)
        distribution = share_policy(scores, arena.live, SHARE).distribution(scores)
        assert len(values[name]) == len(rows)
        for found, row in list(zip(values[name], rows, strict=True))[::9]:
            day = int(test.day[row] - (truth.world.settings.first_day - EPOCH).days)
            p = expit(truth.law.catalogue(test.user[[row]], day, test.context[row]))[0]
            assert found == pytest.approx(float(distribution[test.user[row]] @ p), rel=1e-5)


def test_a_policy_is_unpacked_as_it_was(micro, acts):
    probed = probed_users(micro.arena)
    scores = Popularity(7.0).fit(micro.arena.view).score(probed)
    expected = share_policy(scores, micro.arena.live, SHARE).distribution(scores)
    rows = np.arange(len(probed))
    found = share_distribution(acts["popularity"], rows, micro.arena.live, SHARE)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found > 0).sum() > 0


def test_without_opening_slots_no_policy_has_a_value(micro, acts):
    late = replace(micro.arena.test, position=micro.arena.test.position + 1)
    assert policy_values(micro.truth, replace(micro.arena, test=late), acts, SHARE) == {}
