"""The item tower: a video's row of the item table, from content, tags, creator and what it learned.

What a video earned by itself is a residual under a prior of zero: a new video has none, and is
where its content, tags and creator put it.
"""

import numpy as np
import torch
from torch import Tensor, nn

from shortlist.ranker.features import ItemFeatures


class ItemTower(nn.Module):
    """Rows of the item table, float32 [n, width + 1]: an embedding, and a bias at the end."""

    known_vectors: Tensor
    known_content: Tensor
    known_tags: Tensor
    known_creator: Tensor
    known_language: Tensor
    known_static: Tensor

    def __init__(self, features: ItemFeatures, width: int) -> None:
        super().__init__()
        wide = width + 1
        for name in ("vectors", "content", "tags", "creator", "language", "static"):
            values = torch.from_numpy(np.ascontiguousarray(getattr(features, name)))
            self.register_buffer(f"known_{name}", values, persistent=False)
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
        rows: Tensor = self.content(self.known_content[videos])
        rows = rows + self.tags(self.known_tags[videos])
        rows = rows + self.creator(self.known_creator[videos])
        rows = rows + self.language(self.known_language[videos])
        rows = rows + self.static(self.known_static[videos])
        return rows + self.residual(videos)  # type: ignore[no-any-return]

    def unit_content(self, videos: Tensor) -> Tensor:
        """Content vectors of the given videos, unit rows, float32 [..., c]."""
        return self.known_vectors[videos]

    def surprise(self) -> tuple[Tensor, Tensor]:
        """Sums of squares of what single videos and single creators were given."""
        return self.residual.weight.square().sum(), self.creator.weight.square().sum()
