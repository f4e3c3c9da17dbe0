"""The closed form of a user's factor, beside the library that fitted the items."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares

from shortlist.datasets.events import Events, Histories, Kind
from shortlist.recall.collaborative import Collaborative
from shortlist.recall.fitting import confidences, item_factors
from shortlist.settings.recall import RecallSettings

SETTINGS = RecallSettings(als_factors=5, als_iterations=4, als_l2=2.0, als_confidence=7.0)


@pytest.fixture(scope="module")
def source(kit) -> Collaborative:
    factors = item_factors(kit.view, SETTINGS)
    return Collaborative(factors, kit.live, "click", l2=2.0, confidence=7.0)


def test_folding_in_equals_the_factor_that_the_library_recalculates(kit, source):
    liked = sp.csr_matrix(confidences(kit.view))
    model = AlternatingLeastSquares(factors=5, regularization=2.0, alpha=7.0, num_threads=1)
    model.item_factors = item_factors(kit.view, SETTINGS)
    histories = Histories.from_log(kit.view.log, len(kit.view.users))
    for user in range(10):
        expected = model.recalculate_user(user, liked[user])
        folded = source.fold_in(histories.of(user))
        assert folded == pytest.approx(expected, abs=1e-5)
        assert np.abs(expected).max() > 0.01


def test_the_strongest_event_of_a_video_counts_once(source, events_of):
    once = source.fold_in(events_of((0, Kind.LIKE, 1.0), (2, Kind.CLICK, 1.0)))
    often = source.fold_in(
        events_of((0, Kind.CLICK, 0.0), (2, Kind.CLICK, 1.0), (0, Kind.LIKE, 1.0))
    )
    assert (once == often).all()
    assert (once != source.fold_in(events_of((0, Kind.CLICK, 1.0), (2, Kind.CLICK, 1.0)))).any()


def test_a_like_of_a_second_ago_moves_the_answer(kit, source, events_of):
    cats = source.recall(kit.query(39, history=events_of((2, Kind.LIKE, 9.0))), 10).video
    dogs = source.recall(kit.query(39, history=events_of((3, Kind.LIKE, 9.0))), 10).video
    assert (cats % 2 == 0).mean() >= 0.8
    assert (dogs % 2 == 1).mean() >= 0.8


def test_who_liked_nothing_has_no_factor(source, events_of):
    assert source.fold_in(events_of((0, Kind.SKIP, 1.0), (1, Kind.SHOWN, 1.0))) is None
    assert source.fold_in(Events.none()) is None


def test_what_nobody_liked_has_no_factor_and_is_not_proposed(view_of_one, kit):
    factors = item_factors(view_of_one, SETTINGS)
    assert factors.any(axis=1).tolist() == [True, False] + [False] * 58
    source = Collaborative(factors, kit.live, "click", l2=2.0, confidence=7.0)
    found = source.recall(kit.query(0, excluded=np.zeros(0, np.int64)), 60)
    assert set(found.video.tolist()) <= {0}


@pytest.fixture(scope="module")
def view_of_one(kit):
    log = kit.view.log.take(np.arange(2))
    log = replace(
        log,
        user=np.array([0, 1]),
        video=np.array([0, 1]),
        click=np.array([1, 0], np.float32),
        long_view=np.zeros(2, np.float32),
        skip=np.zeros(2, np.float32),
    )
    return replace(kit.view, log=log)


def test_a_log_without_positives_gives_empty_factors(view_of_one):
    silent = replace(view_of_one, log=view_of_one.log.take(np.array([1])))
    assert not item_factors(silent, SETTINGS).any()
