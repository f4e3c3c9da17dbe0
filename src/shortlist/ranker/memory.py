"""A memory of the videos that were watched: their vectors, added up, fading.

Attention over a history gives a mean: it knows what somebody is like, and not how much of it there
was. Where the next video follows from each of those before it, what they say adds up, as in linear
models of co-watching (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019).
"""

import math
from typing import Final

import torch
from torch import Tensor, nn

from shortlist.datasets.events import KINDS

FADING: Final = 40.0
"""Watches after which one counts half, before anything is learned."""
SILENT: Final = -20.0
"""Log worth of a kind of event that is none; below it nothing is remembered, and nothing fades."""


class Memory(nn.Module):
    """Vectors of what each place of a history remembers."""

    def __init__(self, width: int, vector_width: int) -> None:
        """Make fresh weights.

        Args:
            width: of the rows of the item table, without their bias.
            vector_width: of what is remembered.
        """
        super().__init__()
        self.fading = nn.Parameter(torch.tensor(math.log(math.log(2.0) / FADING)))
        self.nobody = nn.Parameter(torch.zeros(width))
        self.kind = nn.Embedding(KINDS, 1)
        self.worth = nn.Linear(width + 1, 1)
        self.vector = nn.Linear(width, vector_width, bias=False)
        nn.init.zeros_(self.kind.weight)

    def forward(self, rows: Tensor, kinds: Tensor, visible: Tensor) -> Tensor:
        """Add up what is seen from each place, float32 [b, q, vector_width].

        From where no watch is seen, it is what ``nobody`` would remember.

        Args:
            rows: of the item table, the oldest event first, float32 [b, k, w + 1].
            kinds: int64 [b, k].
            visible: which events a place sees, bool [b, q, k].
        """
        kind = self.kind(kinds)
        worth = (self.worth(rows) + kind)[..., 0].exp()
        watched = (visible & (kind > SILENT)[..., 0][:, None]).float()
        later = watched.sum(dim=-1, keepdim=True) - watched.cumsum(dim=-1)
        fading = torch.exp(-self.fading.exp() * later) * watched
        remembered: Tensor = (fading * worth[:, None]) @ self.vector(rows[..., :-1])
        nothing = 1.0 - watched.amax(dim=-1, keepdim=True)
        remembered += nothing * self.vector(self.nobody)
        return remembered
