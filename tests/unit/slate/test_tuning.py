"""The least trade-off is found that gains what is wanted, whatever the curve looks like."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.slate.tuning import MOST, STEPS, least

Curve = Callable[[float], float]
PLACES = round(MOST * STEPS)
SEEDS = st.integers(0, 10_000)


def curve_of(values: np.ndarray) -> Curve:
    return lambda trade_off: float(values[round(trade_off * STEPS)])


def rising(seed: int) -> np.ndarray:
    """A curve with flat stretches, as that of a few pages is."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.random(PLACES + 1) * (rng.random(PLACES + 1) < 0.1)) / 30


@given(seed=SEEDS, aim=st.floats(-0.5, 3))
def test_of_a_rising_curve_it_is_the_very_least(seed: int, aim: float) -> None:
    values = rising(seed)
    found = least(curve_of(values), aim)
    enough = np.flatnonzero(values >= min(aim, values[-1]))
    assert (found.trade_off, found.gain) == (enough[0] / STEPS, values[enough[0]])


@given(seed=SEEDS, aim=st.floats(-0.5, 1.5))
def test_of_any_curve_it_gains_enough_and_its_neighbour_below_does_not(
    seed: int, aim: float
) -> None:
    values = np.random.default_rng(seed).random(PLACES + 1)
    found = least(curve_of(values), aim)
    wanted = min(aim, values[-1])
    assert found.gain == values[round(found.trade_off * STEPS)] >= wanted
    if found.trade_off > 0:
        assert values[round(found.trade_off * STEPS) - 1] < wanted


def test_it_asks_a_dozen_times_and_no_more() -> None:
    asked: list[float] = []

    def gain(trade_off: float) -> float:
        asked.append(trade_off)
        return trade_off

    assert least(gain, 0.4375).trade_off == 0.438
    assert len(asked) <= 12
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("curve", "aim", "expected"),
    [
        pytest.param(lambda t: 0.0, 0.4, (0.0, 0.0), id="nothing gains anything"),
        pytest.param(lambda t: t, 0.0, (0.0, 0.0), id="nothing is wanted"),
        pytest.param(lambda t: 0.5, 0.4, (0.0, 0.5), id="the rules alone are enough"),
        pytest.param(lambda t: min(t, 0.25), 0.4, (0.25, 0.25), id="out of reach"),
        pytest.param(lambda t: t, 2.0, (MOST, MOST), id="out of reach to the end"),
        pytest.param(lambda t: -t, 0.4, (0.0, 0.0), id="novelty makes it worse"),
    ],
)
def test_where_there_is_nothing_to_search(
    curve: Curve, aim: float, expected: tuple[float, float]
) -> None:
    assert least(curve, aim) == expected
