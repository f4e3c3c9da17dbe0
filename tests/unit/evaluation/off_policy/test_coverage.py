"""The promise of the intervals, kept in resimulations of a bandit whose truth is known."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[4] / "benchmarks" / "off_policy_coverage.py"
spec = importlib.util.spec_from_file_location("off_policy_coverage", SCRIPT)
assert spec is not None
assert spec.loader is not None
bench = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = bench
spec.loader.exec_module(bench)

KEPT = 0.9


@pytest.fixture(scope="module")
def outcomes():
    return {scenario.name: bench.resimulate(scenario, 100) for scenario in bench.SCENARIOS}


@pytest.mark.parametrize("name", [scenario.name for scenario in bench.SCENARIOS])
def test_intervals_cover_the_truth_in_nine_of_ten_resimulations(outcomes, name):
    outcome = outcomes[name]
    verdicts = outcome.resimulations - outcome.refused
    assert verdicts >= 80
    for estimator in ("ips", "snips", "dr"):
        assert outcome.covered[estimator] >= KEPT * verdicts, estimator


def test_scenarios_reach_from_the_limit_to_most_of_the_log(outcomes):
    shares = [outcome.effective_share for outcome in outcomes.values()]
    assert max(shares) > 0.6
    assert min(shares) < 0.01
    assert sum(0.01 <= share < 0.02 for share in shares) >= 3


def test_two_standard_errors_would_break_the_promise(outcomes):
    broken = [
        name
        for name, outcome in outcomes.items()
        if outcome.covered["plain"] < KEPT * (outcome.resimulations - outcome.refused)
    ]
    assert len(broken) >= 5


@pytest.mark.parametrize("name", ["near the log", "sharper", "far"])
def test_the_promise_costs_less_than_half_as_much_width_again(outcomes, name):
    width = outcomes[name].width
    assert width["plain"] < width["snips"] < 1.5 * width["plain"]


def test_estimates_are_right_on_average():
    scenario = bench.SCENARIOS[3]
    bandit = bench.Bandit(scenario)
    found = {"ips": 0.0, "snips": 0.0, "dr": 0.0}
    runs = 200
    for seed in range(runs):
        log, logged, target = bandit.log(seed)
        found["ips"] += bench.ips(log).value / runs
        found["snips"] += bench.snips(log).value / runs
        found["dr"] += bench.doubly_robust(log, logged, target).value / runs
    # One run is off by about 0.03, the mean of 200 by 0.002.
    assert found == pytest.approx(dict.fromkeys(found, bandit.value), abs=0.008)
