"""The judge gets the cascade's order, probabilities in each row's own moment, and served pages."""

import dataclasses
import datetime as dt
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit, logit

from shortlist.baselines.protocol import Predictor
from shortlist.datasets.interactions import Interactions
from shortlist.errors import RefusedError
from shortlist.evaluation.arena import make_arena
from shortlist.evaluation.entrants import ListRanker, PageMaker, Traceable
from shortlist.evaluation.performance import perform
from shortlist.ranker.features import session_weariness, video_age
from shortlist.recommender.cascade import Cascade
from shortlist.recommender.contestant import Contestant, tiered
from shortlist.recommender.request import Request
from shortlist.recommender.without import Without
from shortlist.settings.slate import SlateSettings

SLATE = SlateSettings(size=6, trade_off=0.67)


def contestant(trained, **changes) -> Contestant:
    return Contestant(trained.directories, SLATE, digest="d", **changes)


@pytest.fixture(scope="module")
def view(trained):
    """The history, with a context, which the pipeline's view leaves empty."""
    return dataclasses.replace(trained.view, context=np.full(32, 0.25, np.float32))


@pytest.fixture(scope="module")
def fitted(trained, view) -> Contestant:
    return contestant(trained).fit(view)


@pytest.fixture(scope="module")
def late_rows(trained, view) -> Interactions:
    window = trained.cut.test
    return Interactions.load(
        trained.dataset, view.users, view.catalogue, window.first, window.last, context=True
    )


def test_it_is_whatever_the_judge_asks_for(fitted):
    assert isinstance(fitted, Predictor)
    assert isinstance(fitted, PageMaker)
    assert isinstance(fitted, ListRanker)
    assert isinstance(fitted, Traceable)
    assert fitted.name == "shortlist"


def test_scores_fall_from_list_to_pre_rank_to_vectors_to_what_is_not_live(
    fitted, trained, view, parts
):
    scores = fitted.score(np.arange(len(view.users)))
    assert scores.shape == (60, 200)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    live = view.catalogue.uploaded_before(view.as_of)
    assert 0 < (~live).sum() < 100
    cascade = Cascade(parts)
    for user in (0, 11, 59):
        answer = cascade.answer(fitted._request(user), float(view.as_of_day))
        # The first tier is the list ranker's logits as they are.
        best = answer.recalled.video[answer.listed]
        np.testing.assert_array_equal(scores[user, best], answer.click)
        others = np.setdiff1d(answer.recalled.video, best)
        rest = np.setdiff1d(np.flatnonzero(live), answer.recalled.video)
        order = [scores[user, tier] for tier in (best, others, rest, np.flatnonzero(~live))]
        for above, below in itertools.pairwise(order):
            assert above.min() > below.max()
        prerank = dict(zip(answer.recalled.video, answer.prerank, strict=True))
        np.testing.assert_allclose(
            np.diff(scores[user, others]), np.diff([prerank[v] for v in others]), atol=1e-4
        )
        np.testing.assert_allclose(
            np.diff(scores[user, rest]), np.diff(parts.vectors[rest] @ answer.user), atol=1e-4
        )


def test_a_users_scores_do_not_depend_on_the_company(fitted):
    users = np.arange(20)
    together = fitted.score(users)
    apart = np.concatenate([fitted.score(users[[place]]) for place in users])
    np.testing.assert_allclose(together, apart, rtol=2e-5, atol=1e-6)
    turned = fitted.score(users[::-1])[::-1]
    np.testing.assert_allclose(together, turned, rtol=2e-5, atol=1e-6)
    assert fitted.score(users).tobytes() == together.tobytes()


def test_nobody_gets_an_empty_table(fitted):
    assert fitted.score(np.zeros(0, np.int64)).shape == (0, 200)
    assert fitted.pages(np.zeros(0, np.int64)).shape == (0, 6)
    assert fitted.ranked(np.zeros(0, np.int64)) == []


def test_predictions_know_the_rows_context_day_and_session(fitted, view, parts, late_rows):
    predicted = fitted.predict(late_rows)
    assert predicted.shape == (len(late_rows),)
    assert predicted.dtype == np.float32
    weary = session_weariness(late_rows, parts.tags)
    rng = np.random.default_rng(0)
    random = np.flatnonzero(late_rows.random_exposure)
    assert len(random)
    for row in [*rng.choice(len(late_rows), 12, replace=False), random[0]]:
        user, video = int(late_rows.user[row]), int(late_rows.video[row])
        asked = [fitted._request(user)]
        encoded = Cascade(parts).encode(asked, float(view.as_of_day))
        age = video_age(view.catalogue.upload_day[[video]], float(late_rows.day[row]))
        moment = np.r_[age, weary[row]].astype(np.float32)
        alone = parts.scorer.prerank(
            encoded, np.array([[video]]), late_rows.context[[row]], moment[None, None]
        )[0, 0]
        lift = 0.0 if late_rows.random_exposure[row] else 0.4
        assert predicted[row] == pytest.approx(expit(alone + lift), abs=1e-5)


def test_predictions_are_blind_to_outcomes_and_to_other_users_rows(fitted, late_rows):
    predicted = fitted.predict(late_rows)
    unknown = np.full(len(late_rows), np.nan, np.float32)
    hidden = dataclasses.replace(
        late_rows, **dict.fromkeys(("click", "long_view", "like", "skip"), unknown)
    )
    np.testing.assert_array_equal(fitted.predict(hidden), predicted)
    few = np.flatnonzero(np.isin(late_rows.user, [1, 4, 30]))
    assert len(few)
    np.testing.assert_allclose(fitted.predict(late_rows.take(few)), predicted[few], rtol=1e-5)
    assert fitted.predict(late_rows.take(few[:0])).shape == (0,)


def test_where_a_policy_chose_a_logit_gains_the_lift(fitted, late_rows):
    chosen = dataclasses.replace(late_rows, random_exposure=np.zeros(len(late_rows), np.bool_))
    drawn = dataclasses.replace(late_rows, random_exposure=np.ones(len(late_rows), np.bool_))
    np.testing.assert_allclose(
        logit(fitted.predict(chosen)) - logit(fitted.predict(drawn)), 0.4, atol=1e-3
    )


def test_pages_are_drawn_from_what_is_ranked(fitted, view):
    users = np.array([7, 2, 2])
    pages = fitted.pages(users)
    assert pages.shape == (3, 6)
    np.testing.assert_array_equal(pages[1], pages[2])
    live = view.catalogue.uploaded_before(view.as_of)
    for user, page, ranked in zip(users, pages, fitted.ranked(users), strict=True):
        assert np.isin(page, ranked.video).all()
        assert live[page].all()
        assert not np.isin(page, view.log.video[view.log.user == user]).any()


def test_what_was_scored_is_not_ranked_again(fitted, view, monkeypatch):
    fresh = fitted.fit(view)
    users = np.arange(4)
    expected = fresh.pages(users)
    again = fitted.fit(view)
    again.score(users)
    monkeypatch.setattr(Cascade, "answers", lambda *_: iter(()))
    np.testing.assert_array_equal(again.pages(users), expected)


def test_what_is_left_out_changes_figures_and_fingerprint(trained, view, fitted):
    users = np.arange(8)
    whole = fitted.score(users)
    seen = {fitted.fingerprint}
    for left_out in (
        Without(history=True),
        Without(context=True),
        Without(listwise=True),
        Without(sources=frozenset({"vector"})),
    ):
        other = contestant(trained, without=left_out, name="less").fit(view)
        assert not np.array_equal(other.score(users), whole)
        seen.add(other.fingerprint)
    plain = contestant(trained, without=Without(diversity=True)).fit(view)
    np.testing.assert_array_equal(plain.score(users), whole)
    assert not np.array_equal(plain.pages(users), fitted.pages(users))
    np.testing.assert_array_equal(plain.pages(users)[0], plain.ranked(users)[0].video[:6])
    seen |= {plain.fingerprint, contestant(trained).fingerprint}
    assert len(seen) == 6
    other_files = Contestant(trained.directories, SLATE, digest="e")
    assert other_files.fingerprint != fitted.fingerprint
    other_slate = Contestant(trained.directories, SlateSettings(), digest="d")
    assert other_slate.fingerprint != fitted.fingerprint


def test_without_context_predictions_ignore_it(trained, view, late_rows):
    blind = contestant(trained, without=Without(context=True)).fit(view)
    moved = dataclasses.replace(late_rows, context=late_rows.context + 1)
    np.testing.assert_array_equal(blind.predict(late_rows), blind.predict(moved))


def test_a_log_without_rows_is_enough(trained, view):
    empty = dataclasses.replace(view, log=view.log.take(np.zeros(0, np.int64)))
    assert np.isfinite(contestant(trained).fit(empty).score(np.array([0, 3]))).all()


def test_what_was_trained_on_later_days_is_refused(trained, view):
    earlier = dataclasses.replace(view, as_of=view.as_of - dt.timedelta(days=1))
    with pytest.raises(RefusedError, match="trained on 1 days of those it should be judged on"):
        contestant(trained).fit(earlier)


def test_other_videos_and_other_users_are_refused(trained, view):
    fewer = view.catalogue.table.slice(0, 199)
    moved = type(view.catalogue).from_table(fewer)
    with pytest.raises(RefusedError, match="other videos"):
        contestant(trained).fit(dataclasses.replace(view, catalogue=moved))
    users = dataclasses.replace(view.users, languages=("one", "more", "than", "there", "was", "x"))
    with pytest.raises(RefusedError, match="users who declare other things"):
        contestant(trained).fit(dataclasses.replace(view, users=users))


def test_the_judge_lets_it_perform(trained):
    arena = make_arena(
        trained.dataset,
        trained.cut,
        trained.view.content,
        target="click",
        context=np.zeros(32, np.float32),
        sample=20,
        seed=0,
    )
    rates = np.full(len(arena.catalogue), 0.2)
    done = perform(contestant(trained), arena, share=0.2, rates=rates)
    assert done.lists.shape[1] == 100
    assert len(done.row_predictions) == len(arena.test)


@given(
    st.lists(
        hnp.arrays(np.float32, st.integers(0, 5), elements=st.floats(-50, 50, width=32)),
        min_size=1,
        max_size=4,
    ),
    st.randoms(),
)
def test_tiers_never_mix_and_keep_their_own_order(values, random):
    count = sum(map(len, values))
    places = random.sample(range(count), count)
    tiers, start = [], 0
    for own in values:
        tiers.append((np.array(places[start : start + len(own)], np.int64), own))
        start += len(own)
    scores = tiered(count, tiers)
    filled = [(scores[at], own) for at, own in tiers if len(at)]
    if filled:
        np.testing.assert_array_equal(*filled[0])
    for moved, own in filled:
        np.testing.assert_allclose(moved - moved[0], own - own[0], atol=1e-3)
    for (above, _), (below, _) in itertools.pairwise(filled):
        assert above.min() > below.max()


def test_a_request_excludes_what_was_seen(fitted, view):
    request = fitted._request(5)
    assert isinstance(request, Request)
    np.testing.assert_array_equal(request.excluded, np.unique(view.log.video[view.log.user == 5]))
    np.testing.assert_array_equal(request.context, view.context)
