r"""Three estimates of a target policy's value, each with an interval that keeps its promise.

An interval of plus and minus two standard errors fails where weights are skewed: what is rare in
the log but common under the target is mostly not seen at all, and while it is not seen the
error looks small. Two things are known that mend this. Rewards lie between 0 and 1, and weights
have expectation 1. So with :math:`V = E[wr] = 1 - E[w(1 - r)]` both ends of an interval are lower
bounds for means of non-negative figures, which rows that were never seen can only raise. The
interval spans those two bounds (after Thomas et al., AAAI 2015, who bound the mean from below) and
the estimator's own interval of Korn and Graubard, which keeps its promise for rare rewards.
"""

import numpy as np

from shortlist.datasets.interactions import Doubles
from shortlist.errors import InputError, RefusedError
from shortlist.evaluation.metrics.proportions import clustered_ratio, korn_graubard, reach
from shortlist.evaluation.off_policy.log import PolicyLog, effective_rows, effective_share
from shortlist.evaluation.scorecard import Estimate

MINIMUM_SHARE = 0.01
"""Effective share of the rows below which no verdict is given."""

_IMPOSSIBLE = 5.0
"""Standard errors above 1 at which a mean weight shows that the propensities are wrong."""

Range = tuple[float, float]
_ANY: Range = (0.0, 1.0)


def ips(log: PolicyLog, clip: float | None = None, unseen: Range = _ANY) -> Estimate:
    r"""Inverse propensity score of Horvitz and Thompson (JASA 1952).

    .. math:: \frac{1}{n} \sum_i \min(w_i, c) r_i

    Unbiased without clipping, but noisy: it may exceed 1, as its weights do not add up to n. With
    clipping (Ionides 2008) it is biased downwards and less noisy, and the interval still covers the
    value itself, because what is cut off may only have earned 0 to 1.

    Args:
        log: the logged rows.
        clip: largest weight that is believed; none if left out.
        unseen: between which values the mean reward of what the log hardly shows must lie. The
            default assumes nothing; a narrower range that is known to hold narrows the interval.

    Returns:
        The value per row with its 95 % interval; ``n`` is the number of clusters.

    Raises:
        RefusedError: the effective share is below ``MINIMUM_SHARE``, there are fewer than two
            clusters, or the weights show that the propensities are not those of the log.
        InputError: ``clip`` is not positive, or ``unseen`` not an ordered part of 0 to 1.

    Two of four rows are what the target would do, each with weight 2, and one earned 1:

    >>> row = np.arange(4)
    >>> log = PolicyLog(row == 0.0, np.full(4, 0.5), (row < 2).astype(float), row)
    >>> ips(log).value
    0.5
    """
    if clip is not None and not clip > 0:
        raise InputError(f"clip: {clip} is not positive; give the largest weight to believe")
    _check(log, unseen)
    weight = log.weight if clip is None else np.minimum(log.weight, clip)
    mean = clustered_ratio(log.sums(weight * log.reward), log.sizes)
    return _estimate(log, mean, weight, unseen)


def snips(log: PolicyLog, unseen: Range = _ANY) -> Estimate:
    r"""Self-normalised inverse propensity score of Swaminathan and Joachims (NIPS 2015).

    .. math:: \sum_i w_i r_i \big/ \sum_i w_i

    Never outside 0 to 1, and steadier than ``ips`` for a bias of order 1/n. Args, result and
    errors as for ``ips``.

    >>> row = np.arange(4)
    >>> log = PolicyLog(row == 0.0, np.full(4, 0.5), (row < 2).astype(float), row)
    >>> snips(log).value
    0.5
    """
    _check(log, unseen)
    mean = clustered_ratio(log.sums(log.weight * log.reward), log.sums(log.weight))
    return _estimate(log, mean, log.weight, unseen)


def doubly_robust(
    log: PolicyLog, q_logged: Doubles, q_target: Doubles, unseen: Range = _ANY
) -> Estimate:
    r"""Doubly robust estimate of Dudik, Langford and Li (ICML 2011).

    .. math:: \frac{1}{n} \sum_i \hat{q}_i(\pi) + w_i (r_i - \hat{q}_i)

    Right on average if the propensities are, or else if the model of rewards is. The model must not
    have been fitted to these rows. It makes the estimate steadier; the interval narrows by little,
    since the interval takes no model's word for what the log does not show.

    Args:
        log: the logged rows.
        q_logged: the model's reward of the logged action, [n].
        q_target: the model's expected reward under the target policy in the row's context, [n].
        unseen: as for ``ips``.

    Result and errors as for ``ips``; also InputError where the model's columns do not fit.

    >>> row = np.arange(4)
    >>> log = PolicyLog(row == 0.0, np.full(4, 0.5), (row < 2).astype(float), row)
    >>> doubly_robust(log, np.full(4, 0.5), np.full(4, 0.5)).value
    0.5
    """
    for name, column in (("q_logged", q_logged), ("q_target", q_target)):
        if len(column) != len(log) or not np.isfinite(column).all():
            raise InputError(
                f"{name}: {len(column)} values for {len(log)} rows, or some are not finite; give "
                "the model's reward for every row"
            )
    _check(log, unseen)
    score = q_target + log.weight * (log.reward - q_logged)
    mean = clustered_ratio(log.sums(score), log.sizes)
    return _estimate(log, mean, log.weight, unseen)


def _check(log: PolicyLog, unseen: Range) -> None:
    if not 0 <= unseen[0] <= unseen[1] <= 1:
        raise InputError(f"unseen: {unseen} is not a range within 0 to 1, lower end first")
    share = effective_share(log)
    if share < MINIMUM_SHARE:
        raise RefusedError(
            f"the log says too little of this policy: its {len(log):,} rows tell as much as "
            f"{effective_rows(log.weight):,.0f} ({share:.2%}, and a verdict needs "
            f"{MINIMUM_SHARE:.0%}); log more random traffic, or ask of a policy nearer to the "
            "logged one"
        )
    if log.clusters < 2:
        raise RefusedError(
            f"all {len(log):,} rows are of one cluster and an interval needs two; log more users"
        )
    mean, error = clustered_ratio(log.sums(log.weight), log.sizes)
    if mean - 1 > _IMPOSSIBLE * max(error, log.clusters**-0.5):
        raise RefusedError(
            f"the weights average {mean:.2f} where they must average 1, so the propensities are "
            "not those of this log; record the probability of the whole logging mixture"
        )


def _estimate(
    log: PolicyLog, mean: tuple[float, float], weight: Doubles, unseen: Range
) -> Estimate:
    """Span the interval of a mean with its standard error and the bounds that are sure."""
    own = korn_graubard(*mean, effective_rows(weight), log.clusters)
    sure = _sure_bounds(log, weight, unseen)
    return Estimate(
        value=mean[0],
        low=min(mean[0], own[0], sure[0]),
        high=max(mean[0], own[1], sure[1]),
        n=log.clusters,
    )


def _sure_bounds(log: PolicyLog, weight: Doubles, unseen: Range) -> Range:
    """Bounds that rows which were never seen cannot break; cut-off weights count as never seen."""
    least, most = unseen
    far = reach(log.clusters)
    gain, gain_error = clustered_ratio(log.sums(weight * (log.reward - least)), log.sizes)
    loss, loss_error = clustered_ratio(log.sums(weight * (most - log.reward)), log.sizes)
    low, high = least + gain - far * gain_error, most - loss + far * loss_error
    return max(0.0, low), min(1.0, high)
