"""Whose request this task works for: its ids for the lines of logs, its trace for the next hop.

Binding sets one variable; lines and headers are made of it by those who write or send.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from shortlist.telemetry.traces import Trace


@dataclass(frozen=True, slots=True)
class Current:
    """A request that is being answered.

    Attributes:
        request_id: as the caller calls it, or ours.
        trace: our hop of its trace.
    """

    request_id: str
    trace: Trace


_CURRENT: Final[ContextVar[Current | None]] = ContextVar("shortlist_request", default=None)


@contextlib.contextmanager
def bound(request_id: str, trace: Trace) -> Iterator[None]:
    """Within it, this task and those that it starts work for a request.

    A task that outlives the request begins with a context of its own, or it would keep the ids.
    """
    token = _CURRENT.set(Current(request_id, trace))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Current | None:
    """The request that this task works for; None where it works for nobody."""
    return _CURRENT.get()
