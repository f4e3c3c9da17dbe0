"""Which metric leads, which model is best, and who ties."""

import math
from collections.abc import Callable

import pytest

from shortlist.evaluation.report import selection
from shortlist.evaluation.scorecard import Scorecard

Make = Callable[..., Scorecard]


def test_the_headline_is_the_truth_where_there_is_one(
    world_card: Scorecard, log_card: Scorecard
) -> None:
    for card, name in ((world_card, "expected_gain_ndcg@10"), (log_card, "ndcg@10")):
        column = selection.headline(card)
        assert column is not None
        assert column.metric.name == name


def test_a_truth_of_unknown_figures_is_no_headline(small_card: Make) -> None:
    card = small_card(
        logged={"ndcg@10": {"a": 0.1}}, truth={"expected_gain_ndcg@10": {"a": math.nan}}
    )
    column = selection.headline(card)
    assert column is not None
    assert column.group == "logged"


def test_cutoff_ten_goes_before_others(small_card: Make) -> None:
    column = selection.find(small_card({"ndcg@5": {"a": 0.2}, "ndcg@10": {"a": 0.1}}), "ndcg")
    assert column is not None
    assert column.metric.name == "ndcg@10"


def test_random_lists_and_the_ceilings_are_never_the_best(small_card: Make) -> None:
    card = small_card({"ndcg@10": {"random": 0.9, "observer": 0.8, "oracle": 1.0, "a": 0.1}})
    assert selection.best(card, selection.headline(card)) == "a"


@pytest.mark.parametrize(
    ("metric", "leader"),
    [("auc_logged", "b"), ("log_loss_logged", "a"), ("popularity_share", None)],
)
def test_the_best_is_the_largest_the_smallest_or_nobody(
    small_card: Make, metric: str, leader: str | None
) -> None:
    card = small_card({metric: {"a": 0.1, "b": 0.2, "c": math.nan}})
    column = selection.find(card, selection.columns(card, "logged")[0].metric.base)
    assert selection.best(card, column) == leader


def test_models_without_a_figure_come_last(small_card: Make) -> None:
    card = small_card({"ndcg@10": {"a": math.nan, "b": 0.1, "c": 0.3}, "mrr": {"d": 0.1}})
    ranked = selection.ranked(card.models, selection.headline(card))
    assert [model.name for model in ranked] == ["c", "b", "a", "d"]


def test_a_tie_is_a_paired_difference_whose_interval_holds_zero(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.3, "b": 0.29, "c": 0.2, "oracle": 0.9}},
        differences=[
            ("ndcg@10", "a", "b", 0.01, -0.01, 0.03),
            ("ndcg@10", "c", "a", -0.1, -0.12, -0.08),
            ("mrr", "a", "c", 0.0, -0.1, 0.1),
            ("ndcg@10", "oracle", "a", 0.0, -0.1, 0.1),
        ],
    )
    column = selection.headline(card)
    assert column is not None
    assert selection.tied(card, column, "a") == ["b"]


def test_the_way_to_the_oracle_is_unknown_without_both_ends() -> None:
    assert selection.lift(0.5, 0.2, 0.8) == pytest.approx(0.5)
    assert math.isnan(selection.lift(0.5, math.nan, 0.8))
    assert math.isnan(selection.lift(0.5, 0.8, 0.8))
