"""The cascade as one network: item tower, history encoder, pre-rank and list ranker."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shortlist.ranker.attention import looking_back
from shortlist.ranker.features import ItemFeatures
from shortlist.ranker.history import USER_WIDTH, HistoryEncoder
from shortlist.ranker.items import ItemTower
from shortlist.ranker.lists import Lists
from shortlist.ranker.listwise import MultiTaskRanker
from shortlist.ranker.prerank import PreRank
from shortlist.ranker.windows import Batch, Rows
from shortlist.settings.ranker import RankerSettings


@dataclass(frozen=True)
class Judged:
    """What is said of the rows of a batch of windows, or of lists, each float32 [b, l].

    Attributes:
        logit: of the pre-rank.
        base: of the two towers alone.
    """

    logit: Tensor
    base: Tensor


@dataclass(frozen=True)
class Ranked:
    """What is said of the videos of lists, each float32 [m, n].

    Attributes:
        click: logit of a click by the list ranker.
        diversity: of the diversity head, 0 in the mean of a list.
    """

    click: Tensor
    diversity: Tensor


@dataclass(frozen=True)
class Read:
    """A batch of windows as the encoder has read it.

    Attributes:
        item_rows: rows of the item table, [b, l, r + 1].
        tokens: [b, 1 + l, w].
        user: user vectors before each row, [b, l, 128].
        bias: of attention from before each row, [b, heads, l, 1 + l].
    """

    item_rows: Tensor
    tokens: Tensor
    user: Tensor
    bias: Tensor


class Cascade(nn.Module):
    """All that is trained."""

    calibration: tuple[float, float] | None
    """By what serving multiplies logits, and what it adds then, so that they tell of outcomes."""

    def __init__(
        self,
        features: ItemFeatures,
        profile_width: int,
        settings: RankerSettings,
        *,
        co_watch: bool = False,
    ) -> None:
        """Make fresh weights.

        Args:
            features: of the videos.
            profile_width: of what the history encoder is told of a user.
            settings: sizes and dropout.
            co_watch: whether user vectors have a `Memory`, and biases multiply affinities: the form
                of models of co-watching.
        """
        super().__init__()
        self.calibration = None
        width, dropout = settings.width, settings.dropout
        # A model of co-watching is as good as its rank, and vectors have no more coordinates.
        row_width = max(width, USER_WIDTH - 1) if co_watch else width
        self.history_length = settings.history
        self.items = ItemTower(features, row_width)
        self.history = HistoryEncoder(
            width,
            profile_width,
            settings.encoder_layers,
            dropout,
            remembered=row_width if co_watch else 0,
        )
        self.prerank = PreRank(width, row_width, dropout, multiplies=co_watch)
        self.listwise = MultiTaskRanker(width, settings.list_layers, dropout)
        # Videos that a policy chose are better than their features say: it knew something.
        self.policy_lift = nn.Parameter(torch.zeros(()))

    def read(self, rows: Rows, batch: Batch) -> Read:
        """Encode windows; what is said before a row knows only what came earlier."""
        videos, inverse = torch.unique(rows.video[batch.at], return_inverse=True)
        item_rows = self.items(videos)[inverse]
        tokens = self.history.tokens(item_rows, rows.kind[batch.at])
        back, days, visible = self._distances(rows.day[batch.at], batch.filled)
        states = self.history.states(tokens, tokens, looking_back(back, days, visible))
        # Place i of the states has read i events: it is the state before row i.
        declared = rows.profile[batch.user][:, None].expand(-1, batch.at.shape[1], -1)
        profiles = torch.cat([declared, rows.tally[batch.at]], dim=-1)
        remembered = None
        if self.history.memory is not None:
            seen = visible[:, :-1, 1:]
            remembered = self.history.memory(item_rows, rows.kind[batch.at], seen)
        user = self.history.user_vectors(states[:, :-1], profiles, remembered)
        now = looking_back(back[:, :-1], self._ages(rows.day[batch.at]), visible[:, :-1])
        return Read(item_rows, tokens, user, now)

    def forward(self, rows: Rows, batch: Batch, read: Read) -> Judged:
        """Judge the rows of windows, each from what came before it."""
        moment, context = rows.moment[batch.at], rows.context[batch.at]
        logit, base = self.prerank(
            read.user, read.tokens, read.bias, read.item_rows, context, moment
        )
        lift = self.policy_lift * (1.0 - rows.random[batch.at])
        return Judged(logit + lift, base + lift)

    def prerank_lists(self, rows: Rows, batch: Batch, read: Read, drawn: Lists) -> Judged:
        """Judge the videos of lists by the pre-rank, without moving the towers, each [m, n]."""
        user, tokens, bias, context = self._before(rows, batch, read, drawn)
        item_rows = self.items(drawn.video).detach()
        return Judged(
            *self.prerank(user[:, None], tokens, bias, item_rows, context[:, None], drawn.moment)
        )

    def rank_lists(self, rows: Rows, batch: Batch, read: Read, drawn: Lists) -> Ranked:
        """Judge the videos of lists.

        The list ranker learns on what the towers say, without moving them: it sees lists for a part
        of the windows only, and the towers see every row.
        """
        user, tokens, bias, context = self._before(rows, batch, read, drawn)
        tokens = tokens.detach()
        with torch.no_grad():
            item_rows = self.items(drawn.video)
            prerank = self.prerank(
                user[:, None], tokens, bias, item_rows, context[:, None], drawn.moment
            )[0]
        listed = torch.ones_like(drawn.video, dtype=torch.bool)
        click, diversity = self.listwise(
            user, tokens, bias, item_rows, context, drawn.moment, prerank, listed
        )
        return Ranked(click, diversity)

    @staticmethod
    def _before(
        rows: Rows, batch: Batch, read: Read, drawn: Lists
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is known before lists: user vectors without gradient, tokens, biases and context."""
        window, place = drawn.window, drawn.place
        return (
            read.user[window, place].detach(),
            read.tokens[window],
            read.bias[window, :, place][:, :, None],
            rows.context[batch.at[window, place]],
        )

    def _distances(self, days: Tensor, filled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Places and days back from each token to each, and what each may see, [b, 1+l, 1+l]."""
        length = days.shape[1] + 1
        place = torch.arange(length)
        back = (place[:, None] - place).float()
        near = (back >= 0) & (back < self.history_length)
        # The start of a history is seen from everywhere and costs nothing.
        near[:, 0] = True
        back = back.clamp(min=0).masked_fill(place == 0, 0.0)
        padded = nn.functional.pad(days, (1, 0))
        apart = (padded[:, :, None] - padded[:, None, :]).clamp(min=0)
        apart[:, :, 0] = 0.0
        known = nn.functional.pad(filled, (1, 0), value=True)
        return back.expand(len(days), -1, -1), apart, near & known[:, None, :]

    def _ages(self, days: Tensor) -> Tensor:
        """Days from each row back to each token, [b, l, 1 + l]."""
        padded = nn.functional.pad(days, (1, 0))
        apart = (days[:, :, None] - padded[:, None, :]).clamp(min=0)
        apart[:, :, 0] = 0.0
        return apart
