"""What the log alone says of each model's off-policy target, where it says anything."""

from collections.abc import Callable

import numpy as np

from shortlist.errors import RefusedError
from shortlist.evaluation.arena import Arena, opening_rows
from shortlist.evaluation.off_policy.estimators import doubly_robust, ips, snips
from shortlist.evaluation.off_policy.log import PolicyLog
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.scorecard import Estimate


def estimate_policy(arena: Arena, performance: Performance) -> dict[str, Estimate | str]:
    """Value of drawing from the model's best share of the catalogue, on the opening slots.

    Returns:
        IPS, SNIPS and DR; a sentence where the log allows no verdict. Empty for a log without
        propensities.
    """
    test = arena.test
    outcome = test.outcome(arena.view.target)
    rows = opening_rows(arena)
    rows = rows[~np.isnan(outcome[rows]) & np.isfinite(test.propensity[rows])]
    if len(rows) == 0:
        return {}
    log = PolicyLog(
        reward=outcome[rows].astype(np.float64),
        propensity=test.propensity[rows],
        target=performance.chosen[rows],
        cluster=test.user[rows],
    )
    logged, target = performance.logged_rate[rows], performance.chosen_rate[rows]
    return {
        "IPS": _verdict(lambda: ips(log)),
        "SNIPS": _verdict(lambda: snips(log)),
        "DR": _verdict(lambda: doubly_robust(log, logged, target)),
    }


def _verdict(estimate: Callable[[], Estimate]) -> Estimate | str:
    try:
        return estimate()
    except RefusedError as refusal:
        return str(refusal)
