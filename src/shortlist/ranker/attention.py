"""Attention over a history that looks back: nearer events may weigh more, in places and in days.

Source of the fixed slopes: Press, Smith and Lewis, "Train short, test long: attention with linear
biases enables input length extrapolation", ICLR 2022. Here half of the heads count days.
"""

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

BY_PLACE: Final = (0.0, 0.02, 0.2, 0.0)
BY_DAY: Final = (0.0, 0.0, 0.0, 0.15)
"""Slopes of each head: what a place, or a day, further back costs a logit."""
HEADS: Final = len(BY_PLACE)


def looking_back(places: Tensor, days: Tensor, visible: Tensor) -> Tensor:
    """Additive biases of all heads.

    Args:
        places: places between query and key, float32 [b, q, k].
        days: days between them, float32 [b, q, k].
        visible: which keys a query may see, bool [b, q, k]; each must see one.

    Returns:
        float32 [b, heads, q, k], -inf where nothing is visible.
    """
    by_place = places.new_tensor(BY_PLACE)[:, None, None]
    by_day = places.new_tensor(BY_DAY)[:, None, None]
    bias = -(by_place * places[:, None] + by_day * days[:, None])
    return bias.masked_fill(~visible[:, None], float("-inf"))


def in_heads(rows: Tensor, heads: int) -> Tensor:
    """Rows of heads side by side, [b, n, heads * d], one under another, [b, heads, n, d]."""
    return rows.reshape(rows.shape[0], rows.shape[1], heads, -1).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, width: int) -> Tensor:
    """Attention of all heads, laid side by side, [b, q, w].

    Args:
        query: [b, heads, q, d].
        key: [b, heads, k, d].
        value: [b, heads, k, d].
        bias: added to logits, [b, heads or 1, q or 1, k].
        width: of all heads together; a number even where a graph is traced.
    """
    mixed = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, scale=(width // HEADS) ** -0.5
    ).transpose(1, 2)
    return mixed.reshape(mixed.shape[0], mixed.shape[1], width)


class Attention(nn.Module):
    """Multi-head attention of queries over keys, biases given from outside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        """Attend: [b, q, w] over [b, k, w] under [b, heads, q, k], gives [b, q, w]."""
        query = in_heads(self.query(queries), HEADS)
        both = in_heads(self.key_value(keys), 2 * HEADS)
        key, value = both.split(HEADS, dim=1)  # type: ignore[no-untyped-call]
        attended: Tensor = self.out(attend(query, key, value, bias, self.out.in_features))
        return attended


class Block(nn.Module):
    """A layer that reads events: attention over them and a dense part, each normalised before.

    All layers look at the events themselves, not at what the layer below made of them: so a state
    knows the events that it may see and no earlier one, in a long window as in a short history, and
    whoever wants one state computes one. Source of the repeated reading: Sukhbaatar et al.,
    "End-to-end memory networks", NeurIPS 2015.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attention = Attention(width)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, events: Tensor, bias: Tensor) -> Tensor:
        """States [b, q, w] that read events [b, k, w] under [b, heads, q, k], to states."""
        read = self.attention(self.before(states), self.before(events), bias)
        states = states + self.dropout(read)
        return states + self.dropout(self.dense(states))  # type: ignore[no-any-return]
