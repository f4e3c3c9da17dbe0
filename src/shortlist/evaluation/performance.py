"""One model's turn: it is fitted, orders the catalogue for every judged user, and is timed.

What it did is all that later metrics need, small enough to keep: a run that was interrupted goes on
after the last model that had its turn.
"""

import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from shortlist.baselines.protocol import Predictor, Recommender
from shortlist.datasets.interactions import Doubles, Floats, Ints
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.arrays import load_arrays, save_arrays
from shortlist.evaluation.memory import peak_memory
from shortlist.evaluation.metrics.ranking import top_k
from shortlist.evaluation.top_share import share_policy
from shortlist.progress import track

Bits = npt.NDArray[np.uint8]

LIST_LENGTH: Final = 100
DEEP: Final = 1_000
"""Length of the candidate lists whose recall of the oracle's best is measured."""
PROBED: Final = 300
"""How many users' off-policy targets are kept, so that the truth can value them."""
_SCORES_AT_ONCE: Final = 8_000_000


@dataclass(frozen=True)
class Performance:
    """What one model did.

    Attributes:
        lists: the best videos of each judged user, seen ones excluded, int64 [judged, 100];
            -1 where the catalogue ends.
        deep: the best 1,000 of each sampled user, in any order, int64 [sample, <= 1000].
        row_scores: score of each test row's user and video, float32 [test].
        row_predictions: probability of the target for each test row, float32 [test]; empty for a
            model that gives none.
        chosen: probability that the model's best share of the catalogue, drawn from uniformly,
            shows each test row's video, float64 [test].
        chosen_rate: mean over that share of the smoothed rate of each video, for each test row's
            user, float64 [test].
        logged_rate: smoothed rate of each test row's own video, float64 [test].
        share_above, share_at: which videos lie above and at the border of that share, for the
            first users of the sample, packed bits, uint8 [probed, ceil(n_videos / 8)].
        fit_seconds, score_seconds: wall time.
        details: what the model says of how it was made, for the report.
        peak_memory_mb: resident memory at its highest during fit and scoring.
    """

    lists: Ints
    deep: Ints
    row_scores: Floats
    row_predictions: Floats
    chosen: Doubles
    chosen_rate: Doubles
    logged_rate: Doubles
    share_above: Bits
    share_at: Bits
    fit_seconds: float
    score_seconds: float
    peak_memory_mb: float
    details: dict[str, str]

    def save(self, path: Path) -> None:
        """Write to one file, aside first.

        Raises:
            StorageError: the disk is full or refuses.
        """
        save_arrays(path, asdict(self) | {"details": json.dumps(self.details)})

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read what ``save`` wrote; None where there is nothing or it is torn."""
        values = load_arrays(path, [field.name for field in fields(cls)])
        if values is None:
            return None
        plain: dict[str, Any] = {n: v.item() if v.ndim == 0 else v for n, v in values.items()}
        try:
            return cls(**plain | {"details": json.loads(plain["details"])})
        except ValueError:
            return None


def perform(
    model: Recommender,
    arena: Arena,
    *,
    share: float,
    rates: Doubles,
) -> Performance:
    """Give a model its turn.

    Args:
        model: unfitted.
        arena: what it is fitted to and judged on.
        share: of the live catalogue, from which the off-policy target draws.
        rates: a reward for every video by which doubly robust estimates are steadied, [n_videos].
    """
    with peak_memory() as memory:
        began = time.perf_counter()
        model.fit(arena.view)
        fitted = time.perf_counter()
        parts = _score(model, arena, share, rates)
        predictions = (
            model.predict(arena.test) if isinstance(model, Predictor) else np.zeros(0, np.float32)
        )
        done = time.perf_counter()
    return Performance(
        row_predictions=predictions,
        details=dict(getattr(model, "details", {})),
        fit_seconds=fitted - began,
        score_seconds=done - fitted,
        peak_memory_mb=memory.megabytes,
        **parts,
    )


def _score(
    model: Recommender, arena: Arena, share: float, rates: Doubles
) -> dict[str, npt.NDArray[Any]]:
    count, videos = len(arena.judged), len(arena.catalogue)
    length = min(LIST_LENGTH, videos)
    lists = np.full((count, length), -1, np.int64)
    deep: list[Ints] = []
    bits: list[tuple[Bits, Bits]] = []
    probed = probed_users(arena)
    # Off-policy nothing can be said then, and the target is not worth its time.
    odds = tells_odds(arena)
    row_scores = np.zeros(len(arena.test), np.float32)
    chosen = np.zeros(len(arena.test))
    chosen_rate = np.zeros(len(arena.test))
    order = np.argsort(arena.test.user, kind="stable")
    sorted_users = arena.test.user[order]
    step = max(1, _SCORES_AT_ONCE // videos)
    # Users without a judged list still have rows to score, so everyone gets a turn.
    everyone = np.union1d(arena.judged, arena.test.user)
    place = np.searchsorted(arena.judged, everyone)
    judged = np.isin(everyone, arena.judged)
    for low in track(range(0, len(everyone), step), f"{model.name}: scoring"):
        users = everyone[low : low + step]
        scores = model.score(users)
        rows = order[np.searchsorted(sorted_users, users[0]) : _after(sorted_users, users[-1])]
        local = np.searchsorted(users, arena.test.user[rows])
        row_scores[rows] = scores[local, arena.test.video[rows]]
        policy = share_policy(scores, arena.live, share) if odds else None
        if policy is not None:
            chosen_rate[rows] = policy.mean(scores, rates)[local]
            chosen[rows] = policy.probability(scores, local, arena.test.video[rows])
        here = judged[low : low + step]
        at = place[low : low + step][here]
        if len(at) == 0:
            continue
        masked = np.where(arena.excluded(int(at[0]), int(at[-1]) + 1), -np.inf, scores[here])
        lists[at] = top_k(masked, length)
        sampled = np.isin(users[here], arena.sample)
        if policy is not None:
            bits.append(policy.packed(scores, np.isin(users, probed)))
        deep.append(_best(masked[sampled], min(DEEP, videos)))
    return {
        "lists": lists,
        "deep": np.concatenate(deep),
        "share_above": np.concatenate([above for above, _ in bits] or [np.zeros((0, 0), np.uint8)]),
        "share_at": np.concatenate([at for _, at in bits] or [np.zeros((0, 0), np.uint8)]),
        "row_scores": row_scores,
        "chosen": chosen,
        "chosen_rate": chosen_rate,
        "logged_rate": rates[arena.test.video],
    }


def tells_odds(arena: Arena) -> bool:
    """Whether the test days know propensities."""
    return bool(np.isfinite(arena.test.propensity).any())


def probed_users(arena: Arena) -> Ints:
    """The users for whom the off-policy target is also valued by the truth, ascending rows."""
    return arena.sample[:PROBED]


def _after(sorted_users: Ints, user: int) -> int:
    return int(np.searchsorted(sorted_users, user, side="right"))


def _best(scores: Floats, count: int) -> Ints:
    if count >= scores.shape[1]:
        return np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    return np.argpartition(-scores, count - 1, axis=1)[:, :count]
