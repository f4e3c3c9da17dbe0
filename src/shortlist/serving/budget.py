"""The time that one request has: what is left of it, and where the rest went."""

import time
from collections.abc import Callable


class Budget:
    """Milliseconds that run out from the moment the budget is made."""

    def __init__(self, milliseconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin.

        Args:
            milliseconds: in all.
            clock: seconds, never going back.
        """
        self._clock = clock
        self._began = self._last = clock()
        self._ends = self._began + milliseconds / 1e3
        self.stages: dict[str, float] = {}
        """Milliseconds by stage, in the order of their first end."""

    @property
    def left_ms(self) -> float:
        """What is left; below 0 where it is overdrawn."""
        return (self._ends - self._clock()) * 1e3

    @property
    def spent_ms(self) -> float:
        """What is spent."""
        return (self._clock() - self._began) * 1e3

    def stop(self, stage: str) -> None:
        """End a stage, and begin the next; a stage that ends twice took both times.

        >>> ticks = iter([0.0, 0.001, 0.003, 0.006])
        >>> budget = Budget(5, lambda: next(ticks))
        >>> for stage in ("a", "b", "a"):
        ...     budget.stop(stage)
        >>> {stage: round(took) for stage, took in budget.stages.items()}
        {'a': 4, 'b': 2}
        """
        now = self._clock()
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._last) * 1e3
        self._last = now
