"""The blend: full, distinct, accounted for, and ordered as its page says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.events import Events
from shortlist.errors import CorruptError, NotFoundError
from shortlist.recall.blend import Blend, load_blend
from shortlist.recall.index import build_index
from shortlist.recall.query import Candidates, Query
from shortlist.recall.source import SOURCES
from shortlist.settings.recall import RecallSettings

NOTHING = np.zeros(0, np.int64)
NOBODY = Query(Events.none(), NOTHING, None, NOTHING, 20_000.0)


class Fixed:
    """A source that always proposes the same."""

    def __init__(self, name: str, *videos: int) -> None:
        self.name = name
        self.videos = videos

    def recall(self, query: Query, count: int) -> Candidates:
        video = np.array(self.videos[:count], np.int64)
        return Candidates(video, np.arange(len(video), 0, -1).astype(np.float32))


def blend_of(*sources: Fixed, **changes: float) -> Blend:
    quotas = dict.fromkeys([f"{name}_quota" for name in SOURCES], 0.0)
    weights = dict.fromkeys([f"{name}_weight" for name in SOURCES], 1.0)
    chosen = RecallSettings(**{"candidates": 4, "fusion_offset": 1, **quotas, **weights, **changes})
    return Blend(sources, chosen, videos=100, tags=3)


def test_scores_are_fused_from_ranks():
    blend = blend_of(Fixed("popularity", 7, 5), Fixed("vector", 5, 9), vector_weight=2)
    got = blend.recall(NOBODY)
    assert got.video.tolist() == [5, 9, 7]
    assert got.fused == pytest.approx([1 / 3 + 2 / 2, 2 / 3, 1 / 2])
    assert got.sources.tolist() == [0b1001, 0b1000, 0b0001]
    nan = np.nan
    expected = [[1, nan, nan, 2], [nan, nan, nan, 1], [2, nan, nan, nan]]
    assert np.array_equal(got.scores, np.array(expected, np.float32), equal_nan=True)


def test_a_quota_holds_places_that_the_fusion_would_give_to_others():
    few, strong = Fixed("tags", 50, 51, 52), Fixed("vector", 1, 2, 3, 4, 5)
    without = blend_of(few, strong, vector_weight=50)
    assert without.recall(NOBODY).video.tolist() == [1, 2, 3, 4]
    held = blend_of(few, strong, vector_weight=50, tags_quota=0.5)
    assert held.recall(NOBODY).video.tolist() == [1, 2, 50, 51]


def test_a_quota_that_is_not_used_flows_to_the_others():
    blend = blend_of(Fixed("tags", 50), Fixed("popularity", 1, 2, 3, 4, 5), tags_quota=0.75)
    assert sorted(blend.recall(NOBODY).video.tolist()) == [1, 2, 3, 50]


def test_equal_scores_come_by_row():
    got = blend_of(Fixed("popularity", 9), Fixed("tags", 3)).recall(NOBODY)
    assert got.video.tolist() == [3, 9]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**20))
def test_the_list_is_full_distinct_allowed_and_accounted_for(kit, seed):
    rng = np.random.default_rng(seed)
    query = kit.query(
        int(rng.integers(0, 40)),
        excluded=np.flatnonzero(rng.random(60) < rng.random()),
        interests=rng.permutation(5)[: rng.integers(0, 3)],
    )
    if rng.random() < 0.5:
        query = replace(query, user_vector=None)
    if rng.random() < 0.3:
        query = replace(query, history=Events.none())
    got = kit.blend.recall(query)
    allowed = np.setdiff1d(np.flatnonzero(kit.live), query.excluded)
    assert len(got) == min(20, len(allowed))
    assert len(np.unique(got.video)) == len(got)
    assert np.isin(got.video, allowed).all()
    assert (np.diff(got.fused) <= 0).all()
    bits = (got.sources[:, None] >> np.arange(4)) & 1
    assert (bits.astype(np.bool_) == ~np.isnan(got.scores)).all()
    assert (got.sources > 0).all()
    assert got.ignored == 0


def test_each_source_says_the_same_alone_and_in_the_blend(kit):
    query = kit.query(7)
    got = kit.blend.recall(query)
    for column, source in enumerate(kit.blend.sources):
        alone = source.recall(query, 20)
        scores = dict(zip(alone.video.tolist(), alone.score.tolist(), strict=True))
        expected = [scores.get(video, np.nan) for video in got.video.tolist()]
        assert np.array_equal(got.scores[:, column], np.float32(expected), equal_nan=True)


def test_what_cannot_be_used_is_ignored_and_counted(kit):
    query = kit.query(7)
    odd = replace(
        query,
        history=Events(
            np.append(query.history.video, 10_000),
            np.append(query.history.kind, np.int8(2)),
            np.append(query.history.day, 1.0),
        ),
        excluded=np.append(query.excluded[::-1], [query.excluded[0], 999]),
        interests=np.array([77]),
    )
    got, expected = kit.blend.recall(odd), kit.blend.recall(query)
    assert got.ignored == 4
    assert got.video.tolist() == expected.video.tolist()


def test_a_part_of_the_sources_will_do(kit):
    blend = load_blend(kit.directory, only=["tags", "vector"])
    assert [source.name for source in blend.sources] == ["tags", "vector"]
    got = blend.recall(kit.query(2))
    assert set(np.unique(got.sources).tolist()) <= {0b0010, 0b1000, 0b1010}
    assert len(got) == 20


def test_sources_must_be_distinct_and_known():
    with pytest.raises(ValueError, match="distinct"):
        blend_of(Fixed("tags", 1), Fixed("tags", 2))
    with pytest.raises(ValueError, match="horoscope"):
        blend_of(Fixed("horoscope", 1))


def test_quotas_beyond_the_whole_list_are_refused():
    with pytest.raises(ValueError, match=r"add up to 1\.2"):
        RecallSettings(vector_quota=1.0, tags_quota=0.1, collaborative_quota=0.08)


def test_an_index_of_a_larger_catalogue_is_foreign(kit, tmp_path):
    vectors = np.ones((61, 8), np.float32)
    build_index(vectors, np.ones(61, np.bool_), RecallSettings(), tmp_path / "index")
    with pytest.raises(CorruptError, match="does not know"):
        load_blend(kit.directory, index=tmp_path / "index")


def test_an_index_that_was_named_must_be_there(kit, tmp_path):
    with pytest.raises(NotFoundError, match="no vector index"):
        load_blend(kit.directory, index=tmp_path / "index")
