"""How much two distributions overlap, on the axis as drawn."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.evaluation.report.exhibits.marginals import marginals, overlap
from shortlist.evaluation.scorecard import Curve, Marginal, Scorecard

Make = Callable[..., Scorecard]


def curve(x: list[float], y: list[float], label: str = "a") -> Curve:
    return Curve(label=label, x=x, y=y)


def test_curves_far_apart_do_not_overlap() -> None:
    assert overlap(curve([0, 1], [1, 1]), curve([5, 6], [1, 1]), log_scale=False) == 0


def test_two_blocks_that_share_half_their_width_overlap_by_half() -> None:
    first, second = curve([0.5, 1.5], [1, 1]), curve([1.5, 2.5], [3, 3])
    assert overlap(first, second, log_scale=False) == pytest.approx(1 / 2)


def test_a_log_axis_measures_in_powers() -> None:
    first, second = curve([1, 10, 100], [1, 1, 1]), curve([10, 100, 1000], [1, 1, 1])
    assert overlap(first, second, log_scale=True) == pytest.approx(2 / 3)


def test_an_empty_curve_has_no_overlap() -> None:
    assert math.isnan(overlap(curve([], []), curve([0, 1], [1, 1]), log_scale=False))
    assert math.isnan(overlap(curve([0, -1], [1, 1]), curve([1, 2], [1, 1]), log_scale=True))


heights = st.lists(st.floats(0.01, 10), min_size=3, max_size=12)


@given(heights, heights, st.floats(0.1, 10))
def test_overlap_is_a_share_symmetric_and_blind_to_the_height_of_a_curve(
    first: list[float], second: list[float], factor: float
) -> None:
    a, b = (curve([float(i) for i in range(len(y))], y) for y in (first, second))
    share = overlap(a, b, log_scale=False)
    assert -1e-9 <= share <= 1 + 1e-9
    assert share == pytest.approx(overlap(b, a, log_scale=False))
    scaled = curve(b.x, [factor * y for y in b.y])
    assert share == pytest.approx(overlap(a, scaled, log_scale=False), abs=1e-6)


def test_the_finding_names_the_quantity_that_differs_most(small_card: Make) -> None:
    same = [curve([0, 1, 2], [1, 2, 1]), curve([0, 1, 2], [1, 2, 1], "b")]
    apart = [curve([0, 1], [1, 1]), curve([5, 6], [1, 1], "b")]
    card = small_card(
        marginals=[
            Marginal(quantity="first", unit="u", curves=same),
            Marginal(quantity="second", unit="u", curves=apart),
        ]
    )
    exhibit = marginals(card)
    assert exhibit is not None
    assert exhibit.finding.replace("\N{NO-BREAK SPACE}", " ") == (
        "The distributions of a and b overlap by 50 % on average, least in second (0 %)."
    )


def test_quantities_without_two_points_are_left_out(small_card: Make) -> None:
    card = small_card(marginals=[Marginal(quantity="q", unit="u", curves=[curve([1], [1])])])
    assert marginals(card) is None
