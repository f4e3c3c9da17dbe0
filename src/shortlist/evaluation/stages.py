"""The stages of a run: each says what it did, how long it took, and whether it was found done."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shortlist.evaluation.memory import peak_memory
from shortlist.evaluation.scorecard import Stage


@dataclass
class Running:
    """A stage under way."""

    said: str = ""
    reused: bool = False

    def done(self, said: str, *, reused: bool = False) -> None:
        """What the stage did, in a few words."""
        self.said, self.reused = said, reused


@dataclass
class Stages:
    """All stages of one run; ``say`` is told one line as each ends."""

    say: Callable[[str], None]
    finished: list[Stage] = field(default_factory=list)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Running]:
        """Time a block as one stage."""
        running = Running()
        began = time.perf_counter()
        with peak_memory() as memory:
            yield running
        seconds = time.perf_counter() - began
        self.finished.append(
            Stage(
                name=name,
                seconds=seconds,
                peak_memory_mb=memory.megabytes,
                reused=running.reused,
            )
        )
        verdict = "unchanged, reused" if running.reused else f"{seconds:.1f} s"
        self.say(f"{name}: {running.said} ({verdict})")
