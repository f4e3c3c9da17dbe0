"""From what models did to figures of each user, and to figures with intervals."""

from dataclasses import dataclass

from shortlist.evaluation.against_truth import TruthOfLists, policy_values, truth_of_lists
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.descriptions import ORACLE
from shortlist.evaluation.logged import Lists, Traffic, judge_lists, odds, traffics
from shortlist.evaluation.metrics.discrimination import (
    auc,
    calibration,
    calibration_error,
    log_loss,
)
from shortlist.evaluation.metrics.intervals import exact, known_intervals, mean_intervals
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.policies import estimate_policy
from shortlist.evaluation.scorecard import Curve, Estimate
from shortlist.evaluation.tally import PerUser, Tally
from shortlist.evaluation.turns import Turn
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.world.truth import Truth

_LABELS = {"logged": "logged traffic", "random": "random traffic"}
_ODDS_RESAMPLES = 200


@dataclass(frozen=True)
class Figures:
    """Of one model.

    Attributes:
        logged, truth: estimates by metric.
        off_policy: estimates, or a sentence where there is no verdict.
        calibration: predicted against observed rates, by kind of traffic.
    """

    logged: dict[str, Estimate]
    truth: dict[str, Estimate]
    off_policy: dict[str, Estimate | str]
    calibration: list[Curve]


def estimate_all(
    turns: list[Turn], arena: Arena, truth: Truth | None, settings: EvaluationSettings, seed: int
) -> tuple[dict[str, Figures], Tally]:
    """Every figure of every model, as a mean with its interval and user by user.

    Raises:
        RefusedError: fewer than two users have a figure that models are judged by.
    """
    k, resamples = settings.k, settings.bootstrap
    by_name = {turn.name: turn.performance for turn in turns}
    lists = {name: judge_lists(arena, done, k) for name, done in by_name.items()}
    users = {name: per_user(found, k) for name, found in lists.items()}
    true: dict[str, PerUser] = {name: {} for name in by_name}
    if truth is not None:
        oracle = by_name[ORACLE]
        for name, done in by_name.items():
            true[name] = true_per_user(truth_of_lists(truth, arena, done, oracle, k), k)
    share = settings.policy_share
    values = {} if truth is None else policy_values(truth, arena, by_name, share)
    kinds = traffics(arena)
    # Where the truth judges, the days of the log may have nearly nobody: viewers of a new service.
    means = mean_intervals if truth is None else known_intervals
    figures = {}
    for name, done in by_name.items():
        logged = means(users[name], resamples=resamples, seed=seed)
        logged[f"coverage@{k}"] = exact(lists[name].coverage, len(lists[name].users))
        curves = []
        for traffic in kinds:
            logged |= _odds(done, traffic, arena, seed)
            if len(done.row_predictions):
                curves.append(_curve(done, traffic, arena))
        against = mean_intervals(true[name], resamples=resamples, seed=seed)
        off_policy = estimate_policy(arena, done)
        if name in values:
            slots = {"policy_value": values[name]}
            against |= known_intervals(slots, resamples=resamples, seed=seed)
        figures[name] = Figures(logged, against, off_policy, curves)
    return figures, Tally(users, true)


def per_user(lists: Lists, k: int) -> PerUser:
    """Per-user figures against the log, by metric."""
    return {
        f"ndcg@{k}": lists.ndcg,
        f"hit_rate@{k}": lists.hit_rate,
        f"recall@{k}": lists.recall,
        f"mrr@{k}": lists.mrr,
        f"content_distance@{k}": lists.content_distance,
        f"distinct_tags@{k}": lists.distinct_tags,
        f"popularity_share@{k}": lists.popularity_share,
    }


def true_per_user(found: TruthOfLists, k: int) -> PerUser:
    """Per-user figures against the truth, by metric; recall only where it tells models apart."""
    figures = {f"expected_gain_ndcg@{k}": found.ndcg, f"page_value@{k}": found.page_value}
    if found.oracle_recall is not None:
        figures["oracle_recall@1000"] = found.oracle_recall
    return figures


def _odds(
    performance: Performance, traffic: Traffic, arena: Arena, seed: int
) -> dict[str, Estimate]:
    said, positive = odds(performance, traffic), traffic.positive
    users = arena.test.user[traffic.rows]
    again = {"resamples": _ODDS_RESAMPLES, "seed": seed}
    figures = {f"auc_{traffic.name}": auc(positive, said, users, **again)}
    if len(performance.row_predictions):
        figures |= {
            f"log_loss_{traffic.name}": log_loss(positive, said, users, **again),
            f"calibration_error_{traffic.name}": calibration_error(positive, said, users, **again),
        }
    return figures


def _curve(performance: Performance, traffic: Traffic, arena: Arena) -> Curve:
    users = arena.test.user[traffic.rows]
    said = odds(performance, traffic)
    return calibration(traffic.positive, said, users, _LABELS[traffic.name])
