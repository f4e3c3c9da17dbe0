"""A circuit breaker: a part that is dead costs its timeout once in a while, not every request.

After some failures in a row nobody asks for a while; then one request tries, and all wait for what
becomes of it (Nygard, Release It!, 2007).
"""

import math
import time
from collections.abc import Callable
from enum import Enum


class State(Enum):
    """Of a breaker; the values are what the metric shows."""

    CLOSED = 0
    """Everybody asks."""
    TRYING = 1
    """One asks, the others do without."""
    OPEN = 2
    """Nobody asks."""


class Breaker:
    """One for each part that may be away. Of one event loop, so nothing is locked."""

    def __init__(
        self,
        failures: int,
        pause_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[State], None] = lambda _: None,
    ) -> None:
        """Begin closed.

        Args:
            failures: in a row that open it; of those that were under way at one time, one counts.
            pause_seconds: until somebody tries again; also until another one does where whoever
                tried has never said what became of it.
            clock: seconds, never going back.
            changed: told every new state.
        """
        self._most, self._pause = failures, pause_seconds
        self._clock, self._changed = clock, changed
        self._failed = 0
        self._failed_at = -math.inf
        self._again_at = 0.0
        self._state = State.CLOSED

    @property
    def now(self) -> float:
        """Seconds on its clock."""
        return self._clock()

    @property
    def state(self) -> State:
        """As it was left by the last who asked."""
        return self._state

    def allows(self) -> bool:
        """Whether to ask; whoever may has to say afterwards what became of it.

        >>> breaker = Breaker(failures=1, pause_seconds=60)
        >>> breaker.failed(breaker.now)
        >>> breaker.allows()
        False
        """
        if self._state is State.CLOSED:
            return True
        now = self._clock()
        if now < self._again_at:
            return False
        self._again_at = now + self._pause
        self._become(State.TRYING)
        return True

    def succeeded(self) -> None:
        """The part answered, be it with a refusal."""
        self._failed = 0
        self._become(State.CLOSED)

    def failed(self, asked: float) -> None:
        """The part did not answer.

        A stall fails all who wait meanwhile. That is one failure, or a busy process would give a
        part up for a hiccup.

        Args:
            asked: when, by `now`.
        """
        if asked < self._failed_at:
            return
        self._failed_at = self._clock()
        self._failed += 1
        if self._failed >= self._most:
            self._again_at = self._failed_at + self._pause
            self._become(State.OPEN)

    def _become(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self._changed(state)
