"""Whom the shown videos of a training list meet: what recall finds for the user, epoch by epoch.

Serving recalls by tables that are there before training, and by vectors that training makes. The
first are asked once, the second anew at the beginning of each epoch, as the network then stands.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shortlist.datasets.events import Events
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.graphs import HistoryGraph
from shortlist.ranker.inputs import padded
from shortlist.ranker.lists import Pools

_USERS_AT_ONCE: Final = 256
_VIDEOS_AT_ONCE: Final = 8_192


class Companion:
    """Pools of company, renewed with the network."""

    def __init__(
        self,
        histories: Sequence[Events],
        profiles: Tensor,
        day: float,
        pools: Pools,
        *,
        nearest: int,
    ) -> None:
        """Take what does not change.

        Args:
            histories: of all users.
            profiles: of all users at the end of the log, float32 [n_users, p].
            day: the end of the log, days since 1970-01-01.
            pools: what the recall tables find for each user, and the videos.
            nearest: how many videos nearest to the user vector join them.
        """
        self._histories, self._profiles, self._day = histories, profiles, day
        self._tables, self._nearest = pools.recalled, min(nearest, len(pools.live))
        self.pools = pools
        self._place = np.full(len(pools.upload_day), len(pools.live))
        self._place[pools.live] = np.arange(len(pools.live))

    @torch.no_grad()
    def renew(self, cascade: Cascade) -> None:
        """Find the nearest live videos that each user has not seen, by the network as it stands."""
        training = cascade.training
        cascade.eval()
        table = item_table(cascade)
        live = torch.from_numpy(self.pools.live)
        vectors = cascade.prerank.searched(cascade.prerank.item_vectors(table[live])).T
        # One more column, for what was seen and is not live.
        vectors = torch.nn.functional.pad(vectors, (0, 1)).contiguous()
        nearest = np.empty((len(self._histories), self._nearest), np.int64)
        for low in range(0, len(nearest), _USERS_AT_ONCE):
            part = slice(low, low + _USERS_AT_ONCE)
            user = user_vectors(
                cascade, table, self._histories[part], self._day, self._profiles[part]
            )
            scores = user @ vectors
            for row, events in enumerate(self._histories[part]):
                # As in serving: nobody is recalled what he has seen.
                scores[row, self._place[events.video]] = float("-inf")
            best = scores[:, :-1].topk(self._nearest, dim=1, sorted=False).indices
            nearest[part] = live[best.sort(dim=1).values].numpy()
        cascade.train(training)
        recalled = np.concatenate([self._tables, nearest], axis=1)
        self.pools = replace(self.pools, recalled=recalled)


def item_table(cascade: Cascade) -> Tensor:
    """The rows of all videos, float32 [n, w + 1]."""
    count = cascade.items.residual.num_embeddings
    parts = [
        cascade.items(torch.arange(low, min(low + _VIDEOS_AT_ONCE, count)))
        for low in range(0, count, _VIDEOS_AT_ONCE)
    ]
    return torch.cat(parts)


def user_vectors(
    cascade: Cascade, table: Tensor, histories: Sequence[Events], day: float, profiles: Tensor
) -> Tensor:
    """User vectors at the end of histories, float32 [m, 128]."""
    inputs = padded(histories, day, cascade.history_length)
    vectors, _ = HistoryGraph(cascade)(
        table[torch.from_numpy(inputs.video)],
        torch.from_numpy(inputs.kind),
        torch.from_numpy(inputs.age),
        torch.from_numpy(inputs.filled),
        profiles,
    )
    return vectors  # type: ignore[no-any-return]
