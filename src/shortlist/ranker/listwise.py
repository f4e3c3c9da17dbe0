"""`MultiTaskRanker`: a transformer over the best 100, which sees them beside one another."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.attention import HEADS, Attention, attend, in_heads
from shortlist.ranker.features import MOMENT_WIDTH
from shortlist.ranker.history import USER_WIDTH


class MultiTaskRanker(nn.Module):
    """Two heads over a list: the logit of a click, and how much a video adds to the list.

    A token joins the user vector, the video's row, what of the history bears on it, the context
    and what the pre-rank said. There is no order among tokens: the list is a set.
    """

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.history = Attention(width)
        self.of_user = nn.Linear(USER_WIDTH + CONTEXT_WIDTH, width)
        self.of_item = nn.Linear(width, width, bias=False)
        self.of_history = nn.Linear(width, width, bias=False)
        self.of_rest = nn.Linear(MOMENT_WIDTH + 1, width, bias=False)
        layer = nn.TransformerEncoderLayer(
            width,
            HEADS,
            2 * width,
            dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.click = nn.Linear(width, 1)
        self.diversity = nn.Linear(width, 1)
        # The list starts as the pre-rank ordered it, and learns what to change.
        for head in (self.click, self.diversity):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(
        self,
        user: Tensor,
        tokens: Tensor,
        bias: Tensor,
        rows: Tensor,
        context: Tensor,
        moment: Tensor,
        prerank: Tensor,
        listed: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Judge one list for each user.

        Args:
            user: user vectors, [b, 128].
            tokens: of the history, [b, k, w].
            bias: of the attention of candidates over tokens, [b, heads, n, k].
            rows: of the item table, [b, n, r + 1]; the first ``w`` of a row are read.
            context: [b, 32].
            moment: [b, n, 3].
            prerank: logits of the pre-rank, [b, n].
            listed: which places hold a candidate, bool [b, n].

        Returns:
            Logits of a click, and the diversity head less its mean over the list, each [b, n]; what
            stands at empty places means nothing.
        """
        item = rows[..., : self.of_item.in_features]
        hidden = (
            self.of_user(torch.cat([user, context], dim=-1))[:, None]
            + self.of_item(item)
            + self.of_history(self.history(item, tokens, bias))
            + self.of_rest(torch.cat([moment, prerank[..., None]], dim=-1))
        )
        if torch.onnx.is_in_onnx_export():
            hidden = written_out(self.layers, hidden, listed)
        else:
            hidden = self.layers(hidden, src_key_padding_mask=~listed)
        # Only differences within a list have a gradient: without a centre each training would end
        # at a level of its own.
        diversity = self.diversity(hidden)[..., 0] * listed
        mean = diversity.sum(-1, keepdim=True) / listed.sum(-1, keepdim=True).clamp(min=1)
        return prerank + self.click(hidden)[..., 0], diversity - mean


def written_out(encoder: nn.TransformerEncoder, hidden: Tensor, listed: Tensor) -> Tensor:
    """What an encoder makes of lists, by plain operators, as a graph of free lengths needs it.

    Torch's own attention is traced with the lengths of the sample.

    Args:
        encoder: in evaluation mode, of layers that normalise first.
        hidden: tokens, [b, n, w].
        listed: which of them count, bool [b, n].
    """
    bias = torch.zeros_like(hidden[..., 0]).masked_fill(~listed, float("-inf"))[:, None, None]
    for layer in encoder.layers:
        assert isinstance(layer, nn.TransformerEncoderLayer)
        own, width = layer.self_attn, layer.self_attn.embed_dim
        asked = functional.linear(layer.norm1(hidden), own.in_proj_weight, own.in_proj_bias)
        parts = asked.split(width, dim=-1)  # type: ignore[no-untyped-call]
        query, key, value = (in_heads(part, HEADS) for part in parts)
        hidden = hidden + own.out_proj(attend(query, key, value, bias, width))
        hidden = hidden + layer.linear2(functional.gelu(layer.linear1(layer.norm2(hidden))))
    assert encoder.norm is not None
    return encoder.norm(hidden)  # type: ignore[no-any-return]
