"""Watches the parts of a service: says when each answers, and starts again what dies.

It looks from one thread, the one that starts the parts: a tied child ends with its thread.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from shortlist.errors import UnavailableError

_TOLD_LINES: Final = 3


class Part(Protocol):
    """A process among others that make a service."""

    @property
    def name(self) -> str:
        """What it is called in sentences."""

    @property
    def log(self) -> Path | None:
        """Where it writes; None where that is what this process writes to."""

    @property
    def pid(self) -> int | None:
        """None where it does not run."""

    @property
    def ending(self) -> str:
        """How it ended, in words that follow its name."""

    def start(self) -> None:
        """Start it, without waiting for it."""

    def why_not_ready(self) -> str | None:
        """None where it answers; else what is missing."""

    def stop(self) -> None:
        """End it, and all that it left behind."""

    def last_words(self) -> list[str]:
        """The end of its log."""


@dataclass(frozen=True)
class Patience:
    """How long parts are waited for, and how often they may die.

    Attributes:
        start_seconds: until a part that was started must answer.
        first_seconds: until one that died is started again; doubled with each death.
        longest_seconds: until one is started again at most.
        steady_seconds: of answering after which earlier deaths are forgotten.
        deaths: in a row after which all is given up.
        poll_seconds: between two looks.
    """

    start_seconds: float = 180.0
    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    steady_seconds: float = 60.0
    deaths: int = 6
    poll_seconds: float = 0.2

    def pause(self, deaths: int) -> float:
        """Seconds until a part is started again.

        >>> [Patience().pause(deaths) for deaths in (1, 2, 3, 9)]
        [0.5, 1.0, 2.0, 30.0]
        """
        return float(min(self.first_seconds * 2 ** (deaths - 1), self.longest_seconds))


@dataclass
class _Watched:
    """A part, and what became of it.

    Attributes:
        part: itself.
        since: when it was started, or when it first answered since.
        ready: whether it has answered since it was started.
        proven: whether it has ever answered.
        deaths: in a row.
        again_at: when it is started again; None where it was started.
    """

    part: Part
    since: float
    ready: bool = False
    proven: bool = False
    deaths: int = 0
    again_at: float | None = None


class Supervisor:
    """Parts that are kept running from their start to the end of the block."""

    def __init__(
        self,
        say: Callable[[str], None],
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Watch nothing yet.

        Args:
            say: is told in one sentence each time that something becomes of a part.
            patience: with them.
            clock: seconds, never going back.
            sleep: waits for seconds.
        """
        self._say, self._patience = say, patience or Patience()
        self._clock, self._sleep = clock, sleep
        self._watched: list[_Watched] = []

    @property
    def parts(self) -> Sequence[Part]:
        """In the order in which they were started."""
        return [one.part for one in self._watched]

    def start(self, part: Part) -> None:
        """Start a part, and watch it from now on."""
        self._watched.append(_Watched(part, self._clock()))
        part.start()

    def wait(self) -> None:
        """Until all parts answer.

        Raises:
            UnavailableError: one ended before it ever answered, did not answer in time, or died
                again and again.
        """
        while not self.look():
            self._sleep(self._patience.poll_seconds)

    def watch(self) -> None:
        """Until something is raised: a signal's exception, or the error below.

        Raises:
            UnavailableError: a part died again and again.
        """
        while True:
            self.look()
            self._sleep(self._patience.poll_seconds)

    def look(self) -> bool:
        """Look at each part once, and start what is due; whether all of them answer.

        Raises:
            UnavailableError: as in `wait`.
        """
        for one in self._watched:
            self._look_at(one)
        return all(one.ready for one in self._watched)

    def stop(self) -> None:
        """Stop all, those last that were started first."""
        while self._watched:
            self._watched.pop().part.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _look_at(self, one: _Watched) -> None:
        now, part, patience = self._clock(), one.part, self._patience
        if one.again_at is not None:
            if now >= one.again_at:
                one.again_at, one.since = None, now
                part.start()
            return
        if part.pid is None:
            self._died(one, part.ending)
        elif one.ready:
            if now - one.since >= patience.steady_seconds:
                one.deaths = 0
        elif (why := part.why_not_ready()) is None:
            self._say(
                f"{part.name} answers{' again' if one.proven else ''} ({now - one.since:.1f} s)"
            )
            one.ready = one.proven = True
            one.since = now
        elif now - one.since >= patience.start_seconds:
            self._died(one, f"did not answer within {patience.start_seconds:.0f} s ({why})")

    def _died(self, one: _Watched, how: str) -> None:
        part, told = one.part, _told(one.part)
        one.ready = False
        one.deaths += 1
        part.stop()
        if not one.proven:
            raise UnavailableError(f"{part.name} {how} before it ever answered{told}")
        if one.deaths >= self._patience.deaths:
            raise UnavailableError(f"{part.name} {how}, {one.deaths} times in a row{told}")
        pause = self._patience.pause(one.deaths)
        one.again_at = self._clock() + pause
        self._say(f"{part.name} {how}; it is started again in {pause:g} s")


def _told(part: Part) -> str:
    """Where a part's log lies, and its end."""
    if part.log is None:
        return ""
    last = " | ".join(line.strip() for line in part.last_words()[-_TOLD_LINES:])
    return f"; {part.log} ends: {last}" if last else f"; {part.log} has nothing to say"
