"""The item tower: a video's row of the item table, from content, tags, creator and what it learned.

What a video earned by itself is a residual under a prior of zero: a new video has none, and is
where its content, tags and creator put it.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from shortlist.ranker.features import ItemFeatures


@dataclass(frozen=True)
class _Known:
    """Features of all videos, as of `ItemFeatures`, as tensors.

    They are no buffers: hundreds of megabytes that never change would be copied at each step, to
    averaged weights and to other processes. Copies of a tower share them.
    """

    vectors: Tensor
    content: Tensor
    tags: Tensor
    creator: Tensor
    language: Tensor
    static: Tensor

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @classmethod
    def of(cls, features: ItemFeatures) -> Self:
        """The same numbers."""
        names = [one.name for one in fields(cls)]
        return cls(
            **{
                name: torch.from_numpy(np.ascontiguousarray(getattr(features, name)))
                for name in names
            }
        )


class ItemTower(nn.Module):
    """Rows of the item table, float32 [n, width + 1]: an embedding, and a bias at the end."""

    start: Tensor | None
    """What rows have besides, whatever is learned, float32 [n, width + 1]."""

    def __init__(self, features: ItemFeatures, width: int) -> None:
        """Make fresh weights.

        Args:
            features: of the videos.
            width: of the embeddings.
        """
        super().__init__()
        self.width, wide = width, width + 1
        self.known = _Known.of(features)
        self.start = None
        self.content = nn.Linear(features.content.shape[1], wide, bias=False)
        self.tags = nn.Linear(features.tags.shape[1], wide, bias=False)
        self.creator = nn.Embedding(int(features.creator.max(initial=0)) + 1, wide)
        self.language = nn.Embedding(int(features.language.max(initial=0)) + 1, wide)
        self.static = nn.Linear(features.static.shape[1], wide)
        self.residual = nn.Embedding(len(features), wide)
        for layer, deviation in (
            (self.content, 0.03),
            (self.tags, 0.1),
            (self.creator, 1e-3),
            (self.language, 0.02),
            (self.residual, 1e-3),
        ):
            nn.init.normal_(layer.weight, std=deviation)

    def forward(self, videos: Tensor) -> Tensor:
        """Rows of the given videos (int64 [...]), float32 [..., width + 1]."""
        rows: Tensor = self.content(self.known.content[videos])
        rows = rows + self.tags(self.known.tags[videos])
        rows = rows + self.creator(self.known.creator[videos])
        rows = rows + self.language(self.known.language[videos])
        rows = rows + self.static(self.known.static[videos])
        if self.start is not None:
            rows = rows + self.start[videos]
        return rows + self.residual(videos)  # type: ignore[no-any-return]

    def unit_content(self, videos: Tensor) -> Tensor:
        """Content vectors of the given videos, unit rows, float32 [..., c]."""
        return self.known.vectors[videos]

    def surprise(self) -> tuple[Tensor, Tensor]:
        """Sums of squares of what single videos and single creators were given."""
        return self.residual.weight.square().sum(), self.creator.weight.square().sum()
