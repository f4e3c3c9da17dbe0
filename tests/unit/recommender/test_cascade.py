"""Each stage is what the one before it handed on, and nobody's answer hangs on the company."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from shortlist.datasets.events import Events, Kind
from shortlist.ranker.features import video_age, weariness
from shortlist.ranker.profile import tallies
from shortlist.recall.source import SOURCES
from shortlist.recommender.cascade import Answer, Cascade
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.recommender.without import Without
from shortlist.settings.slate import SlateSettings

MakeRequest = Callable[..., Request]


@pytest.fixture(scope="session")
def day(parts: Parts) -> float:
    return float(parts.as_of_day)


@pytest.fixture(scope="session")
def answer(parts: Parts, request_of: MakeRequest, day: float) -> Answer:
    return Cascade(parts).answer(request_of(3), day)


def by_hand(parts: Parts, request: Request, day: float, video: np.ndarray) -> np.ndarray:
    """The stand-in's pre-rank in numpy."""
    history = request.history.last(12)
    rows = np.asarray(parts.scorer.items, np.float64)
    weight = (history.kind >= Kind.CLICK) * np.exp(-0.1 * (day - history.day))
    profile = np.r_[request.declared, tallies([request.history])[0]]
    taste = weight @ rows[history.video, :-1] / (weight.sum() + 1) + profile.mean()
    tired = video_age(parts.catalogue.upload_day[video], day).astype(np.float64)
    if len(request.session):
        tired += weariness(request.session, video, parts.tags).sum(axis=1)
    match = rows[video] @ np.r_[taste, 1.0]
    return match + 0.1 * request.context.sum() - 0.2 * tired


def test_candidates_are_new_live_videos_of_known_origin(
    answer: Answer, parts: Parts, request_of: MakeRequest
):
    recalled = answer.recalled
    assert len(recalled) == 60
    assert len(np.unique(recalled.video)) == 60
    assert parts.live[recalled.video].all()
    assert not np.isin(recalled.video, request_of(3).excluded).any()
    assert (recalled.sources > 0).all()
    # Everybody has been asked.
    assert np.bitwise_or.reduce(recalled.sources) == 15


def test_the_user_vector_is_the_query_of_the_vector_source(answer: Answer, parts: Parts):
    found = np.flatnonzero(np.isfinite(answer.recalled.scores[:, SOURCES.index("vector")]))
    assert len(found) > 10
    video = answer.recalled.video[found]
    np.testing.assert_allclose(
        answer.recalled.scores[found, SOURCES.index("vector")],
        parts.vectors[video] @ answer.user,
        atol=2e-3,
    )


def test_the_pre_rank_judges_every_candidate_at_the_moment(
    answer: Answer, parts: Parts, request_of: MakeRequest, day: float
):
    expected = by_hand(parts, request_of(3), day, answer.recalled.video)
    np.testing.assert_allclose(answer.prerank, expected, atol=2e-3)


def test_a_session_wearies_of_its_tags(parts: Parts, request_of: MakeRequest, day: float):
    fresh = Cascade(parts).answer(request_of(3), day)
    seen = fresh.recalled.video[:3]
    tired = Cascade(parts).answer(request_of(3, session=seen), day)
    np.testing.assert_array_equal(tired.recalled.video, fresh.recalled.video)
    expected = by_hand(parts, request_of(3, session=seen), day, tired.recalled.video)
    np.testing.assert_allclose(tired.prerank, expected, atol=2e-3)
    assert (tired.prerank[:3] < fresh.prerank[:3] - 0.05).all()


def test_the_list_is_the_best_of_the_pre_rank_judged_in_company(answer: Answer, parts: Parts):
    best = np.argsort(-answer.prerank, kind="stable")[:15]
    np.testing.assert_array_equal(answer.listed, best)
    rows = np.asarray(parts.scorer.items, np.float64)[answer.recalled.video[best]]
    np.testing.assert_allclose(
        answer.click, answer.prerank[best] + rows[:, 0] - rows[:, 0].mean(), atol=1e-3
    )
    np.testing.assert_allclose(answer.diversity, expit(rows[:, 1]), atol=1e-3)


def test_what_is_ranked_falls_and_keeps_its_origin(answer: Answer):
    ranked = answer.ranked
    assert (np.diff(ranked.relevance) <= 0).all()
    assert ranked.relevance.dtype == np.float32
    order = np.argsort(-answer.click, kind="stable")
    np.testing.assert_allclose(ranked.relevance, expit(answer.click[order]), rtol=1e-6)
    np.testing.assert_array_equal(ranked.diversity, answer.diversity[order])
    sources = dict(zip(answer.recalled.video, answer.recalled.sources, strict=True))
    assert [sources[video] for video in ranked.video] == ranked.sources.tolist()


@pytest.mark.parametrize("together", [2, 7])
def test_answers_do_not_hang_on_the_company(
    parts: Parts, request_of: MakeRequest, day: float, together: int
):
    # One who is new, one with little left to see: lists of several lengths meet.
    busy = request_of(5, excluded=np.flatnonzero(parts.live)[:-9])
    requests = [request_of(0), request_of(1, history=Events.none()), busy, request_of(2)]
    alone = [Cascade(parts).answer(request, day) for request in requests]
    company = list(Cascade(parts, together=together).answers(requests, day))
    assert len(company[2].recalled) == len(company[2].ranked) == 9
    for one, other in zip(alone, company, strict=True):
        np.testing.assert_array_equal(one.recalled.video, other.recalled.video)
        np.testing.assert_array_equal(one.ranked.video, other.ranked.video)
        np.testing.assert_allclose(one.prerank, other.prerank, atol=1e-5)
        np.testing.assert_allclose(one.ranked.relevance, other.ranked.relevance, atol=1e-5)
        np.testing.assert_allclose(one.ranked.diversity, other.ranked.diversity, atol=1e-5)


@pytest.mark.parametrize("together", [1, 3])
def test_who_has_seen_everything_gets_an_empty_page(
    parts: Parts, request_of: MakeRequest, day: float, together: int
):
    everything = request_of(0, excluded=np.arange(len(parts.catalogue)))
    cascade = Cascade(parts, together=together)
    found = cascade.answer(everything, day)
    assert (len(found.recalled), len(found.ranked)) == (0, 0)
    assert len(cascade.page(found, SlateSettings(trade_off=0.67))) == 0
    if together > 1:
        _, other = cascade.answers([everything, request_of(1)], day)
        assert len(other.ranked) == 15


def test_nobody_asks_and_nobody_is_answered(parts: Parts, day: float):
    assert list(Cascade(parts).answers([], day)) == []


def test_somebody_new_is_answered_by_popularity_and_interest(
    parts: Parts, request_of: MakeRequest, day: float
):
    none = request_of(0, history=Events.none(), excluded=np.zeros(0, np.int64))
    silent = np.zeros_like(none.declared)
    found = Cascade(parts).answer(request_of(0, history=Events.none(), declared=silent), day)
    by_tags, collaborative = SOURCES.index("tags"), SOURCES.index("collaborative")
    assert np.isnan(found.recalled.scores[:, [by_tags, collaborative]]).all()
    eager = silent.copy()
    eager[0] = 1.0
    found = Cascade(parts).answer(request_of(0, history=Events.none(), declared=eager), day)
    liked = np.isfinite(found.recalled.scores[:, by_tags])
    assert liked.any()
    assert np.isnan(found.recalled.scores[:, collaborative]).all()


def test_without_history_the_user_is_new_but_sees_nothing_twice(
    parts: Parts, request_of: MakeRequest, day: float
):
    request = request_of(3)
    found = Cascade(parts, Without(history=True)).answer(request, day)
    new = Cascade(parts).answer(request_of(3, history=Events.none()), day)
    np.testing.assert_array_equal(found.prerank, new.prerank)
    np.testing.assert_array_equal(found.ranked.video, new.ranked.video)
    assert not np.isin(found.recalled.video, request.excluded).any()
    assert len(found.viewer.events) == 0


def test_without_context_it_is_nowhere(parts: Parts, request_of: MakeRequest, day: float):
    found = Cascade(parts, Without(context=True)).answer(request_of(3), day)
    nowhere = Cascade(parts).answer(request_of(3, context=np.zeros(32, np.float32)), day)
    np.testing.assert_array_equal(found.prerank, nowhere.prerank)
    mood = request_of(3, context=np.ones(32, np.float32))
    found = Cascade(parts).answer(mood, day)
    np.testing.assert_allclose(found.prerank, nowhere.prerank + 3.2, atol=1e-4)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_is_left_out_proposes_nothing(
    parts: Parts, request_of: MakeRequest, day: float, name: str
):
    found = Cascade(parts, Without(sources=frozenset({name}))).answer(request_of(3), day)
    place = SOURCES.index(name)
    assert np.isnan(found.recalled.scores[:, place]).all()
    assert not (found.recalled.sources >> place & 1).any()
    assert len(found.recalled) == 60


def test_without_the_list_ranker_the_pre_rank_decides(
    parts: Parts, request_of: MakeRequest, day: float, answer: Answer
):
    found = Cascade(parts, Without(listwise=True)).answer(request_of(3), day)
    np.testing.assert_array_equal(found.ranked.video, answer.recalled.video[answer.listed])
    np.testing.assert_allclose(
        found.ranked.relevance, expit(answer.prerank[answer.listed]), rtol=1e-6
    )
    assert not found.ranked.diversity.any()


def test_without_diversity_the_page_is_the_head_of_the_list(
    parts: Parts, request_of: MakeRequest, day: float
):
    slate = SlateSettings(size=8, trade_off=0.67, creator_limit=1, tag_limit=1)
    cascade = Cascade(parts, Without(diversity=True))
    found = cascade.answer(request_of(3), day)
    np.testing.assert_array_equal(cascade.page(found, slate).video, found.ranked.video[:8])
    # And the whole recommender's is not.
    page = Cascade(parts).page(found, slate)
    assert page.video.tolist() != found.ranked.video[:8].tolist()
    assert len(page.reasons) == 8


def test_without_the_head_it_is_not_heard(parts: Parts, request_of: MakeRequest, day: float):
    slate = SlateSettings(size=8, head_weight=1.0, trade_off=0.7)
    cascade = Cascade(parts, Without(head=True))
    found = cascade.answer(request_of(3), day)
    deaf = Cascade(parts).page(found, slate.model_copy(update={"head_weight": 0.0}))
    np.testing.assert_array_equal(cascade.page(found, slate).video, deaf.video)
    assert Cascade(parts).page(found, slate).video.tolist() != deaf.video.tolist()


def test_exploration_is_drawn_by_its_seed(parts: Parts, answer: Answer):
    slate = SlateSettings(size=5, trade_off=0.67, epsilon=0.9)
    cascade = Cascade(parts)
    assert (cascade.page(answer, slate).propensity == 1).all()
    drawn = cascade.page(answer, slate, seed=7)
    assert drawn.explored.any()
    np.testing.assert_array_equal(cascade.page(answer, slate, seed=7).video, drawn.video)


def test_every_stage_is_timed(answer: Answer):
    assert list(answer.milliseconds) == ["encode", "recall", "pre-rank", "rank"]
    assert all(0 < ms < 10_000 for ms in answer.milliseconds.values())
