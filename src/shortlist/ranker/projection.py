"""Rows and vectors of new videos, in numpy: the item tower without what single videos learned.

A video that nobody has met is where its content, tags, creator and language put it. So it can be
ranked, and found by its vector, before the next training.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.artefacts import PROJECTION

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Projection:
    """The maps of the item tower, and the one from its rows to vectors.

    Attributes:
        mean: of content vectors, float32 [c].
        components: from content vectors, less their mean, to components, float32 [c, k].
        content: from these, float32 [k, w + 1].
        tags: from weights of tags, float32 [t, w + 1].
        creator: of each creator, the first one unknown, float32 [creators + 1, w + 1].
        language: of each language, the first one unknown, float32 [languages + 1, w + 1].
        standard: mean and deviation of the log duration and of the log impressions a day,
            float32 [2, 2].
        static: from these two, standardised, float32 [2, w + 1].
        bias: float32 [w + 1].
        vector: from rows to vectors, float32 [w + 1, 128].
        level: what all vectors have besides, float32 [128].
        age: what a vector's last coordinate gains by the video's age, float32 [1].
        floor: of affinities where the last coordinate multiplies them, as `PreRank.searched` has
            it; 0 where it is added, float32 [1].
    """

    mean: Floats
    components: Floats
    content: Floats
    tags: Floats
    creator: Floats
    language: Floats
    standard: Floats
    static: Floats
    bias: Floats
    vector: Floats
    level: Floats
    age: Floats
    floor: Floats

    def rows(
        self, content: Floats, tags: Floats, creator: Ints, language: Ints, duration: Floats
    ) -> Floats:
        """Rows of the item table for videos that nobody has met, float32 [n, w + 1].

        Args:
            content: vectors of the encoder, float32 [n, c].
            tags: weights of the listed tags, as `listed_tags` gives them, float32 [n, t].
            creator: 1 + index of the creator, 0 where unknown, int64 [n].
            language: 1 + index of the language, 0 where unknown, int64 [n].
            duration: seconds, NaN where unknown, float32 [n].
        """
        never_shown = np.full(len(content), np.log(0.5))
        known = np.stack([np.log(duration.astype(np.float64).clip(1.0)), never_shown], axis=1)
        static = np.nan_to_num((known - self.standard[0]) / self.standard[1]).astype(np.float32)
        rows: Floats = (
            (content - self.mean) @ self.components @ self.content
            + tags @ self.tags
            + self.creator[creator]
            + self.language[language]
            + static @ self.static
            + self.bias
        )
        return rows

    def vectors(self, rows: Floats, age: Floats) -> Floats:
        """Vectors for the vector recall, float32 [n, 128].

        Args:
            rows: of the item table, float32 [n, w + 1].
            age: what `video_age` says of each video, float32 [n].
        """
        vectors = rows @ self.vector + self.level
        vectors[:, -1] += self.age * age
        if self.floor > 0:
            lift = np.exp(vectors[:, -1:])
            vectors[:, -1] = self.floor
            vectors *= lift
        return vectors

    def moved(self, rows: Floats, level: Floats) -> Self:
        """The same where vectors have moved: by a map of their rows [w + 1, 128], and a level."""
        return replace(self, vector=self.vector + rows, level=self.level + level)

    def save(self, into: Path) -> None:
        """Write the maps to a directory."""
        np.savez(into / PROJECTION, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            NotFoundError: there is no such file.
            CorruptError: it is damaged.
        """
        path = directory / PROJECTION
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{one.name: arrays[one.name] for one in fields(cls)})
        except FileNotFoundError as error:
            raise NotFoundError(f"{path} is missing; train the ranker again") from error
        except (ValueError, KeyError, EOFError, OSError, BadZipFile) as error:
            raise CorruptError(f"{path} is damaged; train the ranker again") from error
