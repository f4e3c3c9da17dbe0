"""What a held-out log says of a model: accuracy, reach, diversity, and how true its odds are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Doubles, Floats, Ints
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.metrics import beyond_accuracy, ranking
from shortlist.evaluation.performance import Performance

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lists:
    """Per-user figures of the best k against the log.

    Attributes:
        users: rows of the users, int64 [m]; those with something relevant.
        ndcg, hit_rate, recall, mrr: of the best k, float64 [m].
        content_distance: mean cosine distance inside the best k, float64 [m].
        distinct_tags: tags in the best k, float64 [m].
        popularity_share: share of the best k that is among the most watched 1 %, float64 [m].
        coverage: share of the live catalogue that stands on somebody's best k.
    """

    users: Ints
    ndcg: Doubles
    hit_rate: Doubles
    recall: Doubles
    mrr: Doubles
    content_distance: Doubles
    distinct_tags: Doubles
    popularity_share: Doubles
    coverage: float


def judge_lists(arena: Arena, performance: Performance, k: int) -> Lists:
    """Compare the best k of every watcher with what they watched in the test days."""
    rows = np.searchsorted(arena.judged, arena.watchers)
    lists = performance.lists[rows, :k]
    relevant = [arena.relevant[row] for row in rows]
    counts = np.bincount(arena.view.log.video, minlength=len(arena.catalogue))
    return Lists(
        users=arena.watchers,
        ndcg=ranking.ndcg(lists, relevant, k),
        hit_rate=ranking.hit_rate(lists, relevant, k),
        recall=ranking.recall(lists, relevant, k),
        mrr=ranking.mrr(lists, relevant, k),
        content_distance=beyond_accuracy.content_distance(lists, arena.view.content),
        distinct_tags=beyond_accuracy.distinct_tags(lists, arena.catalogue.tags),
        popularity_share=beyond_accuracy.popularity_share(lists, counts, 0.01),
        coverage=beyond_accuracy.coverage(lists, int(arena.live.sum())),
    )


@dataclass(frozen=True)
class Traffic:
    """Test rows of one kind of traffic on which a model's odds are judged.

    Attributes:
        name: ``logged`` (chosen by the logging policy) or ``random``.
        rows: of the test log, with a known outcome and a live video, int64.
        positive: bool [rows].
    """

    name: str
    rows: Ints
    positive: Bools


def traffics(arena: Arena) -> list[Traffic]:
    """The kinds of traffic that the test log has of two users or more, with both outcomes."""
    outcome = arena.test.outcome(arena.view.target)
    usable = ~np.isnan(outcome) & arena.live[arena.test.video]
    parts = [("logged", ~arena.test.random_exposure), ("random", arena.test.random_exposure)]
    found = []
    for name, kind in parts:
        rows = np.flatnonzero(usable & kind)
        positive = outcome[rows] == 1
        several = len(np.unique(arena.test.user[rows])) > 1
        if several and positive.any() and not positive.all():
            found.append(Traffic(name, rows, positive))
    return found


def odds(performance: Performance, traffic: Traffic) -> Floats:
    """What the model says of each row: its probability where it gives one, else its score."""
    if len(performance.row_predictions):
        return performance.row_predictions[traffic.rows]
    return performance.row_scores[traffic.rows]
