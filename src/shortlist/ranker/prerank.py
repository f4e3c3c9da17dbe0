"""The pre-rank: a logit for each of up to 1,000 candidates, by target attention and a small MLP.

Source of the target attention: Zhou et al., "Deep interest network for click-through rate
prediction", KDD 2018.
"""

from typing import Final

import torch
from torch import Tensor, nn

from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.attention import Attention
from shortlist.ranker.features import MOMENT_WIDTH
from shortlist.ranker.history import USER_WIDTH

FLOOR: Final = 1e-3
"""What the affinity of vectors that say nothing to one another counts, where bias multiplies it."""
_SHARPNESS: Final = 4.0
"""How sharply an affinity below 0 is taken for 0."""


class PreRank(nn.Module):
    """Logits of candidates, each judged alone."""

    def __init__(
        self, width: int, row_width: int, dropout: float, *, multiplies: bool = False
    ) -> None:
        """Make fresh weights.

        Args:
            width: inside.
            row_width: of the rows of the item table, without their bias, at least ``width``;
                vectors have all of a row, the network reads the first.
            dropout: share of activations dropped in training.
            multiplies: whether a video's bias multiplies its affinity, the inner product of user
                vector and item vector, as the logit is the logarithm of the product; otherwise the
                logit is their sum.
        """
        super().__init__()
        self.multiplies = multiplies
        self.item = nn.Linear(row_width, USER_WIDTH - 1, bias=False)
        self.readiness = nn.Linear(USER_WIDTH, 1)
        self.context = nn.Linear(CONTEXT_WIDTH, 1, bias=False)
        self.moment = nn.Linear(MOMENT_WIDTH, 1, bias=False)
        self.attention = Attention(width)
        self.of_user = nn.Linear(USER_WIDTH + CONTEXT_WIDTH, width)
        self.of_item = nn.Linear(width, width, bias=False)
        self.of_match = nn.Linear(width, width, bias=False)
        self.of_rest = nn.Linear(MOMENT_WIDTH + 1, width, bias=False)
        self.by_hour = nn.Linear(CONTEXT_WIDTH, width, bias=False)
        self.dense = nn.Sequential(
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width // 2),
            nn.GELU(),
            nn.Linear(width // 2, 1),
        )
        last = self.dense[-1]
        assert isinstance(last, nn.Linear)
        for zero in (last, self.by_hour, self.readiness, self.context, self.moment):
            nn.init.zeros_(zero.weight)
        nn.init.zeros_(last.bias)

    def item_vectors(self, rows: Tensor) -> Tensor:
        """Item vectors of rows of the item table, float32 [..., 128]: match and bias."""
        return torch.cat([self.item(rows[..., :-1]) * 0.125, rows[..., -1:]], dim=-1)

    def searched(self, vectors: Tensor) -> Tensor:
        """What is searched by inner product with user vectors for the best of item vectors."""
        if not self.multiplies:
            return vectors
        return nn.functional.pad(vectors[..., :-1], (0, 1), value=FLOOR) * vectors[..., -1:].exp()

    def base(self, user: Tensor, rows: Tensor, context: Tensor, moment: Tensor) -> Tensor:
        """The logit of the two towers, with the user's readiness and the moment, [b, n].

        Args:
            user: user vectors, [b, n or 1, 128].
            rows: of the item table, [b, n, r + 1].
            context: [b, n or 1, 32].
            moment: age and weariness, [b, n, 3].
        """
        vectors = self.item_vectors(rows)
        if self.multiplies:
            match = affinity((user[..., :-1] * vectors[..., :-1]).sum(-1)).log() + vectors[..., -1]
        else:
            match = (user * vectors).sum(-1)
        alone = self.readiness(user) + self.context(context)
        return match + (alone + self.moment(moment))[..., 0]  # type: ignore[no-any-return]

    def forward(
        self,
        user: Tensor,
        tokens: Tensor,
        bias: Tensor,
        rows: Tensor,
        context: Tensor,
        moment: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Judge candidates.

        Args:
            user: user vectors, [b, n or 1, 128].
            tokens: of the history, [b, k, w].
            bias: of the attention of candidates over tokens, [b, heads, n, k].
            rows: of the item table, [b, n, r + 1].
            context: as many as user vectors, [b, n or 1, 32].
            moment: [b, n, 3].

        Returns:
            The logit, and the logit of the two towers alone, each [b, n].
        """
        base = self.base(user, rows, context, moment)
        item = rows[..., : self.of_item.in_features]
        attended = self.attention(item, tokens, bias)
        hidden = (
            self.of_user(torch.cat([user, context], dim=-1))
            + self.of_item(item)
            + self.of_match(attended * item)
            + self.by_hour(context) * item
            + self.of_rest(torch.cat([moment, base.detach()[..., None]], dim=-1))
        )
        return base + self.dense(hidden)[..., 0], base


def affinity(inner: Tensor) -> Tensor:
    """An inner product made positive: itself where it is large, never below `FLOOR`.

    >>> [round(float(one), 3) for one in affinity(torch.tensor([3.0, -3.0]))]
    [3.001, 0.001]
    """
    return nn.functional.softplus(_SHARPNESS * inner) / _SHARPNESS + FLOOR
