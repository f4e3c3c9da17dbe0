"""The space of taste: where tags lie, and where the words that describe them lie."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.world import vocabulary
from shortlist.world.streams import Streams

Doubles = npt.NDArray[np.float64]

_GENRE_SHARE = 0.35
_WORD_SPREAD = 0.6


@dataclass(frozen=True)
class TasteSpace:
    """Centres of tags and words; coordinates have unit variance over the tags.

    Attributes:
        tags: float64 [60, k].
        tag_weights: how often creators choose each tag, sums to 1, float64 [60].
        words: float64 [n_words, k]; plain words lie at the origin.
        word_names: the words, in the same order.
    """

    tags: Doubles
    tag_weights: Doubles
    words: Doubles
    word_names: tuple[str, ...]


def make_taste_space(streams: Streams, dimensions: int) -> TasteSpace:
    """Draw the space of taste, the same for every size of world."""
    count = len(vocabulary.TAG_NAMES)
    genres = streams.normal_rows("genre centres", 0, len(vocabulary.GENRE_NAMES), dimensions)
    own = streams.normal_rows("tag centres", 0, count, dimensions)
    genre_of_tag = np.array(vocabulary.TAG_GENRE)
    tags = np.sqrt(_GENRE_SHARE) * genres[genre_of_tag] + np.sqrt(1 - _GENRE_SHARE) * own
    tags = (tags - tags.mean(axis=0)) / tags.std(axis=0)
    weights = np.exp(0.5 * streams.normal("tag weights", 0, count))

    names = [word for words in vocabulary.TAG_WORDS for word in words]
    tag_of_word = np.repeat(np.arange(count), [len(words) for words in vocabulary.TAG_WORDS])
    spread = streams.normal_rows("word centres", 0, len(names), dimensions)
    words = np.sqrt(1 - _WORD_SPREAD**2) * tags[tag_of_word] + _WORD_SPREAD * spread
    plain = np.zeros((len(vocabulary.PLAIN_WORDS), dimensions))
    return TasteSpace(
        tags=tags,
        tag_weights=weights / weights.sum(),
        words=np.concatenate([words, plain]),
        word_names=(*names, *vocabulary.PLAIN_WORDS),
    )
