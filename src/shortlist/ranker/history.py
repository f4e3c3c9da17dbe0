"""The history encoder: the last events of a user become tokens and one 128-d user vector.

It is causal, so one pass over a history gives the user's state before each of its events.
"""

import torch
from torch import Tensor, nn

from shortlist.datasets.events import KINDS, Kind
from shortlist.ranker.attention import Block
from shortlist.ranker.memory import Memory

USER_WIDTH = 128
"""Width of the user vector; the query of the vector recall."""


class HistoryEncoder(nn.Module):
    """Tokens of events, states of users, user vectors."""

    def __init__(
        self,
        width: int,
        profile_width: int,
        layers: int,
        dropout: float,
        *,
        remembered: int = 0,
    ) -> None:
        """Make fresh weights.

        Args:
            width: inside.
            profile_width: of what is told of a user.
            layers: of attention.
            dropout: share of activations dropped in training.
            remembered: width of the rows, without their bias, of which a `Memory` goes into user
                vectors too; 0 for none.
        """
        super().__init__()
        self.kind = nn.Embedding(KINDS, width)
        self.gate = nn.Embedding(KINDS, width)
        self.token = nn.Linear(width, width)
        self.start = nn.Parameter(torch.zeros(width))
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.profile = nn.Linear(profile_width, width)
        # One coordinate is 1, for the item's bias: a search by inner product then finds both.
        self.user = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, USER_WIDTH - 1)
        )
        self.direct = nn.Linear(profile_width, USER_WIDTH - 1, bias=False)
        nn.init.normal_(self.direct.weight, std=0.01)
        nn.init.normal_(self.kind.weight, std=0.1)
        nn.init.normal_(self.gate.weight, std=0.1)
        with torch.no_grad():
            # What was passed over speaks against its like, what was liked speaks for it.
            for kind, gate in ((Kind.SHOWN, -0.5), (Kind.SKIP, -0.7), (Kind.CLICK, 0.6)):
                self.gate.weight[kind] += gate
            self.gate.weight[Kind.LONG_VIEW] += 1.0
            self.gate.weight[Kind.LIKE] += 1.5
        self.memory = Memory(remembered, USER_WIDTH - 1) if remembered else None

    def tokens(self, rows: Tensor, kinds: Tensor) -> Tensor:
        """Tokens of events, the first one the start of every history, float32 [b, 1 + h, w].

        Args:
            rows: of the item table, float32 [b, h, r + 1]; of embeddings that are wider than the
                network, it reads the first.
            kinds: int64 [b, h].
        """
        width = self.start.shape[0]
        events = self.token(rows[..., :width] * self.gate(kinds)) + self.kind(kinds)
        start = self.start.expand(rows.shape[0], 1, -1)
        return torch.cat([start, events], dim=1)

    def states(self, latest: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:
        """The user's states, float32 [b, q, w].

        Args:
            latest: token of the last event before each, [b, q, w].
            tokens: of the history, [b, 1 + h, w].
            bias: of attention from each over these, [b, heads, q, 1 + h].
        """
        states = latest
        for block in self.blocks:
            states = block(states, tokens, bias)
        return self.norm(states)  # type: ignore[no-any-return]

    def user_vectors(
        self, states: Tensor, profiles: Tensor, remembered: Tensor | None = None
    ) -> Tensor:
        """User vectors, float32 [b, k, 128].

        Args:
            states: [b, k, w].
            profiles: [b, k, p].
            remembered: by the memory, where there is one, [b, k, 127].
        """
        told = torch.cat([states, self.profile(profiles)], dim=-1)
        vector = self.user(told) + self.direct(profiles)
        if remembered is not None:
            vector = vector + remembered
        return torch.cat([vector, torch.ones_like(vector[..., :1])], dim=-1)
