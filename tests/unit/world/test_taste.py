"""The space of taste: tags of a genre lie together, words lie by their tag."""

import numpy as np
import pytest

from shortlist.world import vocabulary
from shortlist.world.streams import Streams
from shortlist.world.taste import TasteSpace, make_taste_space


@pytest.fixture(scope="module")
def space() -> TasteSpace:
    return make_taste_space(Streams(4), 16)


def test_coordinates_are_standard_over_the_tags(space: TasteSpace) -> None:
    np.testing.assert_allclose(space.tags.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(space.tags.std(axis=0), 1, atol=1e-12)


def test_tags_of_one_genre_are_more_alike_than_others(space: TasteSpace) -> None:
    unit = space.tags / np.linalg.norm(space.tags, axis=1, keepdims=True)
    alike = unit @ unit.T
    genre = np.array(vocabulary.TAG_GENRE)
    same = genre[:, None] == genre
    off = ~np.eye(60, dtype=bool)
    assert alike[same & off].mean() > 0.2
    assert abs(alike[~same].mean()) < 0.1


def test_a_word_lies_nearest_to_its_own_tag_and_plain_words_nowhere(space: TasteSpace) -> None:
    telling = 60 * 8
    unit = space.tags / np.linalg.norm(space.tags, axis=1, keepdims=True)
    nearest = (space.words[:telling] @ unit.T).argmax(axis=1)
    assert (nearest == np.repeat(np.arange(60), 8)).mean() > 0.9
    assert not space.words[telling:].any()
    assert len(space.word_names) == len(space.words)


def test_every_tag_is_made_and_weights_sum_to_one(space: TasteSpace) -> None:
    assert space.tag_weights.min() > 0
    assert abs(space.tag_weights.sum() - 1) < 1e-12


def test_the_space_does_not_depend_on_the_size_of_the_world(space: TasteSpace) -> None:
    again = make_taste_space(Streams(4), 16)
    assert again.tags.tolist() == space.tags.tolist()
    assert make_taste_space(Streams(4), 3).tags.shape == (60, 3)
