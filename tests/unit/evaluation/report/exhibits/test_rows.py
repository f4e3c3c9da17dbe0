"""Rows of figures: both widths show every name and number, and survive odd figures."""

import math

import pytest

from shortlist.evaluation.report.exhibits.canvas import Canvas, Drawing, draw
from shortlist.evaluation.report.exhibits.rows import Line, Row, paint_rows
from shortlist.evaluation.scorecard import Estimate


def drawn(*rows: Row, lines: tuple[Line, ...] = ()) -> Drawing:
    def paint(canvas: Canvas) -> None:
        paint_rows(canvas, rows, "figure (unit)", lines=lines)

    return draw("rows", paint)


def estimate(value: float, half: float = 0.02) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=1)


def test_both_widths_show_names_numbers_and_the_axis() -> None:
    drawing = drawn(Row("first", estimate(0.5)), Row("second", estimate(0.7)))
    for svg in (drawing.wide, drawing.narrow):
        assert ">first<" in svg
        assert ">0.500  [0.480, 0.520]<" in svg
        assert ">figure (unit)<" in svg


def test_a_long_name_on_a_phone_takes_the_room_of_the_interval() -> None:
    drawing = drawn(Row("informed-observer less lightgbm", estimate(0.5)))
    assert ">informed-observer less lightgbm<" in drawing.narrow
    assert ">0.500<" in drawing.narrow
    assert ">0.500  [0.480, 0.520]<" in drawing.wide


def test_names_of_lines_that_would_collide_are_not_written_over_each_other() -> None:
    row = Row("a", estimate(0.5))
    apart = drawn(row, lines=(Line(0.1, "random"), Line(0.9, "oracle")))
    close = drawn(row, lines=(Line(0.500, "random"), Line(0.501, "oracle")))
    assert ">oracle<" in apart.wide
    assert ">random<" in close.wide
    assert ">oracle<" not in close.wide


@pytest.mark.parametrize(
    "odd",
    [
        Estimate(value=math.nan, low=math.nan, high=math.nan, n=0),
        Estimate(value=0.5, low=-math.inf, high=math.inf, n=1),
        Estimate(value=0.0, low=0.0, high=0.0, n=1),
        Estimate(value=1e12, low=1e12, high=1e12, n=1),
    ],
)
def test_odd_figures_are_drawn_as_far_as_they_can_be(odd: Estimate) -> None:
    drawing = drawn(Row("odd", odd), lines=(Line(math.nan, "random"),))
    assert ">odd<" in drawing.wide
    assert "nan" not in drawing.wide.lower()
    assert ">random<" not in drawing.wide
