"""A learned stage is served only where it earns its place: where it ranks better what came next.

Every stage adds to the logit before it, from a last layer that begins at 0. With that layer put
back to 0 the order is that of the stage before, to the last digit.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shortlist.ranker.artefacts import Lead
from shortlist.ranker.cascade import Cascade

PRERANK: Final = "prerank"
LISTWISE: Final = "listwise"
_TOP: Final = 10
_SURE: Final = 1.96
"""Standard errors to either side of a mean that 95 of 100 intervals need."""


def gain(logit: Tensor, found: Tensor) -> Tensor:
    """NDCG@10 of lists in which one video is right, 0 where it is missing, float64 [m].

    Args:
        logit: by which lists are ordered; of equals the first goes first, [m, n].
        found: the right one, at most one of each list, bool [m, n].

    >>> gain(torch.tensor([[1.0, 2.0], [1.0, 2.0]]), torch.tensor([[False, True], [True, False]]))
    tensor([1.0000, 0.6309], dtype=torch.float64)
    """
    order = logit.argsort(dim=1, descending=True, stable=True)[:, :_TOP]
    discount = 1.0 / torch.arange(2, 2 + order.shape[1], dtype=torch.float64).log2()
    return (found.gather(1, order) * discount).sum(dim=1)


def lead(
    stage: str,
    users: Sequence[npt.NDArray[np.int64]],
    before: Sequence[npt.NDArray[np.float64]],
    after: Sequence[npt.NDArray[np.float64]],
) -> Lead:
    """Compare a stage with the one before it, users paired.

    Args:
        stage: its name.
        users: whose each list is, in parts.
        before: gains by the stage before.
        after: gains by this one.

    Returns:
        The lead; a stage whose interval is not above 0 is not kept, nor is one of which fewer than
        two users tell.
    """
    if not users:
        return Lead(stage=stage, users=0, before=0.0, after=0.0, low=0.0, high=0.0, kept=False)
    _, place = np.unique(np.concatenate(users), return_inverse=True)
    count = np.bincount(place)
    was = np.bincount(place, np.concatenate(before)) / count
    now = np.bincount(place, np.concatenate(after)) / count
    ahead, number = now - was, len(count)
    off = _SURE * ahead.std(ddof=1) / np.sqrt(number) if number > 1 else 1.0
    low, high = float(ahead.mean() - off), float(ahead.mean() + off)
    return Lead(
        stage=stage,
        users=number,
        before=float(was.mean()),
        after=float(now.mean()),
        low=low,
        high=high,
        kept=low > 0,
    )


@torch.no_grad()
def silence(cascade: Cascade, stage: str) -> None:
    """Let a stage add nothing to the logit before it; the diversity head speaks on."""
    last = cascade.prerank.dense[-1] if stage == PRERANK else cascade.listwise.click
    assert isinstance(last, nn.Linear)
    last.weight.zero_()
    last.bias.zero_()
