"""What every recommender promises, checked for each in turn: a new one joins by one row."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from shortlist.baselines import registry
from shortlist.baselines.observer.model import InformedObserver
from shortlist.baselines.protocol import Predictor, Recommender
from shortlist.settings.baselines import BaselinesSettings

SETTINGS = BaselinesSettings(
    knn_neighbours=10,
    knn_shrinkage=10.0,
    als_factors=2,
    als_l2=1.0,
    als_confidence=2.0,
    ease_l2=5.0,
    weighted_ease_l2=5.0,
    rerank_top=10,
    rerank_trials=2,
    rerank_trees=40,
    rerank_tail_days=2,
    rerank_threads=1,
)


@dataclass(frozen=True)
class Row:
    """One recommender under contract."""

    build: Callable[[], Recommender]
    learned: bool = True
    personal: bool = True
    predicts: bool = False


def baseline(name: str, **traits: bool) -> Row:
    return Row(lambda: registry.build(name, SETTINGS), **traits)


ROWS = {
    "random": baseline("random", learned=False, personal=True),
    "popularity": baseline("popularity", personal=False),
    "popularity-rate": baseline("popularity-rate", personal=False, predicts=True),
    "content": baseline("content"),
    "item-knn": baseline("item-knn"),
    "als": baseline("als"),
    "ease": baseline("ease"),
    "weighted-ease": baseline("weighted-ease"),
    "lightgbm": baseline("lightgbm", predicts=True),
    "informed-observer": Row(lambda: InformedObserver(dimensions=2, sweeps=4), predicts=True),
}
LEARNED = [name for name, row in ROWS.items() if row.learned]
PERSONAL = [name for name in LEARNED if ROWS[name].personal]
PREDICTORS = [name for name, row in ROWS.items() if row.predicts]


@pytest.fixture(params=ROWS)
def row(request):
    return ROWS[request.param]


@pytest.fixture(scope="module")
def fitted(blocks):
    """Each model fitted once to the blocks, for tests that only read it."""
    return {name: row.build().fit(blocks.view) for name, row in ROWS.items()}


@pytest.fixture(params=ROWS)
def model(request, fitted):
    return fitted[request.param]


def everybody(view):
    return np.arange(len(view.users))


def agreement(scores, truth):
    """Mean rank correlation of each user's scores with the truth."""
    return float(np.mean([spearmanr(a, b).statistic for a, b in zip(scores, truth, strict=True)]))


def test_every_registered_baseline_is_under_contract():
    assert set(registry.CONSTRUCTORS) <= set(ROWS)


def test_the_registered_name_is_the_models_own():
    for name in registry.CONSTRUCTORS:
        assert registry.build(name, SETTINGS).name == name


def test_scores_are_finite_float32_of_users_by_videos(model, blocks):
    scores = model.score(everybody(blocks.view))
    assert scores.shape == (len(blocks.view.users), len(blocks.view.catalogue))
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_no_users_get_an_empty_table(model, blocks):
    scores = model.score(np.zeros(0, np.int64))
    assert scores.shape == (0, len(blocks.view.catalogue))
    assert scores.dtype == np.float32


def test_a_users_scores_do_not_depend_on_the_company(model, blocks):
    users = np.random.default_rng(3).permutation(everybody(blocks.view))
    together = model.score(users)
    apart = np.concatenate([model.score(users[i : i + 1]) for i in range(len(users))])
    # A product of many rows may round otherwise than that of one.
    np.testing.assert_allclose(together, apart, rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(model.score(users[[4, 4]])[0], model.score(users[[4, 4]])[1])


def test_asking_twice_gives_the_same_bytes(model, blocks):
    users = everybody(blocks.view)
    first = model.score(users)
    first_bytes = first.tobytes()
    first[:] = 0  # the caller owns the scores
    assert model.score(users).tobytes() == first_bytes


def test_equal_seeds_give_equal_bytes(row, blocks):
    users = everybody(blocks.view)
    one, other = (row.build().fit(blocks.view).score(users) for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_a_second_fit_starts_afresh(row, blocks, blocks_of):
    other = blocks_of(users=31, videos=18, shown=9, seed=5).view
    users = everybody(blocks.view)
    used = row.build().fit(other).fit(blocks.view).score(users)
    assert used.tobytes() == row.build().fit(blocks.view).score(users).tobytes()


def test_fitting_leaves_the_view_as_it_was(row, blocks):
    log = blocks.view.log
    before = (log.user.tobytes(), log.video.tobytes(), log.click.tobytes())
    row.build().fit(blocks.view)
    assert (log.user.tobytes(), log.video.tobytes(), log.click.tobytes()) == before


@pytest.mark.parametrize("name", PERSONAL)
def test_each_crowd_gets_its_own_kind_of_video(name, fitted, blocks):
    users = everybody(blocks.view)[:-1]  # nothing is known of the last
    scores = fitted[name].score(users)
    own = users[:, None] % 2 == np.arange(scores.shape[1]) % 2
    seen = np.zeros(own.shape, np.bool_)
    seen[blocks.view.log.user, blocks.view.log.video] = True
    top = np.argsort(np.where(seen, -np.inf, scores), axis=1)[:, -4:]
    assert np.take_along_axis(own, top, axis=1).mean() > 0.85


@pytest.mark.parametrize("name", LEARNED)
def test_what_is_learned_agrees_with_the_truth(name, fitted, blocks):
    assert agreement(fitted[name].score(everybody(blocks.view)), blocks.truth) > 0.3


@pytest.mark.parametrize("name", LEARNED)
def test_permuted_labels_teach_nothing(name, blocks_of):
    """Exposure is uniform here, so that labels alone can teach; permuted, they must not."""
    found = []
    for seed in range(6):
        world = blocks_of(seed=seed)
        shuffled = np.random.default_rng(seed).permutation(world.view.log.click)
        view = replace(world.view, log=replace(world.view.log, click=shuffled))
        scores = ROWS[name].build().fit(view).score(everybody(view))
        found.append(agreement(scores, world.truth))
    # One order of 40 videos for all users has a standard deviation of 1 / sqrt(39) = .16;
    # three standard errors lie well below what true labels teach.
    assert abs(np.mean(found)) < 3 * 0.16 / np.sqrt(6)


def test_a_log_without_rows_is_enough(row, view_of):
    view = view_of([], [], [], users=4, videos=7)
    scores = row.build().fit(view).score(everybody(view))
    assert scores.shape == (4, 7)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("outcome", [0.0, 1.0, np.nan])
def test_one_user_and_one_video_are_enough(row, view_of, outcome):
    view = view_of([0], [0], [outcome], users=1, videos=1)
    assert np.isfinite(row.build().fit(view).score(np.array([0]))).all()


def test_unknown_outcomes_are_no_positives(row, blocks):
    log = blocks.view.log
    hidden = np.full(len(log), np.nan, np.float32)
    scores = row.build().fit(replace(blocks.view, log=replace(log, click=hidden)))
    assert np.isfinite(scores.score(everybody(blocks.view))).all()


@pytest.mark.parametrize("width", [1, 3, 64])
def test_content_may_have_any_width(row, blocks, width):
    content = np.random.default_rng(0).normal(size=(len(blocks.view.catalogue), width))
    view = replace(blocks.view, content=content.astype(np.float32))
    assert np.isfinite(row.build().fit(view).score(np.array([0, 1]))).all()


def test_the_target_names_the_outcome_that_is_learned(row, blocks):
    """Equal outcomes under either name teach the same; other outcomes teach something else."""
    users, log = everybody(blocks.view), blocks.view.log
    clicks = row.build().fit(blocks.view).score(users).tobytes()
    alike = replace(blocks.view, log=replace(log, long_view=log.click), target="long_view")
    assert row.build().fit(alike).score(users).tobytes() == clicks
    if row.learned:
        other = replace(log, long_view=1 - log.click)
        turned = row.build().fit(replace(alike, log=other)).score(users)
        assert turned.tobytes() != clicks


def test_who_predicts_is_said_in_its_row(fitted):
    assert [name for name, model in fitted.items() if isinstance(model, Predictor)] == PREDICTORS


@pytest.mark.parametrize("name", PREDICTORS)
def test_predictions_are_probabilities_blind_to_outcomes(name, fitted, blocks):
    model, rows = fitted[name], blocks.view.log
    predicted = model.predict(rows)
    assert predicted.shape == (len(rows),)
    assert predicted.dtype == np.float32
    assert ((predicted >= 0) & (predicted <= 1)).all()
    assert abs(predicted.mean() - rows.click.mean()) < 0.1
    hidden = replace(rows, click=np.full(len(rows), np.nan, np.float32))
    np.testing.assert_array_equal(model.predict(hidden), predicted)
    few = np.array([5, 3, 70])
    np.testing.assert_allclose(model.predict(rows.take(few)), predicted[few], rtol=1e-6)
