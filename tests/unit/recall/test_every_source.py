"""What holds for every source of candidates; a new source needs a row in `SOURCES`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.events import Events
from shortlist.recall.query import Query
from shortlist.recall.source import SOURCES, Source

VIDEOS = 60

pytestmark = pytest.mark.parametrize("name", SOURCES)


def source_of(kit, name: str) -> Source:
    return next(source for source in kit.blend.sources if source.name == name)


def same(a, b) -> bool:
    return bool((a.video == b.video).all() and (a.score == b.score).all())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**20))
def test_it_keeps_to_what_was_asked(name, kit, seed):
    rng = np.random.default_rng(seed)
    source = source_of(kit, name)
    excluded = np.flatnonzero(rng.random(VIDEOS) < rng.random())
    count = int(rng.integers(1, 80))
    got = source.recall(kit.query(int(rng.integers(0, 39)), excluded=excluded), count)
    assert len(got) <= count
    assert len(got.video) == len(got.score)
    assert len(np.unique(got.video)) == len(got)
    assert not np.isin(got.video, excluded).any()
    assert kit.live[got.video].all()
    assert (np.diff(got.score) <= 0).all()
    assert got.video.dtype == np.int64
    assert got.score.dtype == np.float32
    assert np.isfinite(got.score).all()


def test_it_finds_enough_for_who_is_known(name, kit):
    assert len(source_of(kit, name).recall(kit.query(3), 10)) == 10


def test_more_wanted_begins_with_what_fewer_gave(name, kit):
    source, query = source_of(kit, name), kit.query(4)
    few, many = source.recall(query, 7), source.recall(query, 30)
    assert (many.video[:7] == few.video).all()


def test_excluding_a_video_moves_the_others_up(name, kit):
    source, query = source_of(kit, name), kit.query(4)
    before = source.recall(query, 10).video
    without = replace(query, excluded=np.union1d(query.excluded, before[[2]]))
    after = source.recall(without, 9).video
    assert after.tolist() == np.delete(before, 2).tolist()


def test_it_says_the_same_twice(name, kit):
    source = source_of(kit, name)
    assert same(source.recall(kit.query(5), 20), source.recall(kit.query(5), 20))


def test_the_order_of_what_is_excluded_does_not_matter(name, kit):
    source, query = source_of(kit, name), kit.query(6)
    turned = replace(query, excluded=query.excluded[::-1])
    cleaned, ignored = turned.cleaned(VIDEOS, 5)
    assert ignored == 0
    assert same(source.recall(query, 20), source.recall(cleaned, 20))


def test_excluding_everything_leaves_nothing(name, kit):
    query = kit.query(1, excluded=np.arange(VIDEOS))
    assert len(source_of(kit, name).recall(query, 10)) == 0


def test_who_is_new_gets_an_answer_or_none_at_all(name, kit):
    nobody = Query(Events.none(), np.zeros(0, np.int64), None, np.zeros(0, np.int64), 20_000.0)
    got = source_of(kit, name).recall(nobody, 10)
    assert len(got) == (10 if name == "popularity" else 0)
