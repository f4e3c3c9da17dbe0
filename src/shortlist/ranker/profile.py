"""A user's profile: what he declared, and how often he has clicked in all.

What he did is the history encoder's to read, and it reads the last events. But how ready somebody
is to click shows best in the whole of them; two counts tell it, and an online store can keep them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.declared import Vocabulary, declared_rows
from shortlist.datasets.events import Events, Kind

Floats = npt.NDArray[np.float32]

TALLY_WIDTH: Final = 2
_DOUBT: Final = 10.0
_USUAL: Final = 0.4


def declared(users: Users, catalogue: Catalogue) -> Floats:
    """What users declared, in the vocabulary of these very tables, float32 [n_users, p]."""
    return declared_rows(Vocabulary.of(users, catalogue), users.table)


def tally(events: npt.ArrayLike, clicks: npt.ArrayLike) -> Floats:
    """What counts of events tell, float32 [..., 2].

    Args:
        events: impressions so far, [...].
        clicks: how many of these were clicked or more, [...].

    Returns:
        The log-odds of a click, doubted like ten impressions at the usual rate, less the usual
        log-odds; and a fifth of ``log(1 + events)``.

    >>> print(tally(10, 10).round(2))
    [1.25 0.48]
    """
    shown, clicked = np.asarray(events, np.float64), np.asarray(clicks, np.float64)
    odds = (clicked + _DOUBT * _USUAL) / (shown - clicked + _DOUBT * (1 - _USUAL))
    usual = _USUAL / (1 - _USUAL)
    told = np.stack([np.log(odds / usual), 0.2 * np.log1p(shown)], axis=-1)
    return np.asarray(told, np.float32)


def tallies(histories: Sequence[Events]) -> Floats:
    """`tally` of whole histories, float32 [m, 2]."""
    return tally(
        [len(events) for events in histories],
        [int((events.kind >= Kind.CLICK).sum()) for events in histories],
    )
