"""What is asked of a model of this system beyond what every contestant is asked: its study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from shortlist.baselines.protocol import Recommender
from shortlist.evaluation.ablations import Makers, ablate
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.breakdowns import breakdowns
from shortlist.evaluation.descriptions import OBSERVER, ORACLE
from shortlist.evaluation.frontier import frontier
from shortlist.evaluation.goals import ahead, list_goals, page_goals
from shortlist.evaluation.pages import audience, judge_pages, neighbours, page_ndcg
from shortlist.evaluation.scorecard import Curve, Estimate, Fact, FrontierPoint, PageResult, Study
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.tally import Tally
from shortlist.evaluation.turns import Turn
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.slate import SlateSettings
from shortlist.world.truth import Truth

Points = Sequence[tuple[int, float]]
MONITORED = "validation/outcome"
"""The loss whose lowest epoch is the best one."""


@dataclass(frozen=True)
class Entry:
    """A model of this system that is to be judged, and what is known of it already.

    Attributes:
        make: makes it unfitted; see `shortlist.evaluation.entrants` for what it may offer.
        description: a sentence for the report.
        without: makers of the same model without one part, by the part's name.
        curves: losses by epoch, by name, as the training wrote them, the first is 0.
        facts: measured of it elsewhere, such as what half precision costs.
    """

    make: Callable[[], Recommender]
    description: str = ""
    without: Makers = field(default_factory=dict)
    curves: Mapping[str, Points] = field(default_factory=dict)
    facts: Sequence[Fact] = ()


def study(
    name: str,
    entry: Entry,
    turns: Sequence[Turn],
    tally: Tally,
    arena: Arena,
    truth: Truth | None,
    settings: EvaluationSettings,
    slate: SlateSettings,
    baselines: BaselinesSettings,
    *,
    runs: Path,
    seed: int,
    stages: Stages,
) -> Study:
    """Study one model.

    Args:
        name: of the model; it is among the turns.
        entry: what is known of it.
        turns: of all contestants.
        tally: figures of each user.
        arena: the arena.
        truth: of its world; None for a real log.
        settings: of the judge.
        slate: settings under which pages are served, settled.
        baselines: how the others were fitted.
        runs: directory of this arena's turns.
        seed: of the resamples.
        stages: told of each part of the study.

    Raises:
        StorageError: the disk refused.
    """
    k, resamples = settings.k, settings.bootstrap
    performances = {turn.name: turn.performance for turn in turns}
    turn = next(turn for turn in turns if turn.name == name)
    strongest = _strongest(name, tally, k)
    with stages.stage(f"study {name}") as stage:
        goals = list_goals(name, tally, performances, arena, k, resamples, seed)
        beside = neighbours(performances, strongest)
        pages: list[PageResult] = []
        changes: dict[str, Estimate] = {}
        points: list[FrontierPoint] = []
        if turn.shown is not None:
            size = min(k, turn.shown.pages.shape[1])
            pages, changes = judge_pages(
                turn, beside, audience(arena, truth, size), resamples, seed
            )
            goals += page_goals(changes, size, has_truth=truth is not None)
            # Where the truth tells the page's value, the log's few clicks decide nothing.
            if truth is None and len(arena.watchers) > 1:
                figures = page_ndcg(turn, performances, arena, size)
                goals += ahead("page_ahead", f"ndcg@{size}", name, figures, resamples, seed)
            points = frontier(turn.shown, arena, truth, slate, size, resamples, seed)
        # Random lists err everywhere alike; the oracle nowhere.
        of = {key: performances[key] for key in (name, strongest, OBSERVER) if key in performances}
        errors = breakdowns(of, tally, arena, truth, k, resamples, seed)
        stage.done(f"{len(goals)} goals, {len(points)} settings of the slate")
    return Study(
        model=name,
        goals=goals,
        pages=pages,
        changes=changes,
        frontier=points,
        ablations=ablate(
            turn,
            performances.get(ORACLE),
            entry.without,
            arena,
            truth,
            settings,
            baselines,
            runs=runs,
            seed=seed,
            stages=stages,
        ),
        breakdowns=errors,
        training=[
            # People count from 1.
            Curve(label=loss, x=[at + 1.0 for at, _ in points], y=[value for _, value in points])
            for loss, points in entry.curves.items()
        ],
        best_epoch=best_epoch(entry.curves),
        facts=list(entry.facts),
    )


def best_epoch(curves: Mapping[str, Points]) -> int | None:
    """The epoch with the lowest validation loss, the first is 1; None where there is none.

    >>> best_epoch({"validation/outcome": [(0, 0.7), (1, 0.5), (2, 0.6)]})
    2
    """
    points = curves.get(MONITORED)
    return min(points, key=lambda point: point[1])[0] + 1 if points else None


def _strongest(name: str, tally: Tally, k: int) -> str | None:
    """The best of the others that know no more than the model."""
    _, figures = tally.headline(k)
    able = {key: float(np.nanmean(of)) for key, of in figures.items()}
    others = [key for key in able if key not in (name, OBSERVER, ORACLE)]
    return max(others, key=able.__getitem__) if others else None
