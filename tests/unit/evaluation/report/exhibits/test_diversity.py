"""Accuracy against diversity is told of the most accurate model, beside random lists."""

import math
from collections.abc import Callable

from shortlist.evaluation.report.exhibits.diversity import diversity
from shortlist.evaluation.scorecard import Scorecard

Make = Callable[..., Scorecard]


def test_the_most_accurate_model_is_compared_with_random_lists(small_card: Make) -> None:
    exhibit = diversity(
        small_card(
            {
                "ndcg@10": {"random": 0.01, "a": 0.3, "b": 0.2},
                "distinct_tags@10": {"random": 9.0, "a": 5.0, "b": 7.0},
                "content_distance@10": {"random": 0.9, "a": 0.6, "b": 0.7},
            }
        )
    )
    assert exhibit is not None
    assert exhibit.finding == (
        "a, the most accurate, has 5.00 distinct tags a list (random lists 9.00) and a content "
        "distance of 0.60 (random lists 0.90)."
    )


def test_a_model_without_a_figure_is_left_out(small_card: Make) -> None:
    exhibit = diversity(
        small_card(
            {
                "ndcg@10": {"seen": 0.3, "unseen": 0.2},
                "distinct_tags@10": {"seen": 5.0, "unseen": math.nan},
            }
        )
    )
    assert exhibit is not None
    assert exhibit.drawing is not None
    assert ">seen<" in exhibit.drawing.wide
    assert ">unseen<" not in exhibit.drawing.wide


def test_without_diversity_there_is_no_plot(small_card: Make) -> None:
    assert diversity(small_card({"ndcg@10": {"a": 0.3}})) is None
