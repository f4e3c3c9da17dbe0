"""The re-ranker: out of fold, by the lesson that the log allows, above what it does not judge."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.baselines import registry
from shortlist.baselines.candidates import candidates
from shortlist.baselines.lightgbm_rerank import LightGBMRerank
from shortlist.settings.baselines import BaselinesSettings

SETTINGS = BaselinesSettings(als_factors=2, als_l2=1.0, als_confidence=2.0)


def make_model(sources=("popularity", "als"), **options):
    defaults = {
        "top": 8,
        "users": 500,
        "trials": 2,
        "trees": 40,
        "tail_days": 2,
        "tail_events": 5,
        "threads": 1,
    }
    built = [registry.build(name, SETTINGS) for name in sources]
    return LightGBMRerank(built, **{**defaults, **options})


def with_random_traffic(view):
    return replace(view, log=replace(view.log, random_exposure=np.ones(len(view.log), np.bool_)))


class Spy:
    """A source that remembers what it was fitted to."""

    name = "spy"

    def __init__(self):
        self.seen = []

    def fit(self, view):
        self.seen.append((len(view.log), view.as_of))
        self.videos = len(view.catalogue)
        return self

    def score(self, users):
        return np.tile(np.arange(self.videos, dtype=np.float32), (len(users), 1))


def test_sources_are_fitted_without_the_tail_first_and_then_to_everything(blocks):
    spy, view = Spy(), blocks.view
    model = make_model()
    model.sources = [spy]
    model.fit(view)
    (early, before), (whole, after) = spy.seen
    assert early < whole == len(view.log)
    assert (after - before).days == 2


def test_a_log_without_random_traffic_teaches_lists(blocks):
    model = make_model().fit(blocks.view)
    assert "new positives in lists" in model.details["learned from"]
    assert "session_depth" not in model.details["features"]


def test_random_traffic_teaches_outcomes_in_their_context(blocks):
    view = with_random_traffic(blocks.view)
    model = make_model().fit(view)
    assert "outcomes of impressions" in model.details["learned from"]
    assert "session_depth" in model.details["features"]
    users = np.arange(len(view.users) - 1)
    scores = model.score(users)
    own = users[:, None] % 2 == np.arange(scores.shape[1]) % 2
    top = np.argsort(scores, axis=1)[:, -4:]
    assert np.take_along_axis(own, top, axis=1).mean() > 0.9


def test_permuted_outcomes_of_random_traffic_teach_nothing(blocks_of):
    found = []
    for seed in range(6):
        world = blocks_of(seed=seed)
        view = with_random_traffic(world.view)
        shuffled = np.random.default_rng(seed).permutation(view.log.click)
        model = make_model().fit(replace(view, log=replace(view.log, click=shuffled)))
        users = np.arange(len(view.users) - 1)
        top = np.argsort(model.score(users), axis=1)[:, -8:]
        shown = np.take_along_axis(world.truth[users], top, axis=1).mean()
        found.append(shown - world.truth.mean())
    # The best eight by true labels gain .3; the mean of eight at random deviates by about .1.
    assert abs(np.mean(found)) < 0.1


def test_the_context_of_the_recommendations_moves_the_scores(blocks):
    """Clicks happen where a context feature is set: in that context scores are higher."""
    view = with_random_traffic(blocks.view)
    rng = np.random.default_rng(0)
    context = np.zeros((len(view.log), 32), np.float32)
    context[:, 3] = rng.random(len(view.log)) < 0.5
    click = ((rng.random(len(view.log)) < 0.9) & (context[:, 3] > 0)).astype(np.float32)
    view = replace(view, log=replace(view.log, context=context, click=click))
    here = np.zeros(32, np.float32)
    here[3] = 1
    low, high = (
        make_model().fit(replace(view, context=c)).score(np.arange(9)) for c in (0 * here, here)
    )
    assert high.max() > low.max() + 1


def test_contexts_that_were_not_read_are_unknown(blocks):
    view = with_random_traffic(blocks.view)
    bare = replace(view, log=replace(view.log, context=np.zeros((len(view.log), 0), np.float32)))
    model = make_model().fit(bare)
    assert np.isfinite(model.score(np.arange(5))).all()
    assert np.isfinite(model.predict(bare.log)).all()


def test_candidates_come_before_everything_else(blocks):
    model = make_model(top=3).fit(blocks.view)
    users = np.arange(30)
    scores = model.score(users)
    (block,) = candidates(model.sources, users, 3)
    union = np.zeros(scores.shape, np.bool_)
    union[block.owner, block.video] = True
    worst = np.where(union, scores, np.inf).min(axis=1)
    assert (np.where(union, -np.inf, scores).max(axis=1) < worst).all()


def test_the_details_say_how_it_was_made(blocks):
    details = make_model().fit(blocks.view).details
    assert details["candidates"] == "union of the 8 best of each of popularity, als"
    assert "2 trials" in details["budget"]
    assert "held-out loss" in details["order"]
    assert all(isinstance(text, str) for text in details.values())


def test_a_tail_that_teaches_nothing_leaves_popularity_and_rates(view_of):
    view = view_of([0, 0, 1], [1, 1, 1], [1.0, 1.0, 1.0], users=2, videos=3)
    model = make_model().fit(view)
    assert model.details["order"] == "the tail held nothing to learn"
    assert model.score(np.array([0])).argmax() == 1
    assert model.predict(view.log).tolist() == pytest.approx([1.0] * 3)
