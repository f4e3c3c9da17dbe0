"""The gate: whether a candidate may be published, by how much it is ahead, and why not.

Two questions are asked, each of the per-user differences between two rankers in one arena, so that
what users differ in does not blur the answer:

- Is the candidate better than popularity? The 95 % interval of the mean must lie above 0.
- Is it better than what is published? The mean difference itself must lie above 0; an equal is
  refused. Its interval is told and decides nothing: it is wider than most gains, and would keep out
  nearly every ranker that is a little better.

A tolerance softens the second for whoever wants a ranker that was trained anew, and is as good, to
pass: then the mean may be that much below 0. A loss so small can be let through again and again, so
that quality seeps away; the verdict says each time how much was let go.
"""

from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from shortlist.datasets.interactions import Doubles
from shortlist.errors import RefusedError
from shortlist.evaluation.metrics.intervals import paired_difference
from shortlist.evaluation.scorecard import Estimate

UNOPPOSED: Final = "There is no other published bundle to beat."
"""Holds before the candidate is published, and after."""


class Comparison(BaseModel):
    """The candidate against one other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    other: str
    passed: bool
    difference: Estimate | None
    """Mean per-user difference, candidate minus other; None where it cannot be told."""
    reason: str
    """A sentence."""


class Verdict(BaseModel):
    """What the gate says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    passed: bool
    comparisons: list[Comparison]

    @property
    def reasons(self) -> list[str]:
        """Sentences, in reading order."""
        return [comparison.reason for comparison in self.comparisons]


def decide(
    metric: str,
    candidate: Doubles,
    popularity: Doubles,
    published: Doubles | None,
    *,
    tolerance: float = 0.0,
    resamples: int = 1_000,
    seed: int = 0,
    remark: str = "",
) -> Verdict:
    """Judge a candidate by the same figure of the same users under each ranker.

    Args:
        metric: name of the figure; more is better.
        candidate: the figure of each user, float64 [m].
        popularity: the same of popularity, float64 [m]; users with NaN are left out.
        published: the same of what is published, float64 [m]; None where nothing is.
        tolerance: how much of the figure a candidate may lose against what is published; 0 asks
            for a gain.
        resamples: how many times the users are drawn behind each interval.
        seed: of the draws.
        remark: sentences on what is published, said before it is compared; where ``published`` is
            None they say why, and without any there is nothing published.

    Raises:
        ValueError: the figures are not of equally many users.

    >>> mine, popular = np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.4, 0.6])
    >>> decide("ndcg@10", mine, popular, None).reasons[0]
    'The ranker beats popularity by 0.1333 of ndcg@10 (0.1000 to 0.2000, 3 users).'
    >>> decide("ndcg@10", mine, popular, published=mine).passed
    False
    """
    comparisons = [
        _compare(metric, "popularity", candidate, popularity, None, resamples, seed),
        Comparison(other=_PUBLISHED, passed=True, difference=None, reason=remark or UNOPPOSED)
        if published is None
        else _remarked(
            remark, _compare(metric, _PUBLISHED, candidate, published, tolerance, resamples, seed)
        ),
    ]
    return Verdict(
        metric=metric,
        passed=all(comparison.passed for comparison in comparisons),
        comparisons=comparisons,
    )


_PUBLISHED = "the published bundle"


def _remarked(remark: str, comparison: Comparison) -> Comparison:
    reason = f"{remark} {comparison.reason}" if remark else comparison.reason
    return comparison.model_copy(update={"reason": reason})


def _compare(
    metric: str,
    other: str,
    candidate: Doubles,
    theirs: Doubles,
    tolerance: float | None,
    resamples: int,
    seed: int,
) -> Comparison:
    if len(candidate) != len(theirs):
        raise ValueError(f"{len(candidate)} users cannot be paired with {len(theirs)}")
    missing = int((~np.isfinite(candidate) & ~np.isnan(theirs)).sum())
    if missing:
        return Comparison(
            other=other,
            passed=False,
            difference=None,
            reason=f"The ranker's {metric} is no number for {missing:,} of {len(candidate):,} "
            f"users, so it cannot be compared with {other}.",
        )
    try:
        found = paired_difference(candidate, theirs, resamples=resamples, seed=seed)
    except RefusedError as error:
        return Comparison(
            other=other,
            passed=False,
            difference=None,
            reason=f"The ranker cannot be compared with {other}: {error}.",
        )
    passed = found.low > 0 if tolerance is None else found.value > -tolerance
    return Comparison(
        other=other,
        passed=passed,
        difference=found,
        reason=_reason(metric, other, found, tolerance, passed=passed),
    )


def _reason(
    metric: str, other: str, found: Estimate, tolerance: float | None, *, passed: bool
) -> str:
    interval = f"({found.low:.4f} to {found.high:.4f}, {found.n:,} users)"
    if passed and found.value > 0:
        return f"The ranker beats {other} by {_size(found)} of {metric} {interval}."
    if found.value == 0:
        told = f"does not beat {other}: it is equal in {metric} {interval}"
    else:
        side = "behind" if found.value < 0 else "ahead"
        told = f"does not beat {other}: it is {side} by {_size(found)} of {metric} {interval}"
    if passed:
        return f"The ranker {told}, and a loss below the tolerance of {tolerance:g} is let through."
    if tolerance is None:
        return f"The ranker {told}, and the interval of its lead must lie above 0."
    if tolerance == 0:
        remedy = (
            "; the same ranker with another slate passes with a pipeline.gate_tolerance above 0"
        )
        return f"The ranker {told}, and its lead must be above 0{'' if found.value else remedy}."
    return f"The ranker {told}, and its loss must be below the tolerance of {tolerance:g}."


def _size(found: Estimate) -> str:
    """A difference without its sign; one that is not 0 never reads as 0."""
    size = abs(found.value)
    return f"{size:.4f}" if size >= 0.00005 else f"{size:.1g}"
