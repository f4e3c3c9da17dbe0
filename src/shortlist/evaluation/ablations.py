"""What each part of a model is worth: the model asked with one part blanked, on the same users.

Nothing is trained anew. A part that the others could have learned to replace therefore looks worth
more here than it is.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.baselines.protocol import Recommender
from shortlist.datasets.interactions import Doubles, Ints
from shortlist.errors import RefusedError
from shortlist.evaluation.against_truth import gains
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.arrays import load_arrays, save_arrays
from shortlist.evaluation.entrants import PageMaker
from shortlist.evaluation.metrics import ranking
from shortlist.evaluation.metrics.intervals import paired_difference, unknown
from shortlist.evaluation.pages import Audience, audience
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.scorecard import Ablation, Estimate
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.tally import PerUser
from shortlist.evaluation.turns import Turn, parameters_key
from shortlist.recall.source import SOURCES
from shortlist.recommender.without import Without
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.world.truth import Truth

PAGE: Final = "page:"
"""Before the name of a metric of pages."""
_USERS_AT_ONCE: Final = 128

Makers = Mapping[str, Callable[[], Recommender]]
"""Makers of unfitted models by the part that each is without, for example ``history``."""


def without_each(make: Callable[[Without], Recommender]) -> Makers:
    """Makers of the cascade without each of its parts, by the part's name in a report.

    Args:
        make: makes a cascade that does without something.

    >>> list(without_each(lambda without: ...))[:3]
    ['history', 'context', 'recall by popularity']
    """
    switches = {
        "history": Without(history=True),
        "context": Without(context=True),
        **{f"recall by {name}": Without(sources=frozenset({name})) for name in SOURCES},
        "listwise stage": Without(listwise=True),
        "diversity head": Without(head=True),
    }
    return {part: partial(make, switch) for part, switch in switches.items()}


def ablate(
    turn: Turn,
    oracle: Performance | None,
    parts: Makers,
    arena: Arena,
    truth: Truth | None,
    settings: EvaluationSettings,
    baselines: BaselinesSettings,
    *,
    runs: Path,
    seed: int,
    stages: Stages,
) -> list[Ablation]:
    """Blank one part after the other.

    Args:
        turn: of the whole model.
        oracle: performance of the oracle, where there is a truth.
        parts: the models without a part.
        arena: the arena.
        truth: of its world; None for a real log.
        settings: of the judge; ``ablation_users`` says on how many users.
        baselines: as `parameters_key` asks for them.
        runs: directory where lists are kept, so that none is made twice.
        seed: of the resamples.
        stages: told of each part.

    Raises:
        StorageError: the disk refused.
    """
    k, resamples = settings.k, settings.bootstrap
    of = audience(arena, truth, k)
    # Evenly over the users, for rows may be in an order that means something.
    count = min(settings.ablation_users, len(of.rows))
    chosen = np.unique(np.linspace(0, len(of.rows) - 1, count).astype(np.int64))
    whole_lists = of.plain(turn.performance)
    whole_pages = None if turn.shown is None else of.served(turn.shown)
    whole = _figures(whole_lists, whole_pages, of, oracle)
    found = []
    for part, make in parts.items():
        with stages.stage(f"without {part}") as stage:
            model = make()
            path = runs / f"{turn.name}-without-{parameters_key(model, baselines)[:16]}-{count}.npz"
            kept = load_arrays(path, ("lists", "pages"))
            if kept is None:
                lists, pages = _outing(model, arena, of.rows[chosen], k)
                kept = {"lists": lists, "pages": pages}
                save_arrays(path, kept)
                stage.done(f"{count:,} users")
            else:
                stage.done(f"{count:,} users", reused=True)
        lists, pages = _spread(kept["lists"], chosen, of), _spread(kept["pages"], chosen, of)
        less = _figures(lists, pages if pages.shape[1] else None, of, oracle)
        differences = {
            metric: _difference(values[chosen], whole[metric][chosen], resamples, seed)
            for metric, values in less.items()
            if metric in whole
        }
        found.append(
            Ablation(
                part=part,
                differences=differences,
                same_lists=_same(lists, whole_lists, chosen),
                same_pages=whole_pages is not None and _same(pages, whole_pages, chosen),
            )
        )
    return found


def _same(less: Ints, whole: Ints, chosen: Ints) -> bool:
    return np.array_equal(less[chosen], whole[chosen])


def _outing(model: Recommender, arena: Arena, rows: Ints, k: int) -> tuple[Ints, Ints]:
    """The best k and the pages of some of the judged, by their places."""
    model.fit(arena.view)
    users = arena.judged[rows]
    lists, pages = [], []
    for low in range(0, len(users), _USERS_AT_ONCE):
        part = slice(low, low + _USERS_AT_ONCE)
        banned = np.concatenate([arena.excluded(int(row), int(row) + 1) for row in rows[part]])
        scores = np.where(banned, -np.inf, model.score(users[part]))
        lists.append(ranking.top_k(scores, k))
        if isinstance(model, PageMaker):
            pages.append(model.pages(users[part])[:, :k])
    none = np.zeros((len(users), 0), np.int64)
    return np.concatenate(lists), np.concatenate(pages) if pages else none


def _spread(pages: Ints, chosen: Ints, of: Audience) -> Ints:
    """Pages of the chosen in their places among the audience; nothing for the others."""
    everybody = np.full((len(of.rows), pages.shape[1]), -1, np.int64)
    everybody[chosen] = pages
    return everybody


def _figures(lists: Ints, pages: Ints | None, of: Audience, oracle: Performance | None) -> PerUser:
    """The metric that decides of the lists, and all metrics of the pages."""
    k = of.size
    if of.truth is not None and oracle is not None:
        discount = 1 / np.log2(np.arange(2, k + 2))
        best = gains(of.truth, of.arena, of.plain(oracle)) @ discount
        gained = gains(of.truth, of.arena, lists) @ discount
        found = {f"expected_gain_ndcg@{k}": gained / best}
    else:
        relevant = [of.arena.relevant[row] for row in of.rows]
        found = {f"ndcg@{k}": ranking.ndcg(lists, relevant, k)}
    if pages is not None:
        found |= {f"{PAGE}{metric}": values for metric, values in of.figures(pages).items()}
    return found


def _difference(less: Doubles, whole: Doubles, resamples: int, seed: int) -> Estimate:
    try:
        return paired_difference(less, whole, resamples=resamples, seed=seed)
    except RefusedError:
        return unknown(len(less))
