"""No fit reads the truth, and without labels nobody knows anything of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shortlist.baselines.protocol import Predictor
from shortlist.baselines.registry import CONSTRUCTORS
from shortlist.datasets.interactions import OUTCOMES, seen_pairs
from shortlist.evaluation.descriptions import OBSERVER, ORACLE
from shortlist.evaluation.metrics.discrimination import area_under_curve
from shortlist.evaluation.turns import contestants
from shortlist.world.truth import Truth

MODELS = [*CONSTRUCTORS, OBSERVER]
LEARNED = [name for name in MODELS if name != "random"]
DISCOUNT = 1 / np.log2(np.arange(2, 12))
SHUFFLES = 4

_opened: list[str] = []
_listening = False


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event in ("open", "os.listdir", "os.scandir"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_listen)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Record every path that Python opens or lists inside the block."""
    global _listening  # noqa: PLW0603 - an audit hook cannot be taken away again
    _opened.clear()
    _listening = True
    try:
        yield _opened
    finally:
        _listening = False


def made(name, micro, quick):
    return contestants(quick, micro.truth)[name]()


def test_every_contestant_but_the_oracle_is_held_here(micro, quick):
    assert set(contestants(quick, micro.truth)) == {*MODELS, ORACLE}


def test_the_recorder_hears_the_truth_being_read(micro):
    with listening() as opened:
        Truth.load(micro.sealed, micro.dataset.record.key)
    assert any(Path(path).is_relative_to(micro.sealed) for path in opened)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_is_the_same_with_the_truth_gone_and_opens_none_of_it(name, micro, quick):
    users = np.arange(len(micro.arena.view.users))
    model = made(name, micro, quick)
    with listening() as opened:
        beside = model.fit(micro.arena.view).score(users)
        rows = model.predict(micro.arena.test) if isinstance(model, Predictor) else None
    assert not [path for path in opened if str(micro.sealed.parent) in path]
    away = micro.sealed.parent.rename(micro.sealed.parent.with_name("elsewhere"))
    try:
        model = made(name, micro, quick).fit(micro.arena.view)
        assert model.score(users).tobytes() == beside.tobytes()
        if rows is not None:
            assert model.predict(micro.arena.test).tobytes() == rows.tobytes()
    finally:
        away.rename(micro.sealed.parent)


def muddled(view, seed):
    """The view with a log that says nothing of its world.

    All outcomes of a row move together to another row, so that no label belongs to its pair. That
    alone is not enough: the logging policy shows appealing videos more, and each user what he
    likes, so that exposure teaches without any label. So the videos that were shown are renamed
    among themselves too: what was shown to whom, and how often, is that of another video. Every
    marginal of the log stays: its users, days, sessions, contexts, rates and counts.
    """
    rng = np.random.default_rng(seed)
    log = view.log
    rows = rng.permutation(len(log))
    shown = np.unique(log.video)
    name = np.arange(len(view.catalogue))
    name[shown] = rng.permutation(shown)
    moved = {outcome: getattr(log, outcome)[rows] for outcome in OUTCOMES}
    return replace(view, log=replace(log, video=name[log.video], **moved))


@pytest.fixture(scope="module")
def true_click(micro):
    view = micro.arena.view
    users = np.arange(len(view.users))
    return micro.truth.click(users, view.as_of, view.context)


def gain(scores, view, live, true_click):
    """Expected-gain NDCG@10 over live videos that the view's own log has not shown."""
    allowed = np.tile(live, (len(scores), 1))
    for row, seen in enumerate(seen_pairs(view.log, np.arange(len(scores)))):
        allowed[row, seen] = False
    top = np.argsort(np.where(allowed, -scores, np.inf), axis=1)[:, :10]
    ideal = -np.sort(np.where(allowed, -true_click, 0.0), axis=1)[:, :10]
    return float(np.mean((np.take_along_axis(true_click, top, 1) @ DISCOUNT) / (ideal @ DISCOUNT)))


def held_out_auc(scores, test):
    known = ~np.isnan(test.click)
    said = scores[test.user, test.video]
    return area_under_curve(test.click[known] == 1, said[known])


@pytest.fixture(scope="module")
def chance(micro, true_click):
    """Mean and deviation of both figures where one random order is given to all.

    No order that knows nothing varies more than one that is the same for every user.
    """
    rng = np.random.default_rng(3)
    view, live = micro.arena.view, micro.arena.live
    found = []
    for _ in range(60):
        scores = np.tile(rng.random(len(live)), (len(true_click), 1))
        found.append((gain(scores, view, live, true_click), held_out_auc(scores, micro.arena.test)))
    return np.mean(found, axis=0), np.std(found, axis=0)


def measured(model, view, micro, true_click):
    scores = model.fit(view).score(np.arange(len(view.users)))
    test = micro.arena.test
    return gain(scores, view, micro.arena.live, true_click), held_out_auc(scores, test)


@pytest.mark.parametrize("name", LEARNED)
def test_a_muddled_log_teaches_nothing_and_the_log_itself_does(
    name, micro, quick, true_click, chance
):
    middle, deviation = chance
    taught = measured(made(name, micro, quick), micro.arena.view, micro, true_click)
    untaught = np.mean(
        [
            measured(made(name, micro, quick), muddled(micro.arena.view, seed), micro, true_click)
            for seed in range(SHUFFLES)
        ],
        axis=0,
    )
    # Four standard errors of a mean over the shuffles; what the log teaches lies further off.
    within = 4 * deviation / np.sqrt(SHUFFLES)
    assert (np.abs(untaught - middle) < within).all()
    assert (np.array(taught) - middle > within).all()
