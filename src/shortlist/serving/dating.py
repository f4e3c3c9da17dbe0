"""The day that a page is made for: by the clock, or where a log of the past is served on."""

from dataclasses import replace
from typing import Final

from shortlist.online.store import UserState
from shortlist.serving.live import Live
from shortlist.settings.serving import ServingSettings

_DAY: Final = 86_400.0


def dated(settings: ServingSettings, live: Live, state: UserState) -> UserState:
    """What is known of a user, in the time that pages are made for.

    Events carry the time of a clock. Where a log of the past is served as if it went on, those
    after it follow it at once: the months between would make all that is in the log old.

    Args:
        settings: of serving.
        live: the bundle.
        state: of the user.
    """
    if settings.clock == "wall":
        return state
    history = state.history.continuing(live.parts.as_of_day * int(_DAY))
    return state if history is state.history else replace(state, history=history)


def day_of(settings: ServingSettings, live: Live, state: UserState, at: float) -> float:
    """The day that a page is made for, days since 1970-01-01, fractions allowed.

    By the clock; or, where a log of the past is served as if it went on (``serving.clock`` is
    ``bundle``), the first day after that log, or that of the user's last event if it is later.

    Args:
        settings: of serving.
        live: the bundle.
        state: of the user, as `dated` gives it.
        at: now, seconds since 1970-01-01.
    """
    if settings.clock == "wall":
        return at / _DAY
    last = float(state.history.at[-1]) / _DAY if len(state.history) else 0.0
    return max(float(live.parts.as_of_day), last)
