"""Rankers side by side in one arena, user by user: what the gate compares."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shortlist.datasets.interactions import Doubles, Floats
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.datasets.target import chosen_target
from shortlist.evaluation.against_truth import truth_of_lists
from shortlist.evaluation.arena import Arena, make_arena
from shortlist.evaluation.descriptions import ORACLE
from shortlist.evaluation.logged import judge_lists, odds, traffics
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.turns import Makers, Turn, arena_key, contestants, take_turns
from shortlist.settings.tree import Settings
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth

_ROC_POINTS = 100


@dataclass(frozen=True)
class Bout:
    """Some models that had their turn in one arena.

    Attributes:
        arena: the arena.
        truth: of its world; None for a real log.
        turns: by the model's name.
        k: length of the judged list.
    """

    arena: Arena
    truth: Truth | None
    turns: dict[str, Turn]
    k: int

    @property
    def metric(self) -> str:
        """The metric that decides: the truth's where there is one, else the log's."""
        return f"ndcg@{self.k}" if self.truth is None else f"expected_gain_ndcg@{self.k}"

    def figures(self, name: str) -> Doubles:
        """That metric for every user under one model, float64 [m]; users are those of the arena."""
        done = self.turns[name].performance
        if self.truth is None:
            return judge_lists(self.arena, done, self.k).ndcg
        oracle = self.turns[ORACLE].performance
        return truth_of_lists(self.truth, self.arena, done, oracle, self.k).ndcg

    def roc(self, name: str) -> dict[str, list[float]]:
        """Some points of the curve of hits against false alarms on the policy's traffic.

        None where the test days have no traffic with both outcomes.
        """
        from sklearn.metrics import roc_curve  # noqa: PLC0415

        kinds = traffics(self.arena)
        if not kinds:
            return {"fpr": [], "tpr": [], "threshold": []}
        traffic = kinds[0]
        said = odds(self.turns[name].performance, traffic)
        false, true, threshold = roc_curve(traffic.positive, said)
        at = np.unique(np.linspace(0, len(false) - 1, _ROC_POINTS).astype(int))
        # The first threshold is infinite: nothing is taken for a hit.
        bounded = np.minimum(threshold, np.nextafter(threshold[1], np.inf))
        return {
            "fpr": false[at].tolist(),
            "tpr": true[at].tolist(),
            "threshold": bounded[at].tolist(),
        }


def bout(
    dataset: Dataset,
    content: Floats,
    cut: Split,
    truth: Truth | None,
    models: Makers,
    settings: Settings,
    runs: Path,
    stages: Stages,
) -> Bout:
    """Give models their turns; those that had theirs before the judge are not asked again.

    Args:
        dataset: the log.
        content: vectors of its videos, float32 [n_videos, width].
        cut: history and test days.
        truth: of the world that wrote the log; None for a real log.
        models: unfitted, by name; a world's oracle joins them.
        settings: the tree.
        runs: directory of turns, the judge's own.
        stages: told of each turn.

    Raises:
        RefusedError: a model was trained on other data.
        StorageError: the disk refused.
    """
    judging = settings.evaluation
    arena = make_arena(
        dataset,
        cut,
        content,
        target=chosen_target(judging.target, dataset, cut),
        context=None if truth is None else standard_context(),
        sample=judging.users,
        seed=settings.seed,
    )
    makers = dict(models)
    if truth is not None:
        makers[ORACLE] = contestants(settings.baselines, truth)[ORACLE]
    turns = take_turns(
        makers,
        arena,
        runs / arena_key(dataset, arena, judging)[:16],
        settings.baselines,
        share=judging.policy_share,
        stages=stages,
    )
    return Bout(arena, truth, {turn.name: turn for turn in turns}, judging.k)
