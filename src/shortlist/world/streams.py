"""Randomness that can be read anywhere: value ``i`` of a stream is a pure function of the seed.

Every kind of draw has a stream of its own, and a draw is found by its index (which user, which
session, which attempt), not by how many draws came before it. So a new kind of draw moves no old
one, and neither the size of a chunk nor the number of threads can change a byte.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Doubles = npt.NDArray[np.float64]

_WORDS_PER_TICK = 4  # Philox-4x64 yields four 64-bit words for each value of its counter.


@dataclass(frozen=True)
class Streams:
    """All streams of one world.

    >>> streams = Streams(seed=7)
    >>> whole = streams.uniform("clicks", 0, 10, day=3)
    >>> part = streams.uniform("clicks", 6, 4, day=3)
    >>> bool((whole[6:] == part).all())
    True
    """

    seed: int

    def uniform(self, kind: str, start: int, count: int, *, day: int = 0, step: int = 0) -> Doubles:
        """Values ``start`` to ``start + count`` of a stream, uniform in (0, 1), float64 [count].

        Args:
            kind: name of the stream.
            start: index of the first value.
            count: how many values.
            day: a second index, below 2**63.
            step: a third index, below 2**63.

        Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
        """
        first = start // _WORDS_PER_TICK
        offset = start - first * _WORDS_PER_TICK
        bits = np.random.Philox(key=self._key(kind), counter=[first, step, day, 0])
        words = bits.random_raw(offset + count)[offset:]
        # 52 bits and a half keep the ends out, so that normal quantiles stay finite.
        return (np.asarray(words >> np.uint64(12), np.float64) + 0.5) * 2.0**-52

    def normal(self, kind: str, start: int, count: int, *, day: int = 0, step: int = 0) -> Doubles:
        """The same places of the stream as standard normal values, float64 [count]."""
        return np.asarray(ndtri(self.uniform(kind, start, count, day=day, step=step)), np.float64)

    def normal_rows(self, kind: str, start: int, rows: int, width: int) -> Doubles:
        """Standard normal values, float64 [rows, width]; row ``i`` belongs to item ``i``."""
        return self.normal(kind, start * width, rows * width).reshape(rows, width)

    def uniform_rows(self, kind: str, start: int, rows: int, width: int) -> Doubles:
        """Uniform values, float64 [rows, width]; row ``i`` belongs to item ``i``."""
        return self.uniform(kind, start * width, rows * width).reshape(rows, width)

    def _key(self, kind: str) -> npt.NDArray[np.uint64]:
        digest = hashlib.blake2b(f"{self.seed}/{kind}".encode(), digest_size=16).digest()
        return np.frombuffer(digest, np.uint64)


def choose(cumulative: Doubles, at: Doubles) -> npt.NDArray[np.int64]:
    """Draw one category per row by inversion.

    Args:
        cumulative: cumulative weights of each row (or one row for all), float64 [n or 1, m].
        at: uniform values, float64 [n].

    Returns:
        Chosen category of each row, int64 [n].

    >>> choose(np.array([[0.2, 0.5, 1.0]]), np.array([0.1, 0.3, 0.9])).tolist()
    [0, 1, 2]
    """
    scaled = at[:, None] * cumulative[:, -1:]
    found = (cumulative <= scaled).sum(axis=1)
    return np.asarray(np.minimum(found, cumulative.shape[1] - 1), np.int64)
