"""Profiles of tags, worked by hand."""

import numpy as np
import pytest
import scipy.sparse as sp

from shortlist.datasets.events import Events, Kind
from shortlist.recall.query import Query
from shortlist.recall.tags import Tags
from shortlist.settings.recall import RecallSettings

# Videos by tags: 0 has a, 1 has a and b, 2 has b, 3 has c, 4 has none.
INCIDENCE = sp.csr_array(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]))
LIVE = np.ones(5, np.bool_)


def tags_of(log_odds=(0, 0, 0, 0, 0), target="click", **settings):
    return Tags(
        INCIDENCE.astype(np.float32),
        np.array(log_odds, np.float32),
        LIVE,
        target,
        RecallSettings(tag_half_life_days=2, **settings),
    )


def asked(history=None, interests=()):
    return Query(
        Events.none() if history is None else history,
        np.zeros(0, np.int64),
        None,
        np.array(interests, np.int64),
        day=10.0,
    )


def test_a_profile_is_strength_shared_by_tags_and_halved_with_age(events_of):
    history = events_of((1, Kind.LIKE, 8.0), (2, Kind.CLICK, 10.0), (3, Kind.SKIP, 10.0))
    # The like of two half-lives' half is worth 1, half of it for each of its tags.
    expected = np.log1p([0.5, 0.5 + 1.0, 0.0])
    assert tags_of().profile(asked(history)) == pytest.approx(expected)


def test_aversion_turns_a_tag_against_its_videos(events_of):
    history = events_of((3, Kind.SKIP, 10.0), (0, Kind.SHOWN, 10.0), (2, Kind.CLICK, 10.0))
    source = tags_of(tag_aversion=0.5)
    expected = [-np.log1p(0.5), np.log1p(1.0), -np.log1p(0.5)]
    assert source.profile(asked(history)) == pytest.approx(expected)
    assert source.recall(asked(history), 5).video.tolist() == [2, 1, 4, 0, 3]


def test_interests_alone_find_videos_the_better_liked_first():
    source = tags_of(log_odds=(0.1, 0.0, 0.3, 0.2, 0.0), tag_interest=2)
    assert source.profile(asked(interests=[1])) == pytest.approx([0, np.log(3), 0])
    got = source.recall(asked(interests=[1]), 5)
    # Of those without the tag, video 3 is liked best.
    assert got.video.tolist() == [2, 1, 3, 0, 4]
    assert got.score[0] == pytest.approx(np.log(3) + 1.4 * 0.3)
    assert got.score[1] == pytest.approx(np.log(3) / 2)


def test_a_click_is_no_sign_of_a_long_view(events_of):
    history = events_of((0, Kind.CLICK, 10.0), (2, Kind.LONG_VIEW, 10.0))
    assert tags_of(target="long_view").profile(asked(history)) == pytest.approx([0, np.log(2), 0])


def test_videos_without_tags_and_histories_of_only_such_give_nothing(events_of):
    assert len(tags_of().recall(asked(events_of((4, Kind.LIKE, 9.0))), 5)) == 0


def test_users_get_more_of_what_they_liked(kit):
    source = next(source for source in kit.blend.sources if source.name == "tags")
    cats = [
        np.mean([(source.recall(kit.query(user), 10).video % 2 == 0).mean() for user in crowd])
        for crowd in (range(0, 20, 2), range(1, 21, 2))
    ]
    assert cats[0] > 0.6
    assert cats[1] < 0.4
