"""Whether a synthetic world is as realistic as it was calibrated to be: measured, with ranges.

On the truth's side of the house: the oracle's figures need the world's own probabilities.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.evaluation.log_facts import TRAFFIC, log_facts, median_name, rate_name
from shortlist.evaluation.metrics.discrimination import area_under_curve
from shortlist.evaluation.scorecard import Fact
from shortlist.world.truth import Truth

Doubles = npt.NDArray[np.float64]

POLICY, RANDOM = TRAFFIC
ALL: Final = "all traffic"
EVENNESS: Final = "median watch seconds, longest quarter to shortest"
PROBE: Final = "main tag found by a linear probe"
DEMANDED_FROM: Final = 10_000
"""Videos from which on the ranges are demanded; popularity is flatter in a smaller catalogue."""


class Range(NamedTuple):
    """Where a figure should lie, both ends included."""

    low: float
    high: float

    def __str__(self) -> str:
        """As the report prints it: ``0.42 to 0.46``."""
        return f"{self.low:g} to {self.high:g}"


def _about(target: float, tolerance: float) -> Range:
    return Range(round(target - tolerance, 6), round(target + tolerance, 6))


def oracle_name(outcome: str, traffic: str) -> str:
    """The name of an oracle's AUC among the facts.

    >>> oracle_name("click", "all traffic")
    'oracle AUC of clicks, all traffic'
    """
    return f"oracle AUC of {outcome.replace('_', ' ')}s, {traffic}"


EXPECTED: Final[Mapping[str, Range]] = {
    rate_name("click", POLICY): _about(0.44, 0.02),
    rate_name("click", RANDOM): _about(0.18, 0.02),
    rate_name("long_view", POLICY): _about(0.31, 0.02),
    rate_name("long_view", RANDOM): _about(0.085, 0.015),
    "median watch seconds, policy traffic": _about(5, 1),
    EVENNESS: Range(0.8, 1.25),
    "popularity Gini over the catalogue": _about(0.75, 0.04),
    oracle_name("click", ALL): Range(0.78, 0.80),
    PROBE: Range(0.80, 0.90),
}
"""Ranges of the figures that the world is calibrated to; the logged ones are KuaiRand's."""


def world_facts(dataset: Dataset, truth: Truth, real: Dataset | None = None) -> list[Fact]:
    """Measure a world's log against its truth.

    Args:
        dataset: the world's log.
        truth: the truth behind it.
        real: a real log, whose figures are given beside the world's where it knows them.

    Returns:
        The facts in reading order. Ranges are demanded of worlds of at least `DEMANDED_FROM`
        videos.

    Raises:
        CorruptError: the log is torn, or a session in it has a gap.
    """
    users = Users.from_table(dataset.users())
    catalogue = Catalogue.from_table(dataset.videos())
    log = Interactions.load(dataset, users, catalogue)
    figures = {**log_facts(log, catalogue), **_oracle_facts(dataset, truth, users, catalogue, log)}
    last = dataset.record.last_day
    figures["videos live on the last day"] = float(catalogue.uploaded_before(last).sum())
    beside = {} if real is None else _figures_of(real)
    demanded = len(catalogue) >= DEMANDED_FROM
    return [
        fact_of(name, value, demanded, beside.get(name))
        for name, value in _with_evenness(figures).items()
    ]


def fact_of(name: str, value: float, demanded: bool, real_log: float | None = None) -> Fact:
    """One figure beside its range, if it has one.

    >>> fact_of("main tag found by a linear probe", 0.86, demanded=True).holds
    True
    """
    expected = EXPECTED.get(name)
    known = None if real_log is None or math.isnan(real_log) else real_log
    if expected is None:
        return Fact(name=name, value=value, expected="any", real_log=known)
    holds = expected.low <= value <= expected.high if demanded else None
    return Fact(name=name, value=value, expected=str(expected), real_log=known, holds=holds)


def _oracle_facts(
    dataset: Dataset, truth: Truth, users: Users, catalogue: Catalogue, log: Interactions
) -> dict[str, float]:
    """AUC of the true probabilities; contexts are read a day at a time."""
    parts: dict[str, list[Doubles]] = {"click": [], "long_view": []}
    for table in dataset.each_day():
        said = truth.outcomes(Interactions.from_table(table, users, catalogue))
        for outcome, found in parts.items():
            found.append(getattr(said, outcome))
    random = log.random_exposure
    traffic = {ALL: np.ones(len(log), np.bool_), POLICY: ~random, RANDOM: random}
    facts = {}
    for outcome, found in parts.items():
        probability = np.concatenate(found)
        happened = getattr(log, outcome) == 1
        for name, rows in traffic.items():
            mixed = 0 < happened[rows].sum() < rows.sum()
            score = area_under_curve(happened[rows], probability[rows]) if mixed else math.nan
            facts[oracle_name(outcome, name)] = score
    return facts


def _figures_of(dataset: Dataset) -> dict[str, float]:
    users = Users.from_table(dataset.users())
    catalogue = Catalogue.from_table(dataset.videos())
    log = Interactions.load(dataset, users, catalogue)
    return _with_evenness(log_facts(log, catalogue))


def _with_evenness(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures, and after the medians how even they are over the lengths of videos."""
    shortest, longest = median_name("shortest"), median_name("longest")
    complete: dict[str, float] = {}
    for name, value in figures.items():
        complete[name] = value
        if name == longest:
            complete[EVENNESS] = value / figures[shortest]
    return complete
