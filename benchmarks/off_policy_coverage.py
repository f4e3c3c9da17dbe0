"""How often the off-policy intervals cover the truth, and how wide they are, in a small bandit.

``python benchmarks/off_policy_coverage.py [--resimulations 100] [--out FILE.json]`` prints one line
per policy. Beside each estimate stands *plain*: SNIPS plus and minus 1.96 standard errors.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import expit, softmax

from shortlist.errors import RefusedError
from shortlist.evaluation.metrics.proportions import clustered_ratio
from shortlist.evaluation.off_policy import PolicyLog, doubly_robust, ips, snips
from shortlist.files import staged_file

Doubles = np.typing.NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """A log and a target policy.

    Attributes:
        name: of the scenario.
        users: independent users; the rows of one share a context, so they are alike.
        rows: of each user.
        logging, target: how sharply each policy prefers what it likes.
        random: share of the traffic that is shown at random.
        base: log-odds of a reward; -1 is about 0.3, -4 about 0.03.
    """

    name: str
    users: int
    rows: int
    logging: float
    target: float
    random: float
    base: float


SCENARIOS = (
    Scenario("near the log", 1_200, 1, 0.5, 0.8, 0.5, -1.0),
    Scenario("near, rare rewards", 1_200, 1, 0.5, 0.8, 0.5, -4.0),
    Scenario("near, ten rows a user", 120, 10, 0.5, 0.8, 0.5, -1.0),
    Scenario("sharper", 1_200, 1, 1.0, 1.5, 0.2, -1.0),
    Scenario("sharper, rare rewards", 1_200, 1, 1.0, 1.5, 0.2, -4.0),
    Scenario("sharper, ten rows a user", 120, 10, 1.0, 1.5, 0.2, -1.0),
    Scenario("far", 1_200, 1, 1.0, 4.0, 0.05, -1.0),
    Scenario("far, rare rewards", 1_200, 1, 1.0, 4.0, 0.05, -4.0),
    Scenario("far, common rewards", 1_200, 1, 1.0, 4.0, 0.05, 1.5),
    Scenario("at the limit", 1_200, 1, 2.0, 4.0, 0.05, -1.0),
    Scenario("at the limit, rare rewards", 1_200, 1, 2.0, 4.0, 0.05, -4.0),
    Scenario("at the limit, common rewards", 1_200, 1, 2.0, 4.0, 0.05, 1.5),
    Scenario("at the limit, ten rows a user", 120, 10, 2.0, 4.0, 0.05, -1.0),
    Scenario("past it, hardly ever shown", 1_200, 1, 2.0, 4.0, 1e-4, -1.0),
)


@dataclass(frozen=True)
class Outcome:
    """What resimulations of a scenario showed.

    Attributes:
        name: of the scenario.
        value: true value of the target policy.
        effective_share: of its weights, expected; what a log shows may be larger.
        resimulations: how many were asked for.
        refused: how many logs allowed no verdict.
        covered: intervals that held the truth, by estimator.
        width: median width, by estimator.
    """

    name: str
    value: float
    effective_share: float
    resimulations: int
    refused: int
    covered: dict[str, int]
    width: dict[str, float]


class Bandit:
    """A few kinds of context and thirty actions; all probabilities are known exactly."""

    kinds, actions = 40, 30

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = (self.kinds, self.actions)
        liking, blurred, other = rng.normal(size=(3, *shape))
        uniform = scenario.random / self.actions
        self.scenario = scenario
        self.logging = uniform + (1 - scenario.random) * softmax(
            scenario.logging * (0.5 * liking + other), axis=1
        )
        self.target = softmax(scenario.target * (0.7 * liking + 0.7 * blurred), axis=1)
        self.reward = expit(scenario.base + 0.7 * liking)
        self.model = expit(scenario.base + 0.2 + 0.4 * liking + 0.2 * blurred)
        self.value = float((self.target * self.reward).sum(axis=1).mean())
        self.effective_share = 1 / float((self.target**2 / self.logging).sum(axis=1).mean())

    def log(self, seed: int) -> tuple[PolicyLog, Doubles, Doubles]:
        """A fresh log, and the model's rewards of the logged action and under the target."""
        rng = np.random.default_rng([1, seed])
        user = np.repeat(np.arange(self.scenario.users), self.scenario.rows)
        kind = rng.integers(0, self.kinds, self.scenario.users)[user]
        below = self.logging.cumsum(axis=1)[kind] < rng.random(len(user))[:, None]
        action = below.sum(axis=1).clip(max=self.actions - 1)
        log = PolicyLog(
            reward=(rng.random(len(user)) < self.reward[kind, action]).astype(np.float64),
            propensity=self.logging[kind, action],
            target=self.target[kind, action],
            cluster=user,
        )
        return log, self.model[kind, action], (self.target * self.model).sum(axis=1)[kind]


def resimulate(scenario: Scenario, resimulations: int) -> Outcome:
    """Draw logs, estimate from each, and count the intervals that hold the truth."""
    bandit = Bandit(scenario)
    ends: dict[str, list[tuple[float, float]]] = {"plain": [], "ips": [], "snips": [], "dr": []}
    refused = 0
    for seed in range(resimulations):
        log, logged, target = bandit.log(seed)
        try:
            found = {"ips": ips(log), "snips": snips(log), "dr": doubly_robust(log, logged, target)}
        except RefusedError:
            refused += 1
            continue
        mean, error = clustered_ratio(log.sums(log.weight * log.reward), log.sums(log.weight))
        ends["plain"].append((mean - 1.96 * error, mean + 1.96 * error))
        for name, estimate in found.items():
            ends[name].append((estimate.low, estimate.high))
    return Outcome(
        name=scenario.name,
        value=bandit.value,
        effective_share=bandit.effective_share,
        resimulations=resimulations,
        refused=refused,
        covered={
            name: sum(low <= bandit.value <= high for low, high in pairs)
            for name, pairs in ends.items()
        },
        width={
            name: float(np.median([high - low for low, high in pairs])) if pairs else float("nan")
            for name, pairs in ends.items()
        },
    )


def main() -> None:
    """Print the table; write it where ``--out`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resimulations", type=int, default=100)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    outcomes = [resimulate(scenario, asked.resimulations) for scenario in SCENARIOS]
    table = Table("policy", "value", "effective", "refused")
    for name in outcomes[0].covered:
        table.add_column(f"{name}: covered, width", justify="right")
    for outcome in outcomes:
        verdicts = outcome.resimulations - outcome.refused
        table.add_row(
            outcome.name,
            f"{outcome.value:.3f}",
            f"{outcome.effective_share:.1%}",
            str(outcome.refused),
            *(
                f"{outcome.covered[name]}/{verdicts}, {outcome.width[name]:.3f}"
                for name in outcome.covered
            ),
        )
    Console().print(table)
    if asked.out:
        with staged_file(asked.out) as aside:
            aside.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))


if __name__ == "__main__":
    main()
