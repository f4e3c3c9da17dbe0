"""What another policy would have earned, read from the log of the policy that ran."""

from shortlist.evaluation.off_policy.estimators import (
    MINIMUM_SHARE,
    doubly_robust,
    ips,
    snips,
)
from shortlist.evaluation.off_policy.log import PolicyLog, effective_share

__all__ = [
    "MINIMUM_SHARE",
    "PolicyLog",
    "doubly_robust",
    "effective_share",
    "ips",
    "snips",
]
