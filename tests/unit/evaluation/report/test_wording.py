"""Words for metrics: known, with traffic, with a cut-off, and unknown."""

import pytest

from shortlist.evaluation.report import wording


@pytest.mark.parametrize(
    ("name", "base", "label"),
    [
        ("ndcg@10", "ndcg", "NDCG@10"),
        ("expected_gain_ndcg@10", "expected_gain_ndcg", "Expected-gain NDCG@10"),
        ("auc_logged", "auc", "AUC, logged traffic"),
        ("calibration_error_random", "calibration_error", "Calibration error, random traffic"),
        ("recall@50", "recall", "Recall@50"),
        ("mrr", "mrr", "MRR"),
    ],
)
def test_a_metric_is_called_by_its_base_its_traffic_and_its_cutoff(
    name: str, base: str, label: str
) -> None:
    metric = wording.metric(name)
    assert (metric.base, metric.label) == (base, label)


def test_an_unknown_metric_keeps_its_name_and_has_no_better_side() -> None:
    metric = wording.metric("dwell_random@5")
    assert metric.label == "dwell@5, random traffic"
    assert metric.better is None
    assert metric.topic == "other"


def test_known_metrics_are_ordered_before_unknown_ones() -> None:
    names = ["zeal", "distinct_tags@10", "ndcg@10", "expected_gain_ndcg@10"]
    assert sorted(names, key=wording.order) == [
        "expected_gain_ndcg@10",
        "ndcg@10",
        "distinct_tags@10",
        "zeal",
    ]
