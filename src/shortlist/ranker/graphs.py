"""The three graphs that serving runs, as modules of their own: what goes in, what comes out.

Each takes what crosses a border of processes: rows of the item table in half precision, kinds and
ages of events, never a video's content.
"""

import torch
from torch import Tensor, nn

from shortlist.ranker.attention import looking_back
from shortlist.ranker.cascade import Cascade


class HistoryGraph(nn.Module):
    """Events to the user vector and the tokens on which candidates are judged."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.history = cascade.history

    def forward(
        self, rows: Tensor, kinds: Tensor, ages: Tensor, filled: Tensor, profile: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Encode histories, the oldest event first, empty places last.

        Args:
            rows: of the item table, float16 [b, h, r + 1].
            kinds: int64 [b, h].
            ages: days between each event and now, float32 [b, h].
            filled: which places hold an event, bool [b, h].
            profile: float32 [b, p].

        Returns:
            User vectors [b, 128] and tokens [b, 1 + h, w].
        """
        tokens = self.history.tokens(rows.float(), kinds)
        last = filled.sum(dim=1)
        latest = torch.gather(tokens, 1, last[:, None, None].expand(-1, 1, tokens.shape[2]))
        place = _places(filled)
        start = place == 0
        back = (last[:, None] - place).clamp(min=0).masked_fill(start, 0).float()
        old = nn.functional.pad(ages, (1, 0))
        apart = (old - old.gather(1, last[:, None])).clamp(min=0).masked_fill(start, 0.0)
        bias = looking_back(back[:, None], apart[:, None], _known(filled)[:, None])
        state = self.history.states(latest, tokens, bias)
        remembered = None
        if self.history.memory is not None:
            remembered = self.history.memory(rows.float(), kinds, filled[:, None])
        return self.history.user_vectors(state, profile[:, None], remembered)[:, 0], tokens


class PrerankGraph(nn.Module):
    """User vector, tokens and up to 1,000 candidates to logits."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.prerank = cascade.prerank
        self.calibration = cascade.calibration

    def forward(
        self,
        user: Tensor,
        tokens: Tensor,
        ages: Tensor,
        filled: Tensor,
        rows: Tensor,
        context: Tensor,
        moment: Tensor,
    ) -> Tensor:
        """Judge candidates, each alone.

        Args:
            user: float32 [b, 128].
            tokens: float32 [b, 1 + h, w].
            ages: as of the history, [b, h].
            filled: as of the history, [b, h].
            rows: of the item table, float16 [b, n, r + 1].
            context: float32 [b, 32].
            moment: age and weariness, float32 [b, n, 3].

        Returns:
            Logits, float32 [b, n].
        """
        bias = _from_now(ages, filled)
        logit: Tensor = self.prerank(
            user[:, None], tokens, bias, rows.float(), context[:, None], moment
        )[0]
        if self.calibration is None:
            return logit
        slope, level = self.calibration
        return slope * logit + level


class ListGraph(nn.Module):
    """The best candidates of the pre-rank, as one list, to both heads."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.listwise = cascade.listwise
        self.calibration = cascade.calibration

    def forward(
        self,
        user: Tensor,
        tokens: Tensor,
        ages: Tensor,
        filled: Tensor,
        rows: Tensor,
        context: Tensor,
        moment: Tensor,
        prerank: Tensor,
        listed: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Judge a list.

        Args:
            user: float32 [b, 128].
            tokens: float32 [b, 1 + h, w].
            ages: float32 [b, h].
            filled: bool [b, h].
            rows: of the item table, float16 [b, n, r + 1].
            context: float32 [b, 32].
            moment: float32 [b, n, 3].
            prerank: its logits, float32 [b, n].
            listed: which places hold a candidate, bool [b, n].

        Returns:
            Logits of a click, float32 [b, n], and the diversity head, 0 to 1, float32 [b, n].
        """
        bias = _from_now(ages, filled)
        slope, level = (1.0, 0.0) if self.calibration is None else self.calibration
        if self.calibration is not None:
            prerank = (prerank - level) / slope
        click, diversity = self.listwise(
            user, tokens, bias, rows.float(), context, moment, prerank, listed
        )
        if self.calibration is not None:
            click = slope * click + level
        return click, torch.tanh(0.5 * diversity).clamp(min=0.0)


def _known(filled: Tensor) -> Tensor:
    """Which tokens mean something: the start, and every event, bool [b, 1 + h]."""
    return torch.cat([torch.ones_like(filled[:, :1]), filled], dim=1)


def _places(filled: Tensor) -> Tensor:
    return torch.arange(filled.shape[1] + 1)


def _from_now(ages: Tensor, filled: Tensor) -> Tensor:
    """Biases of candidates, at the end of the history, over its tokens, [b, heads, 1, k]."""
    place = _places(filled)[None, :]
    back = (filled.sum(dim=1)[:, None] - place).clamp(min=0).masked_fill(place == 0, 0).float()
    apart = nn.functional.pad(ages.clamp(min=0), (1, 0))
    return looking_back(back[:, None], apart[:, None], _known(filled)[:, None])
