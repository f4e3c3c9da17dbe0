"""Item vectors moved to where the pre-rank would have them.

A video's vector has learned from the rows that were shown. The pre-rank sees more of a history than
an inner product can, and it can be asked about every video: so each vector is refitted, by ridge
regression over users, to what the pre-rank says of its video and the vector does not. That is
distillation (Tang and Wang, "Ranking distillation", KDD 2018) with a closed form: the user vectors
stay, and the vectors of the videos are the only unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import TrainingView
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.graphs import HistoryGraph, PrerankGraph
from shortlist.ranker.inputs import PaddedHistories, padded
from shortlist.settings.ranker import RankerSettings

Floats = npt.NDArray[np.float32]

_RIDGE: Final = 100.0
"""Strength of the prior that leaves a vector where it is; in users, as their vectors are long."""
_VIDEOS_AT_ONCE: Final = 4_096


@dataclass(frozen=True)
class Asked:
    """Whom the pre-rank is asked for.

    Attributes:
        histories: m users at the end of the log.
        profiles: float32 [m, p].
        context: in which recommendations will be shown, float32 [32].
    """

    histories: PaddedHistories
    profiles: Tensor
    context: Tensor

    @classmethod
    def drawn(
        cls,
        histories: Sequence[Events],
        profiles: Floats,
        view: TrainingView,
        settings: RankerSettings,
        seed: int,
    ) -> Self | None:
        """Draw `ranker.refit_users` of the users; None where vectors stay as trained.

        Args:
            histories: of all users.
            profiles: of all users, float32 [n_users, p].
            view: for which day and context.
            settings: of the ranker.
            seed: of the draw.
        """
        if settings.refit_users == 0:
            return None
        chosen = np.random.default_rng([seed, len(histories)]).permutation(len(histories))
        chosen = chosen[: settings.refit_users]
        return cls(
            padded([histories[user] for user in chosen], float(view.as_of_day), settings.history),
            torch.from_numpy(profiles[chosen]),
            torch.from_numpy(view.context),
        )


@dataclass(frozen=True)
class Refit:
    """How far vectors move.

    Attributes:
        vectors: of the videos that were asked about, float32 [n, 128].
        rows: the part of it that rows of the item table tell, by least squares, float32 [w + 1,
            128]: so new videos move with their like.
        level: and the part that is common to all, float32 [128].
    """

    vectors: Floats
    rows: Floats
    level: Floats


@torch.no_grad()
def refit(cascade: Cascade, table: Tensor, vectors: Tensor, age: Tensor, asked: Asked) -> Refit:
    """Refit vectors to the pre-rank.

    Args:
        cascade: trained.
        table: rows of the videos, float32 [n, w + 1].
        vectors: of these, the age of the day in their bias, float32 [n, 128].
        age: what `video_age` says of them, float32 [n].
        asked: the users.
    """
    cascade.eval()
    held = asked.histories
    kind, ages, filled = map(torch.from_numpy, (held.kind, held.age, held.filled))
    events = table[torch.from_numpy(held.video)]
    user, tokens = HistoryGraph(cascade)(events, kind, ages, filled, asked.profiles)
    prerank = PrerankGraph(cascade)
    context = asked.context[None]
    left = torch.empty(len(user), len(table))
    for low in range(0, len(table), _VIDEOS_AT_ONCE):
        part = slice(low, low + _VIDEOS_AT_ONCE)
        rows = table[None, part]
        moment = torch.nn.functional.pad(age[None, part, None], (0, 2))
        for one in range(len(user)):
            by = slice(one, one + 1)
            told = (user[by], tokens[by], ages[by], filled[by])
            left[one, part] = prerank(*told, rows, context, moment)[0]
    left -= user @ vectors.T
    # A user's level moves all videos alike, so no page knows it.
    left -= left.mean(dim=1, keepdim=True)
    moved = Ridge(alpha=_RIDGE, fit_intercept=False).fit(user.numpy(), left.numpy()).coef_
    common = Ridge(alpha=1.0).fit(table.numpy(), moved)
    return Refit(
        moved.astype(np.float32),
        common.coef_.T.astype(np.float32),
        common.intercept_.astype(np.float32),
    )
