"""What is asked of a model of this system, and whether it holds: against baselines and ceilings."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from shortlist.datasets.interactions import Doubles
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.descriptions import OBSERVER, ORACLE, RANDOM
from shortlist.evaluation.logged import odds, traffics
from shortlist.evaluation.metrics.discrimination import auc_difference
from shortlist.evaluation.metrics.intervals import mean_ratio, paired_difference
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.scorecard import Estimate, Goal
from shortlist.evaluation.tally import Tally, by_model

LIFT: Final = 0.9
"""Share of the observer's lift over random lists that is asked for."""
RECALL: Final = 0.9
"""The same of the observer's recall of the oracle's best among its best 1,000."""
AUC_GAP: Final = 0.02
"""How far the observer's AUC may lie above the model's."""
TAGS: Final = 0.4
"""How many more distinct tags a page is asked to have than the list without a slate."""
VALUE_LOSS: Final = 0.01
"""How much of its value a page may lose for that."""

_CEILINGS: Final = (OBSERVER, ORACLE)
_AUC_RESAMPLES: Final = 200
_ABOVE: Final = "interval above 0"


def list_goals(
    model: str,
    tally: Tally,
    performances: Mapping[str, Performance],
    arena: Arena,
    k: int,
    resamples: int,
    seed: int,
) -> list[Goal]:
    """Goals of the ranked list: ahead of every baseline, and near the informed observer.

    Against the truth where there is one, else against the held-out log.
    """
    metric, of = tally.headline(k)
    found = [ahead(f"{metric} over", model, of, resamples, seed)]
    if OBSERVER in of:
        floor = of[RANDOM]
        lift = mean_ratio(of[model] - floor, of[OBSERVER] - floor, resamples, seed)
        found.append(_at_least("share of the observer's lift over random lists", lift, LIFT))
        recall = by_model(tally.truth, "oracle_recall@1000")
        share = mean_ratio(recall[model], recall[OBSERVER], resamples, seed)
        found.append(_at_least("share of the observer's oracle recall@1000", share, RECALL))
    if OBSERVER in performances:
        for traffic in traffics(arena):
            gap = auc_difference(
                traffic.positive,
                odds(performances[OBSERVER], traffic),
                odds(performances[model], traffic),
                arena.test.user[traffic.rows],
                _AUC_RESAMPLES,
                seed,
            )
            name = f"AUC below the observer's, {traffic.name} traffic"
            found.append(_at_most(name, gap, AUC_GAP))
    return found


def page_goals(changes: Mapping[str, Estimate], k: int, *, has_truth: bool) -> list[Goal]:
    """Goals of the page against the same model's list without a slate.

    Args:
        changes: relative change by metric.
        k: slots of the page.
        has_truth: whether the page's value is known; without it only its spread can be asked for.
    """
    tags, distance = changes[f"distinct_tags@{k}"], changes[f"content_distance@{k}"]
    found = [_at_least("more distinct tags on the page", tags, TAGS)]
    if has_truth:
        value = changes[f"page_value@{k}"]
        loss = Estimate(value=-value.value, low=-value.high, high=-value.low, n=value.n)
        found.append(_at_most("loss of page value", loss, VALUE_LOSS))
    found.append(
        Goal(
            name="greater content distance on the page",
            measured=distance,
            demanded=_ABOVE,
            holds=_holds(distance, distance.low > 0),
        )
    )
    return found


def ahead(
    words: str, model: str, figures: Mapping[str, Doubles], resamples: int, seed: int
) -> Goal:
    """Whether a model is ahead of every baseline; of those, the hardest to beat is named.

    Args:
        words: before the name of that baseline.
        model: whose figures are compared.
        figures: of each user, by model; observer and oracle are left out.
        resamples: behind each interval.
        seed: of the resamples.
    """
    others = [name for name in figures if name not in (model, *_CEILINGS)]
    against = {
        name: paired_difference(figures[model], figures[name], resamples, seed) for name in others
    }
    hardest = min(against, key=lambda name: against[name].low)
    return Goal(
        name=f"{words} {hardest}, the hardest to beat of {len(others)}",
        measured=against[hardest],
        demanded=_ABOVE,
        holds=_holds(against[hardest], against[hardest].low > 0),
    )


def _at_least(name: str, measured: Estimate, bound: float) -> Goal:
    return Goal(
        name=name,
        measured=measured,
        demanded=f"at least {bound:g}",
        holds=_holds(measured, measured.value >= bound),
    )


def _at_most(name: str, measured: Estimate, bound: float) -> Goal:
    return Goal(
        name=name,
        measured=measured,
        demanded=f"at most {bound:g}",
        holds=_holds(measured, measured.value <= bound),
    )


def _holds(measured: Estimate, verdict: bool) -> bool | None:
    return bool(verdict) if np.isfinite(measured.value) else None
