"""What every encoder can do, whatever it is made of."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to vectors of one width; a text's vector is a function of that text alone."""

    @property
    def width(self) -> int:
        """Length of a vector."""
        ...

    @property
    def key(self) -> str:
        """Identity: encoders with equal keys give equal vectors, so the cache may mix them."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of ``texts``.

        Args:
            texts: n texts, in any order, repeats allowed.

        Returns:
            float32 [n, width], finite, rows of unit length. A text without anything to say (empty
            or white space) has the first unit vector, (1, 0, 0, ...).
        """
        ...


def unit_rows(vectors: Vectors | npt.NDArray[np.float64]) -> Vectors:
    """Scale rows to unit length, float32; a row of zeros becomes the first unit vector.

    >>> unit_rows(np.array([[3, 4], [0, 0]], np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [1.0, 0.0]]
    """
    # float64, row by row: a row's bytes do not depend on how many stand beside it.
    lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
    empty = lengths == 0
    scaled = (vectors / np.where(empty, 1.0, lengths)[:, None]).astype(np.float32)
    scaled[empty, 0] = 1.0
    return scaled
