"""Where all traffic was chosen, the next video is learned: from a closed form, in honest lists."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from shortlist.datasets.events import Kind, kinds
from shortlist.datasets.gram import inverse_gram
from shortlist.datasets.interactions import events_since
from shortlist.datasets.signals import smoothed_rate, watch_trend, watches
from shortlist.ranker.calibration import calibration
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.co_watch import co_watch
from shortlist.ranker.company import item_table
from shortlist.ranker.fit import fit, learns_next_video
from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph
from shortlist.ranker.history import USER_WIDTH
from shortlist.ranker.memory import SILENT
from shortlist.ranker.next_video import choice_loss
from shortlist.ranker.prerank import FLOOR, affinity
from shortlist.ranker.start import RECENT, Start, begin, worth_of_kinds
from shortlist.ranker.windows import Batch

HELD_OUT = np.array([1, 4])
"""Users whose latest events nothing is learned from."""


@pytest.fixture(scope="module")
def start(micro) -> Start:
    return Start.of(micro.view, micro.features, USER_WIDTH - 1, HELD_OUT)


@pytest.fixture(scope="module")
def learned(micro, tmp_path_factory):
    settings = micro.settings.model_copy(update={"objective": "next"})
    fitted = fit(micro.view, micro.recalled, settings, tmp_path_factory.mktemp("next"))
    assert fitted is not None
    return fitted


def fresh(micro) -> Cascade:
    torch.manual_seed(0)
    return Cascade(micro.features, micro.profile_width, micro.settings, co_watch=True)


@pytest.mark.parametrize(
    ("objective", "random", "expected"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("next", True, True),
        ("outcome", False, False),
    ],
)
def test_auto_learns_outcomes_where_a_part_of_the_traffic_was_random(
    micro, objective, random, expected
):
    exposure = np.zeros(len(micro.view.log), np.bool_)
    exposure[3] = random
    view = replace(micro.view, log=replace(micro.view.log, random_exposure=exposure))
    settings = micro.settings.model_copy(update={"objective": objective})
    assert learns_next_video(view, settings) is expected


def test_the_loss_of_a_choice_is_the_log_of_its_share_where_the_list_counts():
    logit = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0], [5.0, 0.0], [0.0, 7.0]])
    chosen = torch.tensor([[True, False], [False, True], [False, False], [True, False]])
    counts = torch.tensor([True, True, True, False])
    expected = -(np.log(3 / 4) + np.log(1 / 2)) / 2
    assert choice_loss(logit, chosen, counts).item() == pytest.approx(expected)
    nothing = choice_loss(logit.requires_grad_(), chosen, torch.zeros(4, dtype=torch.bool))
    nothing.backward()
    assert nothing.item() == 0.0


def test_kinds_are_worth_what_the_closed_form_made_of_them(micro):
    log = micro.view.log
    worth = worth_of_kinds(log)
    assert worth[Kind.SKIP] < SILENT
    assert worth[[Kind.CLICK, Kind.LONG_VIEW, Kind.LIKE]].tolist() == [0.0, 0.0, 0.0]
    unsaid = np.isnan(log.click).sum() / (kinds(log) == Kind.SHOWN).sum()
    assert 0 < np.exp(worth[Kind.SHOWN]) <= unsaid
    # Who writes down watches only does not say who clicked.
    nothing = np.full(len(log), np.nan, np.float32)
    of_watches = worth_of_kinds(replace(log, click=nothing, skip=nothing))
    assert of_watches[Kind.SHOWN] == 0.0
    assert of_watches[Kind.SKIP] < SILENT


def test_the_mean_user_is_the_mean_of_what_histories_add_up_to(micro, start):
    """By another way: event by event."""
    log, found = micro.view.log, start.found
    early = log.take(events_since(log.user) >= RECENT)
    at = watches(replace(micro.view, log=early))
    fading = 0.5 ** (events_since(early.user[at]) / 40.0)
    rows = found.rows[early.video[at]]
    worth = np.exp(rows @ found.worth[:-1] + found.worth[-1])
    total = ((fading * worth)[:, None] * rows[:, :-1]).sum(axis=0)
    expected = total / len(np.unique(early.user[at]))
    np.testing.assert_allclose(found.mean, expected, rtol=1e-3, atol=1e-3)


def test_the_start_is_the_closed_form_worked_out_densely(micro):
    view, found = micro.view, co_watch(micro.view, len(micro.view.catalogue))
    at = watches(view)
    history = np.zeros((len(view.users), len(view.catalogue)))
    weights = 0.5 ** (events_since(view.log.user[at]) / 40.0)
    np.maximum.at(history, (view.log.user[at], view.log.video[at]), weights)
    met = np.flatnonzero(history.any(axis=0))
    history = history[:, met]
    inverse = np.linalg.inv(history.T @ history + 100.0 * np.eye(len(met)))
    deviation = np.sqrt(np.diagonal(inverse))
    # What is left of the partial correlations without their negative eigenvalues.
    partial = -inverse / np.outer(deviation, deviation)
    np.fill_diagonal(partial, 0.0)
    values, vectors = np.linalg.eigh(partial)
    kept = (vectors * values.clip(0)) @ vectors.T
    rows = found.rows[met, :-1].astype(np.float64)
    inner = rows @ rows.T
    np.testing.assert_allclose(inner / np.trace(inner), kept / np.trace(kept), atol=1e-5)
    # An event is worth its deviation, a candidate one over it: score is x times -P_ij / P_jj.
    worth = found.rows[met] @ found.worth[:-1] + found.worth[-1]
    np.testing.assert_allclose(worth, np.log(deviation), atol=0.02)
    assert np.corrcoef(worth, deviation)[0, 1] > 0.5
    rate, trend = smoothed_rate(view, math.inf, 10.0), watch_trend(view, 3.0, 10.0)
    bias = 0.5 * np.log(rate[met]) + np.log(trend[met]) - np.log(deviation)
    np.testing.assert_allclose(found.rows[met, -1], bias - bias.mean(), atol=1e-4)


def test_videos_that_the_same_users_watch_start_near_one_another(micro, start):
    """Users of the micro world watch videos of their own parity."""
    rows = start.found.rows[:, :-1]
    watched = np.flatnonzero(np.abs(rows).sum(axis=1))
    rows, parity = rows[watched], watched % 2
    near = rows @ rows.T
    np.fill_diagonal(near, np.nan)
    same = parity[:, None] == parity
    assert np.nanmean(near[same]) > np.nanmean(near[~same]) + 0.1


def told_otherwise(micro, users) -> Start:
    """The start of a log in which the latest events of some users are others."""
    log = micro.view.log
    late = np.zeros(len(log), np.bool_)
    for user in users:
        late[np.flatnonzero(log.user == user)[-RECENT:]] = True
    video, click = log.video.copy(), log.click.copy()
    video[late] = np.random.default_rng(0).permutation(video[late])
    click[late] = 1.0 - click[late]
    view = replace(micro.view, log=replace(log, video=video, click=click))
    return Start.of(view, micro.features, USER_WIDTH - 1, HELD_OUT)


def test_the_start_that_is_learned_from_has_not_seen_the_latest_events(micro, start):
    other = told_otherwise(micro, np.unique(micro.view.log.user))
    np.testing.assert_array_equal(other.found.rows, start.found.rows)
    assert not torch.equal(other.served, start.served)


def test_the_start_that_is_judged_on_lacks_the_answers_and_nothing_else(micro, start):
    """What content tells of the rows is fitted to the served ones, so both parts count."""

    def judged(made: Start) -> np.ndarray:
        by_features = made.served - by_rows(made, micro.view)
        return (made.judging - by_features).numpy()

    def by_rows(made: Start, view) -> torch.Tensor:
        return torch.from_numpy(co_watch(view, USER_WIDTH - 1).onto(made.found))

    log = micro.view.log
    kept = ~(np.isin(log.user, HELD_OUT) & (events_since(log.user) < RECENT))
    without = replace(micro.view, log=log.take(kept))
    np.testing.assert_allclose(judged(start), by_rows(start, without).numpy(), atol=1e-5)
    others = np.setdiff1d(np.unique(log.user), HELD_OUT)
    assert not torch.equal(told_otherwise(micro, others).judging, start.judging)


def test_turned_rows_keep_their_affinities_and_lie_nearer(micro):
    found = co_watch(micro.view, 4)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    turned = np.concatenate([found.rows[:, :-1] @ rotation, found.rows[:, -1:]], axis=1)
    other = replace(found, rows=turned.astype(np.float32))
    back = other.onto(found)
    np.testing.assert_allclose(back, found.rows, atol=1e-4)


def test_what_is_searched_orders_videos_as_the_towers_do(micro):
    cascade = fresh(micro)
    with torch.no_grad():
        table = torch.randn(30, USER_WIDTH)
        table[:, :-1] *= 20.0
        user = torch.cat([torch.randn(1, 127), torch.ones(1, 1)], dim=1)
        vectors = cascade.prerank.item_vectors(table)
        searched = (cascade.prerank.searched(vectors) @ user[0]).numpy()
        inner = vectors[:, :-1] @ user[0, :-1]
        said = (affinity(inner).log() + vectors[:, -1]).numpy()
    sure = inner.numpy() > 1.0
    assert sure.sum() > 1
    np.testing.assert_allclose(np.log(searched[sure]), said[sure], atol=2e-2)
    assert float(affinity(torch.tensor(-50.0))) == pytest.approx(FLOOR)


def test_a_fresh_cascade_ranks_by_the_closed_form_alone(micro, start):
    cascade = fresh(micro)
    begin(cascade, start)
    cascade.eval()
    batch, rows = micro.batch(0, 3), micro.rows
    with torch.no_grad():
        judged = cascade(rows, batch, cascade.read(rows, batch))
    torch.testing.assert_close(judged.logit, judged.base)
    found = start.found
    window, place = 1, 4
    at = batch.at[window]
    events = at[:place][-micro.settings.history :]
    table = found.rows
    kind = start.kinds[rows.kind[events]].numpy()
    worth = np.exp(table[rows.video[events]] @ found.worth[:-1] + found.worth[-1] + kind)
    watched = kind > SILENT
    assert watched.any()
    assert not watched.all()
    later = watched.sum() - watched.cumsum()
    user = (watched * worth * 0.5 ** (later / 40.0)) @ table[rows.video[events], :-1]
    inner = found.scale * float(user @ table[rows.video[at[place]], :-1])
    expected = float(affinity(torch.tensor(inner)).log()) + table[rows.video[at[place]], -1]
    level = float(cascade.prerank.readiness.bias)  # The same for all videos.
    assert judged.base[window, place].item() - level == pytest.approx(expected, abs=1e-3)


def test_towers_stay_and_the_rankers_learn(micro, start, tmp_path, monkeypatch):
    monkeypatch.setattr("shortlist.ranker.next_video.silence", lambda cascade, stage: None)
    settings = micro.settings.model_copy(update={"objective": "next"})
    fitted = fit(micro.view, micro.recalled, settings, tmp_path)
    assert fitted is not None
    cascade = fitted.cascade
    assert cascade.prerank.dense[-1].weight.abs().max() > 1e-4
    assert cascade.listwise.click.weight.abs().max() > 1e-4
    assert torch.equal(cascade.items.content.weight, start.content)
    assert not cascade.items.residual.weight.any()
    # What is served knows all rows.
    assert cascade.items.start is not None
    torch.testing.assert_close(cascade.items.start, start.served)


def test_two_runs_agree_to_the_last_digit(learned, micro, tmp_path):
    settings = micro.settings.model_copy(update={"objective": "next"})
    again = fit(micro.view, micro.recalled, settings, tmp_path)
    assert again is not None
    weights, others = learned.cascade.state_dict(), again.cascade.state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert again.cascade.calibration == learned.cascade.calibration
    assert again.curves.points == learned.curves.points


def test_each_learned_weight_has_a_gradient_and_no_other(micro, start, learned):
    """Processes that train together wait for one gradient of each."""
    from shortlist.ranker.company import Companion
    from shortlist.ranker.lists import Pools
    from shortlist.ranker.next_video import NextVideoTraining

    pools = Pools(micro.recalled, micro.live, np.zeros(40, np.int64), micro.features.tags)
    companion = Companion([], micro.rows.profile, 0.0, pools, nearest=2)
    training = NextVideoTraining(
        fresh(micro),
        micro.rows,
        companion,
        np.zeros(40, np.float32),
        micro.settings,
        start,
        steps=10,
        seed=1,
    )
    training.log_dict = lambda *args, **kwargs: None
    training.rng = np.random.default_rng(0)
    training.training_step(micro.batch(*range(6)), 0).backward()
    for name, weight in training.named_parameters():
        assert (weight.grad is not None) == weight.requires_grad, name
    # A batch in which nothing came next has gradients too, of 0.
    training.zero_grad()
    batch = micro.batch(0, 1)
    nothing = Batch(batch.at, batch.filled, torch.zeros_like(batch.predicted), batch.user)
    training.settings = micro.settings.model_copy(update={"beta": 0.0})
    training.training_step(nothing, 0).backward()
    grads = [p.grad for p in training.parameters() if p.requires_grad]
    assert all(grad is not None and not grad.any() for grad in grads)


def test_lists_hold_nothing_that_was_seen_before(micro, start):
    from shortlist.ranker.company import Companion
    from shortlist.ranker.lists import Pools
    from shortlist.ranker.next_video import NextVideoTraining

    pools = Pools(micro.recalled, micro.live, np.zeros(40, np.int64), micro.features.tags)
    companion = Companion([], micro.rows.profile, 0.0, pools, nearest=2)
    training = NextVideoTraining(
        fresh(micro),
        micro.rows,
        companion,
        np.zeros(40, np.float32),
        micro.settings,
        start,
        steps=10,
        seed=1,
    )
    batch = micro.batch(1)
    at = torch.tensor([0]), torch.tensor([5])
    read = training.cascade.read(micro.rows, batch)
    best = training._best(batch, read, at, 8)
    seen = set(micro.rows.video[batch.at[0, :5]].tolist())
    assert not seen & set(best[0].tolist())
    assert set(best[0].tolist()) <= set(micro.live.tolist())


def test_exported_graphs_equal_the_modules_and_say_probabilities(learned, micro):
    """The graphs hold the calibration, in which the order stays what it was."""
    cascade = learned.cascade.eval()
    assert cascade.calibration is not None
    slope, level = cascade.calibration
    assert slope > 0
    table = item_table(cascade)
    batch, rows = micro.batch(0), micro.rows
    events = int(batch.filled[0].sum())
    count = min(events, micro.settings.history)
    at = batch.at[:, events - count : events]
    filled = torch.ones(1, count, dtype=torch.bool)
    last = rows.day[at][:, -1:]
    with torch.no_grad():
        user, tokens = HistoryGraph(cascade)(
            table[rows.video[at]],
            rows.kind[at],
            last - rows.day[at],
            filled,
            torch.zeros(1, micro.profile_width),
        )
        held = cascade.history.memory
        assert held is not None
        told = held(table[rows.video[at]], rows.kind[at], filled[:, None])
        torch.testing.assert_close(user[:, :-1], told[:, 0])
        judged = (
            user,
            tokens,
            last - rows.day[at],
            filled,
            table[None, :9],
            torch.zeros(1, 32),
            torch.zeros(1, 9, 3),
        )
        logit = PrerankGraph(cascade)(*judged)
        cascade.calibration = None
        plain = PrerankGraph(cascade)(*judged)
        listed = torch.ones(1, 9, dtype=torch.bool)
        click, _ = ListGraph(cascade)(*judged, plain, listed)
        cascade.calibration = (slope, level)
        torch.testing.assert_close(logit, slope * plain + level)
        sure, _ = ListGraph(cascade)(*judged, logit, listed)
        torch.testing.assert_close(sure, slope * click + level, atol=1e-5, rtol=1e-4)


def test_rows_of_one_outcome_calibrate_nothing(learned, micro):
    target = torch.where(micro.rows.target.isnan(), micro.rows.target, 1.0)
    rows = replace(micro.rows, target=target)
    assert calibration(learned.cascade, rows, learned.held_out) is None


def test_the_inverse_gram_matrix_is_an_inverse():
    history = np.random.default_rng(0).random((7, 5)).astype(np.float32)
    gram = history.T @ history + 2.0 * np.eye(5)
    inverse = inverse_gram(sp.csr_array(history), 2.0)
    np.testing.assert_allclose(inverse @ gram, np.eye(5), atol=1e-5)
