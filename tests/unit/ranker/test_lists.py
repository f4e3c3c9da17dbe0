"""Training lists: one logged session each, among company that carries no outcome."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.ranker.features import video_age, weariness
from shortlist.ranker.lists import RANDOM_SHARE, Pools, lists_of

UPLOAD_DAY = np.arange(40) % 9 - 8


def pools_of(micro) -> Pools:
    return Pools(micro.recalled, micro.live, UPLOAD_DAY, micro.features.tags)


def drawn(micro, seed: int = 0, *, share: float = 1.0, size: int = 12, pools=None, batch=None):
    batch = batch or micro.batch(*range(12))
    rng = np.random.default_rng(seed)
    lists = lists_of(micro.rows, batch, pools or pools_of(micro), share=share, size=size, rng=rng)
    return batch, lists


@pytest.mark.parametrize("seed", range(8))
def test_what_was_shown_in_one_session_keeps_its_outcomes_and_moments(micro, seed):
    batch, lists = drawn(micro, seed)
    rows = micro.rows
    for which in range(len(lists.window)):
        window, place = int(lists.window[which]), int(lists.place[which])
        first = int(batch.at[window, place])
        session = int(rows.session[first])
        here = batch.at[window][batch.predicted[window]]
        shown = here[rows.session[here] == session]
        assert int(shown[0]) == first
        count = len(shown)
        assert lists.video[which, :count].tolist() == rows.video[shown].tolist()
        torch.testing.assert_close(lists.target[which, :count], rows.target[shown], equal_nan=True)
        torch.testing.assert_close(lists.moment[which, :count], rows.moment[shown])
        assert lists.random[which, :count].tolist() == rows.random[shown].tolist()
        # The rest is company.
        assert lists.target[which, count:].isnan().all()
        assert (lists.random[which, count:] == 1).all()
        company = lists.video[which, count:]
        # It is asked about on the day of the session, at some place of it.
        ages = video_age(UPLOAD_DAY[company.numpy()], float(rows.day[first]))
        np.testing.assert_allclose(lists.moment[which, count:, 0], ages, rtol=1e-6)
        weary = lists.moment[which, count:, 1:].numpy()
        videos, tags = rows.video[shown].numpy(), micro.features.tags
        assert any(
            np.allclose(weary, weariness(videos[:seen], company.numpy(), tags))
            for seen in range(count)
        )


def test_company_has_made_nobody_weary_where_a_session_begins_and_some_later(micro):
    _, lists = drawn(micro)
    company = lists.moment[:, -1, 1]
    assert (company == 0).any()
    assert (company > 0).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 30), st.sampled_from([0, 1, 4]))
def test_a_list_holds_a_video_once_and_only_live_company(micro, seed, size, recalled):
    pools = replace(pools_of(micro), recalled=micro.recalled[:, :recalled])
    _, lists = drawn(micro, seed, size=size, pools=pools)
    for videos, target in zip(lists.video.tolist(), lists.target, strict=True):
        assert len(set(videos)) == len(videos) == size
        company = [video for video, known in zip(videos, target, strict=True) if known.isnan()]
        assert set(company) <= set(micro.live.tolist())


def test_a_list_is_no_longer_than_what_is_live(micro):
    pools = replace(pools_of(micro), live=micro.live[:7])
    batch = micro.batch(0, 1)
    _, lists = drawn(micro, size=100, pools=pools, batch=batch)
    assert lists.video.shape[1] == 7


def test_company_is_what_is_recalled_and_a_share_by_chance(micro):
    live = np.arange(40)
    recalled = np.tile(np.arange(20), (24, 1))
    pools = replace(pools_of(micro), recalled=recalled, live=live)
    company, by_chance = 0, 0
    for seed in range(60):
        _, lists = drawn(micro, seed, size=10, pools=pools)
        alone = lists.video[lists.target.isnan()]
        company, by_chance = company + len(alone), by_chance + int((alone >= 20).sum())
    # Half of what is drawn by chance was recalled too.
    assert by_chance / company == pytest.approx(RANDOM_SHARE / 2, abs=0.02)


def test_a_share_of_the_windows_gets_a_list_and_one_at_least(micro):
    _, some = drawn(micro, share=0.25)
    assert len(some.window) == 3
    assert len(set(some.window.tolist())) == 3
    _, least = drawn(micro, share=0.01)
    assert len(least.window) == 1


def test_lists_follow_from_the_generator(micro):
    _, one = drawn(micro, 5)
    _, same = drawn(micro, 5)
    _, other = drawn(micro, 6)
    assert one.video.tolist() == same.video.tolist()
    assert one.video.tolist() != other.video.tolist()


def test_a_session_is_drawn_by_its_rows(micro):
    batch = micro.batch(0)
    sessions = [
        int(micro.rows.session[batch.at[0, int(drawn(micro, seed, batch=batch)[1].place[0])]])
        for seed in range(40)
    ]
    # A window of twelve rows reaches into two sessions of six.
    counts = np.unique(sessions, return_counts=True)[1]
    assert len(counts) == 2
    assert counts.min() > 8
