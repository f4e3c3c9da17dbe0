"""One request for a page: who asks, what they did, what they must not be shown, in what context."""

from dataclasses import dataclass, field

import numpy as np

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Floats, Ints
from shortlist.datasets.schema import CONTEXT_FEATURES, CONTEXT_WIDTH
from shortlist.errors import InputError
from shortlist.spelling import nearest


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks.

    Attributes:
        history: all that the user did, the oldest first.
        declared: what the user said, as `shortlist.datasets.declared.declared_row` gives it,
            float32 [p]; its first columns are interests.
        excluded: rows of videos that must not come back, int64, ascending and distinct.
        context: float32 [32].
        session: rows of the videos of the session so far, oldest first, int64 [s].
    """

    history: Events
    declared: Floats
    excluded: Ints
    context: Floats
    session: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


def context_of(text: str) -> Floats:
    """A context by the names of its features, float32 [32]; what is not named is 0.

    Args:
        text: names with commas between, each alone (1) or with a value: ``wifi,session_depth=0.3``.

    Raises:
        InputError: a feature does not exist, or a value is no finite number.

    >>> context = context_of("evening, wifi,session_depth=0.5")
    >>> [name for name, value in zip(CONTEXT_FEATURES, context) if value]
    ['evening', 'wifi', 'session_depth']
    """
    context = np.zeros(CONTEXT_WIDTH, np.float32)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        name = name.strip()
        if name not in CONTEXT_FEATURES:
            raise InputError(
                f"no context feature is called {name!r}{nearest(name, CONTEXT_FEATURES)}"
            )
        try:
            number = float(value) if value else 1.0
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            raise InputError(f"context feature {name} cannot be {value!r}; write a number")
        context[CONTEXT_FEATURES.index(name)] = number
    return context


def named(context: Floats) -> dict[str, float]:
    """The features of a context that are not 0, by name."""
    return {
        name: float(value) for name, value in zip(CONTEXT_FEATURES, context, strict=True) if value
    }
