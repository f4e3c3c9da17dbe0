"""The union of several recommenders' lists, and how each sees a candidate."""

import numpy as np
import pytest

from shortlist.baselines.candidates import BLOCK, candidates, described, source_features


class Fixed:
    """A recommender whose scores are a given table."""

    def __init__(self, name, table):
        self.name = name
        self.table = np.array(table, np.float32)

    def fit(self, view):
        return self

    def score(self, users):
        assert len(users) == BLOCK, "sources are asked for whole blocks"
        return self.table[users].copy()


@pytest.fixture
def two():
    """Two users, four videos, two sources; of each the best two are shown."""
    return [
        Fixed("left", [[9.0, 7.0, 1.0, 3.0], [0.0, 1.0, 2.0, 3.0]]),
        Fixed("right", [[0.0, 5.0, 5.0, 0.0], [4.0, 1.0, 3.0, 2.0]]),
    ]


def test_candidates_are_the_union_of_each_sources_best(two):
    (block,) = candidates(two, np.array([0, 1]), top=2)
    pairs = list(zip(block.owner.tolist(), block.video.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (1, 3)]


def test_a_candidate_is_seen_by_score_lead_and_rank(two):
    (block,) = candidates(two, np.array([0]), top=2)
    assert source_features(two) == [
        *("left score", "left lead", "left rank"),
        *("right score", "right lead", "right rank"),
    ]
    first, second, beyond = np.log1p([0, 1, 2])
    np.testing.assert_allclose(
        block.features,
        [
            [9, 1, first, 0, -5, beyond],  # no spread between the right's best two: scale 1
            [7, 0, second, 5, 0, first],
            [1, -3, beyond, 5, 0, second],
        ],
        rtol=1e-6,
    )


def test_given_pairs_are_described_as_candidates_are(two):
    (block,) = candidates(two, np.array([0, 1]), top=2)
    order = np.random.default_rng(0).permutation(len(block.owner))
    found = described(two, block.owner[order], block.video[order], top=2)
    np.testing.assert_array_equal(found, block.features[order])


def test_users_beyond_one_block_are_described_in_the_next():
    users = 2 * BLOCK + 3
    table = np.random.default_rng(1).normal(size=(users, 6))
    source = Fixed("only", table)
    asked = np.random.default_rng(2).permutation(users)
    blocks = list(candidates([source], asked, top=1))
    assert [len(block.owner) for block in blocks] == [BLOCK, BLOCK, 3]
    best = np.concatenate([block.video for block in blocks])
    np.testing.assert_array_equal(best, table[asked].argmax(axis=1))
    score = described([source], asked, np.zeros(users, np.int64), top=1)[:, 0]
    np.testing.assert_array_equal(score, source.table[asked, 0])


def test_more_wanted_than_there_are_gives_the_whole_catalogue(two):
    (block,) = candidates(two, np.array([1]), top=100)
    assert block.video.tolist() == [0, 1, 2, 3]


def test_nobody_has_no_candidates(two):
    assert list(candidates(two, np.zeros(0, np.int64), top=2)) == []
    nothing = np.zeros(0, np.int64)
    assert described(two, nothing, nothing, top=2).shape == (0, 6)
