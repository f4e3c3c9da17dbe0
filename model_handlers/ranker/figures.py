"""The predictor's figures on their way to TorchServe's metrics: each is a line that Java reads.

A line costs about as much as reading a request does. So every reply is one line, which counts and
times it; and the stages, which an answer carries to whoever asked anyway, are told of a sample.
"""

import logging
from typing import Any, Final

from shortlist.serving.predictor import Reply

STAGE: Final = "shortlist_predictor_stage_seconds"
TOTAL: Final = "shortlist_predictor_seconds"
SAMPLED: Final = 16
"""Of so many answers, one tells its stages."""


class Figures:
    """Counts replies; the names are those of metrics.yaml."""

    def __init__(self, context: Any) -> None:
        """Find the metrics in the context of a worker."""
        from ts.metrics.metric_type_enum import MetricTypes  # noqa: PLC0415  inside TorchServe only

        found = context.metrics.get_metric
        self._stage = found(STAGE, MetricTypes.HISTOGRAM)
        self._total = found(TOTAL, MetricTypes.HISTOGRAM)
        self._answered = 0

    def add(self, reply: Reply) -> None:
        """Count one reply."""
        self._total.add_or_update(reply.total_milliseconds / 1e3, [reply.kind])
        if not reply.milliseconds:
            return
        if self._answered % SAMPLED == 0:
            for stage, took in reply.milliseconds.items():
                self._stage.add_or_update(took / 1e3, [stage])
        self._answered += 1


def hush() -> None:
    """Let a request cause no line of text beyond its metrics: Java reads and parses every line."""
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("shortlist").setLevel(logging.INFO)
    metrics = logging.getLogger("ts.metrics.caching_metric")
    metrics.setLevel(logging.INFO)
    metrics.addFilter(lambda record: "PredictionTime" not in str(record.msg))
