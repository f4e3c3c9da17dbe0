"""Whether this process keeps up: how late its event loop comes round, and for how long it has.

A queue that empties now and then is what absorbs a burst; one that stands only makes everybody
late. So what counts is the least delay of an interval, not the last or the mean one: Nichols and
Jacobson, Controlling Queue Delay (ACM Queue 2012). The queue here is that of the event loop, before
any of our code runs: no request can tell how long it has waited in it, but a beat can.
"""

import asyncio
from typing import Final

BEAT_SECONDS: Final = 0.01
STANDING_SECONDS: Final = 0.2
"""A stall of a tenth of a second, of the machine or of a collection, is no standing queue."""
TURNS: Final = 8
"""Turns of the event loop that a page may wait for, read, asked for, answered, and what is between:
where each comes later than its share of the budget, the page will."""


class Pulse:
    """Beats in the event loop that starts it.

    >>> pulse = Pulse(late_seconds=0.02)
    >>> for now in (0.0, 0.1, 0.2):
    ...     pulse.beat(late=0.05, now=now)
    >>> pulse.standing
    True
    >>> pulse.beat(late=0.001, now=0.3)
    >>> pulse.standing
    False
    """

    def __init__(self, late_seconds: float) -> None:
        """Do not beat yet.

        Args:
            late_seconds: beyond which a beat is late.
        """
        self._late_seconds = late_seconds
        self._since: float | None = None
        self._next: asyncio.TimerHandle | None = None
        self.standing = False
        """Whether every beat of the last interval was late."""

    def start(self) -> None:
        """Beat from now on."""
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT_SECONDS

        def come_round() -> None:
            nonlocal due
            now = loop.time()
            self.beat(now - due, now)
            due = now + BEAT_SECONDS
            self._next = loop.call_at(due, come_round)

        self._next = loop.call_at(due, come_round)

    def stop(self) -> None:
        """Beat no more."""
        if self._next is not None:
            self._next.cancel()
        self.standing = False

    def beat(self, late: float, now: float) -> None:
        """One beat.

        Args:
            late: seconds after it was due.
            now: seconds on the clock of the loop.
        """
        if late <= self._late_seconds:
            self._since, self.standing = None, False
            return
        if self._since is None:
            self._since = now
        self.standing = now - self._since >= STANDING_SECONDS
