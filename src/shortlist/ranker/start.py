"""Where the towers start when they learn what comes next: a closed form of co-watching.

A start that has seen a row already knows the answer. So what is learned from, the latest events of
every user, is hidden from the start of the training, and the served one is solved for from all.
What was learned is judged on a third one, from which only the answers are hidden: beside the start
of the training a stage looks good for saying what the served one knows by itself.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from shortlist.datasets.events import KINDS, Kind, kinds
from shortlist.datasets.interactions import (
    Floats,
    Interactions,
    Ints,
    TrainingView,
    events_since,
)
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.co_watch import CoWatch, co_watch
from shortlist.ranker.features import ItemFeatures
from shortlist.ranker.history import USER_WIDTH
from shortlist.ranker.memory import SILENT

RECENT: Final = 6
"""Latest events of each user that are learned from."""
_RIDGE: Final = 10.0
"""Prior against placing new videos by features, in videos."""


@dataclass(frozen=True)
class Start:
    """Where rows begin, apart from what features say of them.

    Attributes:
        learning: without the rows that are learned from, float32 [n, w + 1].
        judging: from all rows but the latest of held-out users, float32 [n, w + 1].
        served: from all rows, float32 [n, w + 1].
        found: the closed form of the first.
        content: from components of the content to rows, float32 [w + 1, k].
        tags: from weights of tags, float32 [w + 1, t].
        kinds: log worth of each kind of event, float32 [kinds].
    """

    learning: Tensor
    judging: Tensor
    served: Tensor
    found: CoWatch
    content: Tensor
    tags: Tensor
    kinds: Tensor

    @classmethod
    def of(cls, view: TrainingView, features: ItemFeatures, width: int, held_out: Ints) -> Self:
        """Solve for all three, and for the part of them that content and tags tell.

        Args:
            view: the log.
            features: of the videos.
            width: of the rows.
            held_out: users whose latest events what is learned is judged by, int64.
        """
        latest = events_since(view.log.user) < RECENT
        answers = latest & np.isin(view.log.user, held_out)
        found = co_watch(replace(view, log=view.log.take(~latest)), width)
        judging = co_watch(replace(view, log=view.log.take(~answers)), width).onto(found)
        served = co_watch(view, width).onto(found)
        told = np.concatenate([features.content, features.tags], axis=1)
        fitted = Ridge(alpha=_RIDGE, fit_intercept=False).fit(told, served)
        by_features = (told @ fitted.coef_.T).astype(np.float32)
        wide = features.content.shape[1]
        return cls(
            learning=torch.from_numpy(found.rows - by_features),
            judging=torch.from_numpy((judging - by_features).astype(np.float32)),
            served=torch.from_numpy((served - by_features).astype(np.float32)),
            found=found,
            content=torch.from_numpy(fitted.coef_[:, :wide].astype(np.float32)),
            tags=torch.from_numpy(fitted.coef_[:, wide:].astype(np.float32)),
            kinds=torch.from_numpy(worth_of_kinds(view.log)),
        )


def worth_of_kinds(log: Interactions) -> Floats:
    """Log of the share of watches among the events of each kind, float32 [kinds].

    What was declined adds nothing to a memory: it was no watch to the closed form. Where a log does
    not say who clicked, all that it holds was watched, but for what was left at once. Kinds that it
    lacks are taken at their word.
    """
    of, watched = kinds(log), log.click != 0
    seen = np.bincount(of, minlength=KINDS)
    share = np.bincount(of, weights=watched, minlength=KINDS) / np.maximum(seen, 1)
    share[seen == 0] = np.arange(KINDS)[seen == 0] >= Kind.CLICK
    share[Kind.SKIP] = 0.0
    return np.log(np.maximum(share, math.exp(2 * SILENT))).astype(np.float32)


@torch.no_grad()
def begin(cascade: Cascade, start: Start) -> None:
    """Set the towers of a fresh cascade to the closed form, for good."""
    items, history, prerank = cascade.items, cascade.history, cascade.prerank
    assert history.memory is not None
    assert prerank.multiplies
    for layer in (items.creator, items.language, items.static, items.residual):
        layer.weight.zero_()
    items.static.bias.zero_()
    items.content.weight.copy_(start.content)
    items.tags.weight.copy_(start.tags)
    items.start = start.learning
    # The user vector is what is remembered, and nothing else.
    last = history.user[-1]
    assert isinstance(last, nn.Linear)
    for silent in (last.weight, last.bias, history.direct.weight):
        silent.zero_()
    worth = torch.from_numpy(start.found.worth)
    history.memory.worth.weight.copy_(worth[None, :-1])
    history.memory.worth.bias.copy_(worth[-1:])
    history.memory.kind.weight.copy_(start.kinds[:, None])
    # Of whom nothing is known, the mean of all is assumed.
    history.memory.nobody.copy_(torch.from_numpy(start.found.mean))
    # As many coordinates as vectors have, the largest first.
    same = torch.eye(USER_WIDTH - 1, items.width)
    history.memory.vector.weight.copy_(same * start.found.scale)
    # The pre-rank takes an eighth of what it makes of an item.
    prerank.item.weight.copy_(8.0 * same)
    towers = (items, history.memory, history.blocks, history.norm, history.profile, history.user)
    alone = (history.direct, prerank.item, prerank.readiness, prerank.context, prerank.moment)
    for part in (*towers, *alone):
        part.requires_grad_(False)
    cascade.policy_lift.requires_grad_(False)
