"""The laws of the world: what makes a click likelier, and what follows a click."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from shortlist.world.context import AT, context_at, standard_context
from shortlist.world.law import (
    LONG_VIEW_SECONDS,
    SKIP_SECONDS,
    Law,
    like_after_click,
    tiredness,
    view_seconds,
)
from shortlist.world.streams import Streams
from shortlist.world.world import World

# Explaining a failure would print the whole world again and again.
examples = settings(
    deadline=None, derandomize=True, max_examples=25, phases=set(Phase) - {Phase.explain}
)

a_user = st.integers(0, 59)
a_video = st.integers(0, 239)
a_day = st.integers(0, 30)
a_logit = st.floats(-12, 12)
a_length = st.floats(4, 900)
a_little = st.floats(0.01, 3)


def logit(
    law: Law,
    user: int,
    video: int,
    day: int = 2,
    tired: float = 0.0,
    context: np.ndarray | None = None,
) -> float:
    context = standard_context() if context is None else context
    row = law.pairs(np.array([user]), np.array([video]), day, context[None], np.array([tired]))
    return float(row[0])


def with_videos(law: Law, **arrays: np.ndarray) -> Law:
    return replace(law, videos=replace(law.videos, **arrays))


@examples
@given(a_user, a_video, a_day, a_little)
def test_a_click_is_likelier_the_nearer_the_taste(
    world: World, user: int, video: int, day: int, step: float
) -> None:
    taste = world.law.videos.taste.copy()
    taste[video] += step * world.users.taste_on(day)[user]
    nearer = with_videos(world.law, taste=taste)
    rise = logit(nearer, user, video, day) - logit(world.law, user, video, day)
    # Taste of users has unit length, so a step along it is worth the step.
    assert rise == pytest.approx(world.settings.affinity_deviation * step, rel=1e-6)


@examples
@given(a_user, a_video, a_little)
def test_a_click_is_likelier_with_appeal(world: World, user: int, video: int, step: float) -> None:
    more = with_videos(world.law, appeal=world.videos.appeal + step)
    rise = logit(more, user, video) - logit(world.law, user, video)
    assert rise == pytest.approx(step, rel=1e-6)


@examples
@given(a_user, a_video, a_little)
def test_a_click_is_likelier_from_a_readier_user(
    world: World, user: int, video: int, step: float
) -> None:
    readier = replace(world.users, readiness=world.users.readiness + step)
    rise = logit(replace(world.law, users=readier), user, video) - logit(world.law, user, video)
    assert rise == pytest.approx(step, rel=1e-6)


@examples
@given(a_user, a_video, st.floats(0, 5), a_little)
def test_tiredness_costs_its_strength(
    world: World, user: int, video: int, tired: float, more: float
) -> None:
    fall = logit(world.law, user, video, tired=tired) - logit(
        world.law, user, video, tired=tired + more
    )
    assert fall == pytest.approx(world.settings.tiring * more, rel=1e-6)


@examples
@given(a_user, a_video, st.floats(-20, 1), st.floats(0.5, 30))
def test_a_video_fades_with_age_and_not_before_its_upload(
    world: World, user: int, video: int, uploaded: float, older: float
) -> None:
    def uploaded_on(day: float) -> float:
        days = np.full(len(world.videos), day)
        return logit(with_videos(world.law, upload_day=days), user, video, day=2)

    assert uploaded_on(uploaded) > uploaded_on(uploaded - older)
    assert uploaded_on(2) == uploaded_on(2 + older)


@examples
@given(a_user, a_video)
def test_a_foreign_language_costs_the_penalty(world: World, user: int, video: int) -> None:
    everywhere = np.full(len(world.videos), world.users.language[user])
    own = logit(with_videos(world.law, language=everywhere), user, video)
    foreign = logit(with_videos(world.law, language=(everywhere + 1) % 4), user, video)
    assert own - foreign == pytest.approx(world.settings.language_penalty, rel=1e-6)


@examples
@given(a_user, a_video)
def test_a_slow_network_costs_clicks_and_long_videos_more(
    world: World, user: int, video: int
) -> None:
    slow = standard_context()
    slow[AT["wifi"]], slow[AT["slow_network"]] = 0.0, 1.0

    def loss(seconds: float) -> float:
        law = with_videos(world.law, duration_seconds=np.full(len(world.videos), seconds))
        return logit(law, user, video) - logit(law, user, video, context=slow)

    assert 0 < loss(20) < loss(200)


def test_headphones_help_music_more_than_anything_else(world: World) -> None:
    with_them = standard_context()
    with_them[AT["headphones"]] = 1.0
    music = np.isin(world.videos.tag, range(5, 10))
    assert music.any()
    rise = np.array([
        logit(world.law, 0, video, context=with_them) - logit(world.law, 0, video)
        for video in range(len(world.videos))
    ])  # fmt: skip
    assert rise[~music].max() < rise[music].min()
    assert rise.min() > 0


def test_pairs_do_not_depend_on_the_rows_beside_them(world: World) -> None:
    context = context_at(world.sessions(1).context, 3)
    n = len(context)
    rng = np.random.default_rng(0)
    user, video, tired = rng.integers(0, 60, n), rng.integers(0, 240, n), 3 * rng.random(n)
    whole = world.law.pairs(user, video, 1, context, tired)
    for size in (1, 2, 7, 64):
        parts = [
            world.law.pairs(user[at], video[at], 1, context[at], tired[at])
            for at in (slice(start, start + size) for start in range(0, n, size))
        ]
        assert np.concatenate(parts).tobytes() == whole.tobytes()


@examples
@given(st.lists(a_user, min_size=1, max_size=4), a_day)
def test_the_catalogue_equals_pairs_in_an_empty_session(
    world: World, user: list[int], day: int
) -> None:
    context = standard_context()
    found = world.law.catalogue(np.array(user), day, context)
    assert found.shape == (len(user), len(world.videos))
    for row, one in enumerate(user):
        count = len(world.videos)
        expected = world.law.pairs(
            np.full(count, one),
            np.arange(count),
            day,
            np.tile(context, (count, 1)),
            np.zeros(count),
        )
        np.testing.assert_allclose(found[row], expected, atol=1e-9)


@examples
@given(a_logit, a_length)
def test_probabilities_lie_between_zero_and_one(world: World, z: float, seconds: float) -> None:
    outcomes = world.law.outcomes(np.array(z), np.array(seconds))
    for p in (outcomes.click, outcomes.long_view, outcomes.like, outcomes.skip):
        assert 0 < p < 1
    assert outcomes.like < outcomes.click


# Below -3.6 a view after a click is shorter than a glance without one; few pairs lie there.
@examples
@given(st.floats(-3.5, 6), a_little, a_length)
def test_a_higher_logit_brings_more_of_all_and_fewer_skips(
    world: World, z: float, step: float, seconds: float
) -> None:
    low = world.law.outcomes(np.array(z), np.array(seconds))
    high = world.law.outcomes(np.array(z + step), np.array(seconds))
    assert high.click > low.click
    assert high.long_view > low.long_view
    assert high.like > low.like
    assert high.skip < low.skip


@examples
@given(a_logit, a_length, a_little)
def test_a_long_view_is_harder_on_a_longer_video_up_to_eighteen_seconds(
    world: World, z: float, seconds: float, more: float
) -> None:
    short = world.law.outcomes(np.array(z), np.array(seconds)).long_view
    longer = world.law.outcomes(np.array(z), np.array(seconds + more)).long_view
    if seconds < LONG_VIEW_SECONDS:
        assert longer < short
    else:
        assert longer == short


@pytest.mark.parametrize("z", [-4.0, -1.45, 0.0, 2.0])
@pytest.mark.parametrize("seconds", [6.0, 120.0])
def test_probabilities_agree_with_what_is_drawn(world: World, z: float, seconds: float) -> None:
    count = 200_000
    streams = Streams(8)
    at = np.full(count, z)
    said = world.law.outcomes(np.array(z), np.array(seconds))
    click = streams.uniform("click", 0, count) < expit(at)
    watched = world.law.watch_seconds(at, click, streams.normal("watch", 0, count))
    like = click & (streams.uniform("like", 0, count) < like_after_click(at))
    drawn = {
        "click": click,
        "long_view": watched >= min(seconds, LONG_VIEW_SECONDS),
        "like": like,
        "skip": watched < SKIP_SECONDS,
    }
    for name, values in drawn.items():
        p = float(getattr(said, name))
        # Four standard errors of a binomial share.
        assert abs(values.mean() - p) < 4 * np.sqrt(p * (1 - p) / count), name


def test_watch_seconds_are_lognormal_and_never_ask_for_the_length(world: World) -> None:
    z = np.array([-1.0, 0.5])
    middle, spread = view_seconds(z)
    clicked = np.array([True, True])
    at_median = world.law.watch_seconds(z, clicked, np.zeros(2))
    np.testing.assert_allclose(at_median, np.exp(middle))
    above = world.law.watch_seconds(z, clicked, np.ones(2))
    np.testing.assert_allclose(np.log(above / at_median), spread)
    glances = world.law.watch_seconds(z, ~clicked, np.zeros(2))
    assert glances[0] == glances[1], "without a click the logit says nothing"


def test_tiredness_adds_up_what_is_left_of_earlier_videos_of_the_tag() -> None:
    tags = np.array([3, 3, 5, 3, 5, 3])
    left = 0.8
    by_hand = [0, 1, 0, left + left**2, left, left + left**3 + left**4]
    np.testing.assert_allclose(tiredness(tags, left), by_hand)


@examples
@given(
    st.lists(st.lists(st.integers(-1, 3), min_size=6, max_size=6), min_size=1, max_size=4),
    st.floats(0.05, 0.95),
)
def test_tiredness_equals_a_loop(tags: list[list[int]], recovery: float) -> None:
    expected = []
    for session in tags:
        state = dict.fromkeys(range(4), 0.0)
        row = []
        for tag in session:
            row.append(state.get(tag, 0.0))
            state = {key: value * recovery for key, value in state.items()}
            if tag >= 0:
                state[tag] += 1.0
        expected.append(row)
    np.testing.assert_allclose(tiredness(np.array(tags), recovery), expected, atol=1e-12)


@examples
@given(st.lists(st.integers(0, 5), min_size=2, max_size=12), st.floats(0.05, 0.95))
def test_a_page_of_one_tag_tires_most_and_of_distinct_tags_not_at_all(
    tags: list[int], recovery: float
) -> None:
    n = len(tags)
    most = tiredness(np.zeros(n, np.int64), recovery)
    assert (tiredness(np.array(tags), recovery) <= most + 1e-12).all()
    assert not tiredness(np.arange(n), recovery).any()
    assert (np.diff(most) > 0).all()
    assert most[-1] < 1 / (1 - recovery)
