"""What each user's figures are under each model: on these, models are compared pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass

from shortlist.datasets.interactions import Doubles

PerUser = dict[str, Doubles]
"""Figures of each user, by metric."""


@dataclass(frozen=True)
class Tally:
    """Figures of each user under each model, on which models are compared.

    Attributes:
        logged: by model and metric, of each watcher, float64 [watchers].
        truth: by model and metric, of each sampled user, float64 [sample]; nothing where there is
            no truth.
    """

    logged: dict[str, PerUser]
    truth: dict[str, PerUser]

    def headline(self, k: int) -> tuple[str, dict[str, Doubles]]:
        """The metric that decides, and its figures by model: the truth's, else the log's."""
        if any(self.truth.values()):
            metric = f"expected_gain_ndcg@{k}"
            return metric, by_model(self.truth, metric)
        return f"ndcg@{k}", by_model(self.logged, f"ndcg@{k}")


def by_model(source: Mapping[str, PerUser], metric: str) -> dict[str, Doubles]:
    """One metric of each user, by model; models that lack it are left out."""
    return {name: of[metric] for name, of in source.items() if metric in of}
