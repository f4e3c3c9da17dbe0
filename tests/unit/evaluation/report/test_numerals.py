"""Digits follow the interval; unknown is a dash; nothing breaks on any float."""

import math

from hypothesis import given
from hypothesis import strategies as st

from shortlist.evaluation.report import numerals
from shortlist.evaluation.scorecard import Estimate


def estimate(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=1)


def test_a_half_width_that_begins_with_1_to_3_gets_two_digits_and_others_one() -> None:
    assert numerals.decimals_for([estimate(0.5, 0.012)]) == 3
    assert numerals.decimals_for([estimate(0.5, 0.061)]) == 2
    assert numerals.decimals_for([estimate(40, 12)]) == 0


def test_a_percentage_loses_two_decimals() -> None:
    assert numerals.decimals_for([estimate(0.5, 0.0012)], factor=100.0) == 2


def test_prose_spares_the_second_digit() -> None:
    assert numerals.decimals_for([estimate(0.5, 0.012)], spare=0) == 2


def test_the_median_interval_decides_and_unknown_figures_have_no_say() -> None:
    narrow, usual = estimate(1.0, 0.0), estimate(0.5, 0.061)
    unknown = Estimate(value=math.nan, low=math.nan, high=math.nan, n=0)
    assert numerals.decimals_for([narrow, usual, unknown]) == 2


def test_without_intervals_three_digits_are_shown() -> None:
    assert numerals.decimals_for([estimate(0.0412, 0.0)]) == 4
    assert numerals.decimals_for([]) == 0


def test_an_unknown_figure_is_a_dash_everywhere() -> None:
    nan = math.nan
    shown = [
        numerals.number(nan, 2),
        numerals.significant(nan),
        numerals.duration(nan),
        numerals.memory(nan),
    ]
    assert shown == [numerals.DASH] * 4
    assert numerals.interval(Estimate(value=1, low=nan, high=2, n=1), 2) == ""


def test_a_minute_is_never_written_as_sixty_seconds() -> None:
    assert numerals.duration(59.96) == "1 min 00 s"
    assert numerals.duration(3599.7) == "1 h 00 min"


def test_negative_figures_carry_a_true_minus_sign() -> None:
    assert numerals.number(-0.25, 2) == "\N{MINUS SIGN}0.25"


@given(st.floats(), st.integers(0, 6))
def test_any_float_is_written_without_nan_inf_or_a_negative_zero(value: float, places: int) -> None:
    for text in (numerals.number(value, places), numerals.significant(value)):
        assert text
        assert "nan" not in text
        assert "inf" not in text
        assert text.strip("\N{MINUS SIGN}0.,") or not text.startswith("\N{MINUS SIGN}")


@given(st.text(), st.integers(1, 40))
def test_shortened_text_is_no_longer_than_asked_and_keeps_short_text(text: str, most: int) -> None:
    short = numerals.shortened(text, most)
    assert len(short) <= most
    assert short == text or len(text) > most
