"""Forest plots say what the leader's comparisons say."""

import re
from collections.abc import Callable

from shortlist.evaluation.report.exhibits.differences import forests
from shortlist.evaluation.scorecard import Scorecard

Make = Callable[..., Scorecard]


def test_the_leader_is_ahead_of_some_and_level_with_others(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.3, "b": 0.29, "c": 0.2}},
        differences=[
            ("ndcg@10", "a", "b", 0.01, -0.01, 0.03),
            ("ndcg@10", "c", "a", -0.1, -0.12, -0.08),
        ],
    )
    [exhibit] = forests(card)
    assert exhibit.finding == (
        "In NDCG@10, a is ahead of c beyond chance; its lead over b may be chance."
    )


def test_comparisons_without_the_leader_are_counted(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.3, "b": 0.2, "c": 0.1}},
        differences=[("ndcg@10", "b", "c", 0.1, 0.05, 0.15)],
    )
    [exhibit] = forests(card)
    assert exhibit.finding == "1 of 1 comparison in NDCG@10 is beyond chance."


def test_each_metric_has_a_plot_of_its_own_in_percentage_points_where_it_is_a_share(
    small_card: Make,
) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.3}},
        differences=[
            ("ndcg@10", "a", "b", 0.1, 0.05, 0.15),
            ("hit_rate@10", "a", "b", 0.1, 0.05, 0.15),
        ],
    )
    first, second = forests(card)
    assert first.key != second.key
    assert second.drawing is not None
    assert ">Difference in Hit rate@10 (percentage points)<" in second.drawing.wide
    assert ">10  [5, 15]<" in second.drawing.wide


def test_rows_are_drawn_from_the_largest_to_the_smallest(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.3}},
        differences=[
            ("ndcg@10", "a", "b", -0.1, -0.15, -0.05),
            ("ndcg@10", "c", "d", 0.2, 0.15, 0.25),
        ],
    )
    [exhibit] = forests(card)
    assert exhibit.drawing is not None
    assert re.findall(r">(\w \N{MINUS SIGN} \w)<", exhibit.drawing.wide) == [
        "c \N{MINUS SIGN} d",
        "a \N{MINUS SIGN} b",
    ]
