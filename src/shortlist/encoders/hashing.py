"""The offline encoder: each word n-gram of a text is hashed to a few signed coordinates.

It learns nothing, so that a video's vector depends on that video's text alone: shards agree, and a
new video changes no old one. All that decides a byte is BLAKE2 and sums in a fixed order; no random
generator and no library's own hash is involved.

Sources: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009, for
signed hashing; Kane and Nelson, "Sparser Johnson-Lindenstrauss transforms", JACM 2014, for one
coordinate in each of several blocks, which keeps every token's length exactly and makes tokens
nearly orthogonal (their cosines have mean 0 and deviation ``width ** -0.5``).
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.encoders.protocol import Vectors, unit_rows
from shortlist.encoders.text import TAG_SEPARATOR, split_fields

BLOCKS: Final = 8
"""Coordinates that a token touches, one in each of as many blocks of the vector."""

_ROWS: Final = 1_024
# Scripts written without spaces: each character is a word, its pairs are the bigrams.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_SAMPLE: Final = "title: Ein Tag am MEER, 日落\ntags: city walks, sea\ncreator: 17\n" + (
    "duration: 15 to 30 seconds\nlanguage: de"
)


def title_words(title: str) -> list[str]:
    """Words in small letters.

    >>> title_words("Sunset: PART 2, 日落")
    ['sunset', 'part', '2', '日', '落']
    """
    return _WORD.findall(_plain(title))


def title_pairs(title: str) -> list[str]:
    """Pairs of neighbouring words.

    >>> title_pairs("Street food tour")
    ['street food', 'food tour']
    """
    return [f"{first} {second}" for first, second in pairwise(title_words(title))]


def whole_tags(tags: str) -> list[str]:
    """Each tag as one token.

    >>> whole_tags("Street food, travel")
    ['street food', 'travel']
    """
    return [_plain(tag) for tag in tags.split(TAG_SEPARATOR) if tag]


def whole_field(field: str) -> Callable[[str], list[str]]:
    """A field as one token that carries the field's name.

    >>> whole_field("creator")("17")
    ['creator=17']
    """
    return lambda value: [f"{field}={_plain(value)}"] if value else []


class Bag(NamedTuple):
    """One bag of tokens: the field it is read from, how, and the length of its part.

    Cosines weigh the bags by the squares of their lengths.
    """

    field: str
    tokens: Callable[[str], list[str]]
    length: float


BAGS: Final = (
    Bag("title", title_words, 1.0),
    Bag("title", title_pairs, 0.5),
    Bag("tags", whole_tags, 1.0),
    Bag("creator", whole_field("creator"), 0.5),
    Bag("duration", whole_field("duration"), 0.3),
    Bag("language", whole_field("language"), 0.3),
)


class HashingEncoder:
    """Hashes the fields of `text.video_texts` to vectors of a given width.

    A vector is the sum of the tokens of each of ``BAGS``, every bag scaled to its length, the whole
    to one. Titles and tags share their tokens, so that a title that names a tag lies near it.

    >>> encoder = HashingEncoder(width=768)
    >>> a, b, c = encoder.encode(["tags: cats, birds", "tags: birds, cats", "tags: trains"])
    >>> bool((a == b).all()), bool(abs(a @ c) < 0.2)
    (True, True)
    """

    def __init__(self, width: int = 768) -> None:
        """Make an encoder of this width, at least ``BLOCKS``."""
        self._width = width

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self._width

    @cached_property
    def key(self) -> str:
        """Names the recipe by what it makes of a sample, so that a changed one is a new key."""
        digest = hashlib.sha256(self.encode([_SAMPLE]).tobytes()).hexdigest()
        return f"hashing/{self._width}/{digest[:16]}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of ``texts``, float32 [n, width], bytes independent of batches and threads."""
        vectors = np.empty((len(texts), self._width), np.float32)
        for start in range(0, len(texts), _ROWS):
            part = texts[start : start + _ROWS]
            vectors[start : start + len(part)] = unit_rows(self._sums(part))
        return vectors

    def _sums(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        places: dict[str, int] = {}
        tokens: list[int] = []
        weights: list[float] = []
        borders = [0]
        for text in texts:
            # A row's order is its own, never that of ``places``, so that its rounding is too.
            for token, weight in weighted_tokens(text):
                tokens.append(places.setdefault(token, len(places)))
                weights.append(weight)
            borders.append(len(tokens))
        bags = sp.csr_array((weights, tokens, borders), shape=(len(texts), len(places)))
        sums: npt.NDArray[np.float64] = (bags @ token_vectors(list(places), self._width)).toarray()
        return sums


def weighted_tokens(text: str) -> list[tuple[str, float]]:
    """The tokens of a text with their weights, bag by bag.

    >>> [(token, round(weight, 2)) for token, weight in weighted_tokens("tags: sea, cats")]
    [('cats', 0.71), ('sea', 0.71)]
    """
    fields = split_fields(text)
    weighted: list[tuple[str, float]] = []
    for bag in BAGS:
        counts = sorted(Counter(bag.tokens(fields.get(bag.field, ""))).items())
        norm = sum(count * count for _, count in counts) ** 0.5
        weighted += [(token, bag.length * count / norm) for token, count in counts]
    return weighted


def token_vectors(tokens: Sequence[str], width: int) -> sp.csr_array:
    """Unit vectors of tokens, ``BLOCKS`` entries of equal size a row, float64 [n, width].

    >>> token_vectors(["sea"], 16).toarray().round(2).tolist()[0][:4]
    [-0.35, 0.0, 0.0, -0.35]
    """
    digests = b"".join(
        hashlib.blake2b(token.encode(), digest_size=4 * BLOCKS).digest() for token in tokens
    )
    words = np.frombuffer(digests, "<u4").reshape(-1, BLOCKS).astype(np.int64)
    edges = np.arange(BLOCKS + 1) * width // BLOCKS
    columns = edges[:-1] + (words >> 1) % np.diff(edges)
    signs = 2.0 * (words & 1) - 1.0
    borders = np.arange(len(tokens) + 1) * BLOCKS
    entries = (signs.ravel() / BLOCKS**0.5, columns.ravel(), borders)
    return sp.csr_array(entries, shape=(len(tokens), width))


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", value).casefold()
