"""What a reader asks a scorecard first: the headline metric, the best model, who ties with it."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from shortlist.evaluation.report import wording
from shortlist.evaluation.report.wording import Metric
from shortlist.evaluation.scorecard import Estimate, ModelResult, PairedDifference, Scorecard

Group = Literal["truth", "logged"]
GROUPS: Final[tuple[Group, ...]] = ("truth", "logged")
RANDOM: Final = "random"
"""Name of the recommender whose lists are drawn at random."""


@dataclass(frozen=True)
class Column:
    """One metric over all models that have it.

    Attributes:
        metric: the words for it.
        group: against the world's truth or against the held-out log.
        by_model: the estimate of each model, by the model's name.
    """

    metric: Metric
    group: Group
    by_model: dict[str, Estimate]

    @property
    def factor(self) -> float:
        """What figures are multiplied with before they are shown."""
        return 100.0 if self.metric.percent else 1.0


def columns(scorecard: Scorecard, group: Group) -> list[Column]:
    """Every metric of a group, in reading order: known metrics first, then as models name them."""
    names: dict[str, None] = {}
    for model in scorecard.models:
        names.update(dict.fromkeys(getattr(model, group)))
    return [
        Column(wording.metric(name), group, _estimates(scorecard, group, name))
        for name in sorted(names, key=wording.order)
    ]


def find(scorecard: Scorecard, base: str, groups: Collection[Group] = GROUPS) -> Column | None:
    """The metric of that base with a finite figure, truth before log, cut-off 10 before others."""
    for group in groups:
        found = [
            column
            for column in columns(scorecard, group)
            if column.metric.base == base
            and any(math.isfinite(estimate.value) for estimate in column.by_model.values())
        ]
        if found:
            return min(found, key=lambda column: not column.metric.name.endswith("@10"))
    return None


def headline(scorecard: Scorecard) -> Column | None:
    """Expected-gain NDCG against the truth; where there is no truth, NDCG on the held-out log."""
    return find(scorecard, "expected_gain_ndcg", ["truth"]) or find(scorecard, "ndcg", ["logged"])


def ranked(models: list[ModelResult], column: Column | None) -> list[ModelResult]:
    """Models from the best to the worst of a column; those without a figure keep their order."""
    if column is None:
        return list(models)
    sign = 1.0 if column.metric.better == "lower" else -1.0

    def key(model: ModelResult) -> tuple[bool, float]:
        value = value_of(column, model.name)
        return (math.isnan(value), 0.0 if math.isnan(value) else sign * value)

    return sorted(models, key=key)


def value_of(column: Column | None, name: str | None) -> float:
    """A model's figure, NaN where it has none."""
    if column is None or name is None or name not in column.by_model:
        return math.nan
    return column.by_model[name].value


def contenders(scorecard: Scorecard) -> list[ModelResult]:
    """Models that could serve: neither random lists nor the ceilings, which know the world."""
    return [
        model
        for model in scorecard.models
        if model.name != RANDOM and model.family not in ("observer", "oracle")
    ]


def of_family(scorecard: Scorecard, family: str) -> str | None:
    """Name of the first model of a family."""
    return next((model.name for model in scorecard.models if model.family == family), None)


def best(scorecard: Scorecard, column: Column | None) -> str | None:
    """Name of the contender that leads a column; None where no side is better, or none has one."""
    if column is None or column.metric.better is None:
        return None
    for model in ranked(contenders(scorecard), column):
        if math.isfinite(value_of(column, model.name)):
            return model.name
    return None


def tied(scorecard: Scorecard, column: Column, leader: str | None) -> list[str]:
    """Contenders whose paired difference from the leader may be chance (its interval holds 0)."""
    able = {model.name for model in contenders(scorecard)}
    names: list[str] = []
    for pair in scorecard.differences:
        if pair.metric != column.metric.name or leader not in (pair.first, pair.second):
            continue
        other = pair.second if pair.first == leader else pair.first
        if other in able and other not in names and not decided(pair):
            names.append(other)
    return names


def decided(pair: PairedDifference) -> bool:
    """Whether the interval of a paired difference leaves 0 out."""
    return pair.difference.low > 0 or pair.difference.high < 0


def lift(value: float, floor: float, ceiling: float) -> float:
    """Share of the way from ``floor`` to ``ceiling`` that ``value`` has covered.

    >>> lift(0.5, floor=0.25, ceiling=0.75)
    0.5
    """
    span = ceiling - floor
    return (value - floor) / span if math.isfinite(span) and span > 0 else math.nan


def _estimates(scorecard: Scorecard, group: Group, name: str) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for model in scorecard.models:
        estimates: dict[str, Estimate] = getattr(model, group)
        if name in estimates:
            found[model.name] = estimates[name]
    return found
