"""Calibration is told as the mean distance from the diagonal, by traffic."""

import math
from collections.abc import Callable

import pytest

from shortlist.evaluation.report.exhibits.calibration import calibration, gap
from shortlist.evaluation.scorecard import Curve, Scorecard

Make = Callable[..., Scorecard]


def with_curves(card: Scorecard, **curves: list[Curve]) -> Scorecard:
    models = [
        model.model_copy(update={"calibration": curves.get(model.name, [])})
        for model in card.models
    ]
    return card.model_copy(update={"models": models})


def test_the_gap_leaves_unknown_points_out() -> None:
    curve = Curve(label="", x=[0.1, math.nan, 0.5], y=[0.3, 0.2, 0.5])
    assert gap(curve) == pytest.approx(0.1)
    assert math.isnan(gap(Curve(label="", x=[], y=[])))


def test_the_nearest_and_the_furthest_model_are_named_for_each_traffic(small_card: Make) -> None:
    card = small_card({"auc_logged": {"a": 0.7, "b": 0.7, "oracle": 0.8}})
    card = with_curves(
        card,
        a=[Curve(label="logged traffic", x=[0.2, 0.4], y=[0.21, 0.41])],
        b=[
            Curve(label="logged traffic", x=[0.2, 0.4], y=[0.3, 0.5]),
            Curve(label="random traffic", x=[0.2], y=[0.1]),
        ],
        oracle=[Curve(label="logged traffic", x=[0.2], y=[0.2])],
    )
    exhibit = calibration(card)
    assert exhibit is not None
    assert exhibit.finding == (
        "On logged traffic a is off by 1.0 points on average and b by 10.0; on random traffic b "
        "is off by 10.0 points on average."
    )
    assert [words for _, words in exhibit.legend] == ["logged traffic", "random traffic"]


def test_models_without_points_have_no_panel(small_card: Make) -> None:
    card = small_card({"auc_logged": {"a": 0.7, "b": 0.7}})
    assert calibration(card) is None
    assert calibration(with_curves(card, a=[Curve(label="x", x=[math.nan], y=[0.1])])) is None
