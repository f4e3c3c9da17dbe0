"""Ticks are round, inside the axis, and written without powers."""

import matplotlib.axis
import pytest
from matplotlib.figure import Figure

from shortlist.evaluation.report.exhibits.scales import log_ticks, ticks


def axis() -> matplotlib.axis.Axis:
    return Figure().add_subplot().xaxis


def labels(of: matplotlib.axis.Axis) -> list[str]:
    return list(of.get_major_formatter().seq)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.01, 0.031, ["\N{MINUS SIGN}0.01", "0.00", "0.01", "0.02", "0.03"]),
        (3.0, 52_000.0, ["20,000", "40,000"]),
    ],
)
def test_linear_ticks_have_the_decimals_of_their_step(
    low: float, high: float, expected: list[str]
) -> None:
    here = axis()
    ticks(here, low, high, 5)
    assert labels(here) == expected


def test_a_log_axis_is_labelled_with_the_quantity_itself() -> None:
    here = axis()
    log_ticks(here, -1.0, 4.2, 6)
    assert labels(here) == ["0.1", "1", "10", "100", "1,000", "10k"]
    assert list(here.get_major_locator()()) == [-1, 0, 1, 2, 3, 4]


def test_a_short_log_axis_shows_values_between_powers() -> None:
    here = axis()
    log_ticks(here, 0.0, 1.1, 6)
    assert labels(here) == ["1", "2", "5", "10"]
