"""The predictor's figures on their way to TorchServe's metrics: each is a line that Java reads."""

import logging
from typing import Any

from shortlist.serving.predictor import Reply

STAGE = "shortlist_predictor_stage_seconds"
TOTAL = "shortlist_predictor_seconds"
ANSWERS = "shortlist_predictor_answers_total"


class Figures:
    """Counts replies; the names are those of metrics.yaml."""

    def __init__(self, context: Any) -> None:
        """Find the metrics in the context of a worker."""
        from ts.metrics.metric_type_enum import MetricTypes  # noqa: PLC0415  inside TorchServe only

        found = context.metrics.get_metric
        self._stage = found(STAGE, MetricTypes.HISTOGRAM)
        self._total = found(TOTAL, MetricTypes.HISTOGRAM)
        self._answers = found(ANSWERS, MetricTypes.COUNTER)

    def add(self, reply: Reply) -> None:
        """Count one reply."""
        self._answers.add_or_update(1, [reply.kind])
        self._total.add_or_update(reply.total_milliseconds / 1e3, [reply.kind])
        for stage, took in reply.milliseconds.items():
            self._stage.add_or_update(took / 1e3, [stage])


def hush() -> None:
    """Let a request cause no line of text beyond its metrics: Java reads and parses every line."""
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("shortlist").setLevel(logging.INFO)
    metrics = logging.getLogger("ts.metrics.caching_metric")
    metrics.setLevel(logging.INFO)
    metrics.addFilter(lambda record: "PredictionTime" not in str(record.msg))
