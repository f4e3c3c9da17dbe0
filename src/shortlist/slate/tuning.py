"""The search for a trade-off: the least that makes pages as varied as is wanted.

What a trade-off gains belongs to a ranker: how varied its best videos are already, and how far
apart it holds them. What is enough for one is too little for the next, and costs a third one clicks
(`docs/decisions/0009-the-slates-kernel.md`). How varied pages are can be counted without knowing
what they are worth, so it is the variety that is set, and the trade-off that is found.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

STEPS: Final = 1_000
"""Trade-offs that are told apart between 0 and 1."""
MOST: Final = 0.8
"""The largest that is tried: novelty then counts four times as much as the odds of a click."""


class Found(NamedTuple):
    """A trade-off, and what it gains."""

    trade_off: float
    gain: float


def least(gain: Callable[[float], float], aim: float) -> Found:
    """Find the least trade-off that gains what is wanted, by bisection.

    Where even `MOST` gains less, the aim is what that gains: there is no point in paying for more
    than the least that gives it. So where nothing gains anything, as in a catalogue without tags,
    0 is found.

    Args:
        gain: what a trade-off gains; taken to rise with it. Where it does not, what is found gains
            enough all the same, and its neighbour below does not.
        aim: the gain that is wanted.

    Returns:
        A multiple of 1 / `STEPS`, and its gain.

    >>> least(lambda trade_off: trade_off**2, 0.25)
    Found(trade_off=0.5, gain=0.25)
    """
    first, last = Found(0.0, gain(0.0)), Found(MOST, gain(MOST))
    wanted = min(aim, last.gain)
    if first.gain >= wanted:
        return first
    below, found = 0, round(MOST * STEPS)
    while found - below > 1:
        middle = (below + found) // 2
        tried = Found(middle / STEPS, gain(middle / STEPS))
        if tried.gain >= wanted:
            found, last = middle, tried
        else:
            below = middle
    return last
