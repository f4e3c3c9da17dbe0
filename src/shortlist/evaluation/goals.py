"""What is asked of a model of this system, and whether it holds: against baselines and ceilings."""

from collections.abc import Mapping
from typing import Final, Literal

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
_Share = Literal["lift", "recall", "tags"]
_Gap = Literal["auc_logged", "auc_random", "value_loss"]


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
    found = ahead("ahead", metric, model, of, resamples, seed)
    if OBSERVER in of:
        floor = of[RANDOM]
        lift = mean_ratio(of[model] - floor, of[OBSERVER] - floor, resamples, seed)
        words = "Share of the observer's lift over random lists"
        found.append(_at_least("lift", words, lift, LIFT))
        recall = by_model(tally.truth, "oracle_recall@1000")
        if recall:
            share = mean_ratio(recall[model], recall[OBSERVER], resamples, seed)
            words = "Share of the observer's oracle recall@1000"
            found.append(_at_least("recall", words, share, RECALL))
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
            key: Literal["auc_logged", "auc_random"] = (
                "auc_random" if traffic.name == "random" else "auc_logged"
            )
            words = f"AUC below the observer's, {traffic.name} traffic"
            found.append(_at_most(key, words, gap, AUC_GAP))
    return found


def page_goals(changes: Mapping[str, Estimate], k: int, *, has_truth: bool) -> list[Goal]:
    """Goals of the page against the same model's list without a slate.

    Args:
        changes: relative change by metric.
        k: slots of the page.
        has_truth: whether the page's value is known; without it only its spread can be asked for.
    """
    tags, distance = changes[f"distinct_tags@{k}"], changes[f"content_distance@{k}"]
    found = [_at_least("tags", "Gain in distinct tags, page against plain list", tags, TAGS)]
    if has_truth:
        value = changes[f"page_value@{k}"]
        loss = Estimate(value=-value.value, low=-value.high, high=-value.low, n=value.n)
        words = "Loss of page value, page against plain list"
        found.append(_at_most("value_loss", words, loss, VALUE_LOSS))
    found.append(
        Goal(
            key="distance",
            name="Gain in content distance, page against plain list",
            measured=distance,
            demanded=_ABOVE,
            holds=_holds(distance, distance.low > 0),
        )
    )
    return found


def ahead(
    key: Literal["ahead", "page_ahead"],
    metric: str,
    model: str,
    figures: Mapping[str, Doubles],
    resamples: int,
    seed: int,
) -> list[Goal]:
    """Whether a model is ahead of every baseline: told of the one that is the hardest to beat.

    Nothing where no baseline was judged.

    Args:
        key: of the lists, or of the pages.
        metric: what is compared.
        model: whose figures are compared.
        figures: of each user, by model; observer and oracle are left out.
        resamples: behind each interval.
        seed: of the resamples.
    """
    others = [name for name in figures if name not in (model, *_CEILINGS)]
    if not others:
        return []
    against = {
        name: paired_difference(figures[model], figures[name], resamples, seed) for name in others
    }
    hardest = min(against, key=lambda name: against[name].low)
    page = "page's " if key == "page_ahead" else ""
    return [
        Goal(
            key=key,
            name=f"Lead in the {page}{metric} over {hardest}, the hardest to beat of {len(others)}",
            against=hardest,
            measured=against[hardest],
            demanded=_ABOVE,
            holds=_holds(against[hardest], against[hardest].low > 0),
        )
    ]


def _at_least(key: _Share, name: str, measured: Estimate, bound: float) -> Goal:
    return Goal(
        key=key,
        name=name,
        measured=measured,
        demanded=f"at least {_percent(bound)}",
        holds=_holds(measured, measured.value >= bound),
    )


def _at_most(key: _Gap, name: str, measured: Estimate, bound: float) -> Goal:
    return Goal(
        key=key,
        name=name,
        measured=measured,
        demanded=f"at most {bound:g}" if key != "value_loss" else f"at most {_percent(bound)}",
        holds=_holds(measured, measured.value <= bound),
    )


def _percent(share: float) -> str:
    """A bound in the unit that shares are shown in.

    >>> _percent(0.4).split()
    ['40', '%']
    """
    return f"{100 * share:g}\N{NO-BREAK SPACE}%"


def _holds(measured: Estimate, verdict: bool) -> bool | None:
    return bool(verdict) if np.isfinite(measured.value) else None
