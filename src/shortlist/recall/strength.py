"""How strongly an event says that its video was wanted: the same in training and at a request."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from shortlist.datasets.events import Kind, Kinds
from shortlist.datasets.interactions import Target
from shortlist.datasets.signals import Weights

STRENGTH: Final[Mapping[Target, Mapping[Kind, float]]] = MappingProxyType(
    {
        "click": {Kind.CLICK: 1.0, Kind.LONG_VIEW: 1.5, Kind.LIKE: 2.0},
        "long_view": {Kind.LONG_VIEW: 1.0, Kind.LIKE: 1.5},
    }
)
"""Strength of the kinds that are positives of a target; all other kinds have none."""

_TABLES: Final = {
    target: np.array([strength.get(kind, 0.0) for kind in Kind])
    for target, strength in STRENGTH.items()
}


def strengths(kind: Kinds, target: Target) -> Weights:
    """Strength of each event, 0 where it is no positive, float64 [n].

    >>> strengths(np.array([Kind.SKIP, Kind.CLICK, Kind.LIKE], np.int8), "click")
    array([0., 1., 2.])
    """
    return _TABLES[target][kind]
