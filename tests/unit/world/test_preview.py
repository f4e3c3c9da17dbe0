"""A look at one user shows the log's rows and the truth beside them."""

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from shortlist.errors import NotFoundError
from shortlist.world import vocabulary
from shortlist.world.preview import glimpses, leanings


@pytest.fixture(scope="module")
def busiest(made: SimpleNamespace) -> int:
    """Row of the user with the most impressions."""
    return int(np.bincount(made.log.user).argmax())


def test_glimpses_are_the_last_rows_of_the_user_with_their_truth(
    made: SimpleNamespace, busiest: int
) -> None:
    user_id = int(made.truth.law.users.ids[busiest])
    seen = glimpses(made.dataset, made.truth, user_id, last=7)
    mine = np.flatnonzero(made.log.user == busiest)[-7:]
    said = made.truth.outcomes(made.log).click[mine]
    assert [g.click_probability for g in seen] == pytest.approx(said.tolist(), rel=1e-12)
    assert [g.position for g in seen] == made.log.position[mine].tolist()
    assert [g.click for g in seen] == (made.log.click[mine] == 1).tolist()
    assert [g.watch_seconds for g in seen] == made.log.watch_seconds[mine].tolist()
    titles = made.dataset.videos().column("title").to_pylist()
    assert [g.title for g in seen] == [titles[video] for video in made.log.video[mine]]
    tags = made.truth.law.videos.tag[made.log.video[mine]]
    assert [g.main_tag for g in seen] == [vocabulary.TAG_NAMES[tag] for tag in tags]
    assert all(first.date <= then.date for first, then in pairwise(seen))


def test_fewer_rows_than_asked_for_are_all_of_them(made: SimpleNamespace, busiest: int) -> None:
    user_id = int(made.truth.law.users.ids[busiest])
    seen = glimpses(made.dataset, made.truth, user_id, last=10**6)
    assert len(seen) == (made.log.user == busiest).sum()


def test_a_user_without_impressions_has_no_glimpses(made: SimpleNamespace) -> None:
    silent = np.flatnonzero(np.bincount(made.log.user, minlength=60) == 0)
    assert len(silent), "the small world should have a silent user"
    user_id = int(made.truth.law.users.ids[silent[0]])
    assert glimpses(made.dataset, made.truth, user_id, last=5) == []


@pytest.mark.parametrize("user_id", [0, 61, -4])
def test_an_unknown_user_is_refused_with_the_known_ids(made: SimpleNamespace, user_id: int) -> None:
    with pytest.raises(NotFoundError, match=f"no user {user_id} .*ids run from 1 to 60"):
        glimpses(made.dataset, made.truth, user_id, last=5)
    with pytest.raises(NotFoundError, match=f"no user {user_id} .*ids run from 1 to 60"):
        leanings(made.dataset, made.truth, user_id, dt.date(2026, 1, 5))


def test_leanings_are_the_tags_that_are_worth_most_clicks(made: SimpleNamespace) -> None:
    found = leanings(made.dataset, made.truth, 8, dt.date(2026, 1, 6), count=60)
    worth = [logit for _, logit in found]
    assert worth == sorted(worth, reverse=True)
    assert len({tag for tag, _ in found}) == 60
    world, settings = made.truth.world, made.truth.world.settings
    tag = vocabulary.TAG_NAMES.index(found[0][0])
    # A video at the tag's very centre: the share of its taste that the tag explains.
    centre = np.sqrt(settings.tag_share) * world.space.tags[tag]
    by_hand = settings.affinity_deviation * centre @ world.users.taste_on(1)[7]
    assert worth[0] == pytest.approx(by_hand)
