"""Trees find what can be found, are tuned on users they have not seen, and count it honestly."""

import numpy as np
import pytest
from scipy.special import expit

from shortlist.baselines import boosting
from shortlist.baselines.boosting import log_loss, ndcg_loss, raw_scores, tune
from shortlist.baselines.examples import Examples, hold_out, thinned


def make_examples(users=40, rows=30, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(users * rows, 3)).astype(np.float32)
    label = (rng.random(users * rows) < expit(3 * features[:, 1] - 1)).astype(np.float32)
    uniform = rng.random(users * rows) < 0.2
    user = np.repeat(np.arange(users), rows)
    return Examples(features, label, user, uniform, np.isin(user, hold_out(np.arange(users), 0)))


def tuned(examples, loss=log_loss, objective="binary", **options):
    defaults = {"negatives": None, "trials": 2, "trees": 30, "threads": 1, "seed": 3}
    searched = {"objective": [objective], "uniform_weight": [1.0, 3.0]}
    return tune(examples, loss, searched, ["a", "b", "c"], **{**defaults, **options})


def test_trees_learn_logits_of_the_outcome():
    examples, fresh = make_examples(), make_examples(seed=1)
    found = tuned(examples)
    scores = raw_scores(found.booster, fresh.features, threads=1)
    assert log_loss(scores, fresh) < 0.9 * log_loss(np.zeros(len(scores)), fresh)
    assert abs(expit(scores).mean() - fresh.label.mean()) < 0.05


def test_the_same_seed_finds_the_same_trees_and_another_seed_others():
    texts = [tuned(make_examples(), seed=seed).booster.model_to_string() for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


def test_trials_are_judged_on_users_that_did_not_teach(monkeypatch):
    taught, judged = [], []
    boost = boosting._boost
    monkeypatch.setattr(
        boosting, "_boost", lambda rows, *rest: taught.append(set(rows.user)) or boost(rows, *rest)
    )

    def loss(scores, examples):
        judged.append(set(examples.user))
        return log_loss(scores, examples)

    tuned(make_examples(), loss)
    *trials, last = taught
    assert len(trials) == 2
    assert len(judged) == 6  # three numbers of trees each
    assert all(not a & b for a in trials for b in judged)
    assert len(judged[0]) == 10
    assert last == set(range(40))


def test_the_budget_is_kept_where_there_are_fewer_draws_than_trials(monkeypatch):
    monkeypatch.setattr(boosting, "SEARCHED", {"num_leaves": [4, 7]})
    with pytest.warns(UserWarning, match="total space"):
        found = tuned(make_examples(), trials=20)
    assert found.chosen["num_leaves"] in (4, 7)


def test_negatives_are_thinned_by_user_and_positives_kept():
    examples = make_examples(users=5, rows=40)
    thin = thinned(examples, 3, np.random.default_rng(0))
    for user in range(5):
        before, after = examples.label[examples.user == user], thin.label[thin.user == user]
        assert after.sum() == before.sum()
        assert (after == 0).sum() == 3
    assert (np.diff(thin.user) >= 0).all()
    assert thinned(examples, None, np.random.default_rng(0)) is examples


def test_lists_are_learned_by_user():
    examples = make_examples()
    relevant = {
        user: max(int(examples.label[examples.user == user].sum()), 1) for user in range(40)
    }
    loss = ndcg_loss(relevant, k=5)
    found = tuned(examples, loss, objective="lambdarank", negatives=8)
    assert found.rows < len(examples.label)
    assert loss(raw_scores(found.booster, examples.features, 1), examples) < 0.25
    assert loss(-examples.features[:, 1].astype(np.float64), examples) > 0.6


def test_ndcg_counts_relevant_videos_that_are_no_candidates():
    rows = Examples(
        np.zeros((4, 1), np.float32),
        np.array([1, 0, 0, 1], np.float32),
        np.array([2, 2, 5, 5]),
        np.zeros(4, np.bool_),
        np.zeros(4, np.bool_),
    )
    # User 2 has the first of two relevant videos in front, user 5 its only one in second place.
    gain = (1 / (1 + 1 / np.log2(3)) + 1 / np.log2(3)) / 2
    loss = ndcg_loss({2: 2, 5: 1}, k=2)(np.array([4.0, 3.0, 2.0, 1.0]), rows)
    assert loss == pytest.approx(1 - gain)


def test_what_cannot_be_taught_is_known_beforehand():
    examples = make_examples(users=4, rows=12)
    assert examples.teachable
    assert not examples.take(examples.held_out).teachable
    assert not examples.take(~examples.held_out).teachable
    assert not Examples.none(3).teachable
    assert not examples.take(examples.label == 0).teachable
    assert not examples.take(examples.label == 1).teachable


def test_no_rows_have_no_scores():
    booster = tuned(make_examples()).booster
    assert raw_scores(booster, np.zeros((0, 3), np.float32), 1).shape == (0,)


def test_scores_of_parts_of_the_trees_add_up():
    examples = make_examples()
    booster = tuned(examples).booster
    parts = [raw_scores(booster, examples.features, 1, *ends) for ends in ((0, 3), (3, None))]
    whole = raw_scores(booster, examples.features, 1)
    np.testing.assert_allclose(parts[0] + parts[1], whole, rtol=1e-9, atol=1e-9)
