"""A load sent to the service: how each request was answered, and the CPU that each process took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.serving.generator import Load, Target, attack
from benchmarks.serving.running import Running, difference
from benchmarks.serving.timing import Answered, Tally, answered


@dataclass(frozen=True)
class Loaded:
    """What became of a load.

    Attributes:
        load: as the generator saw it.
        found: the same requests, counted from their timetable.
        tally: of them, by the service's own budget.
        cpu_ms: CPU ms a request, by process of the service.
    """

    load: Load
    found: list[Answered]
    tally: Tally
    cpu_ms: dict[str, float]

    @classmethod
    def of(cls, running: Running, targets: Sequence[Target], rate: float, **limits: Any) -> Self:
        """Send it; the arguments beside the service are those of `generator.attack`."""
        before = running.cpu()
        load = attack(targets, rate, **limits)
        spent = difference(before, running.cpu())
        found = answered(load.sent, rate)
        return cls(
            load,
            found,
            Tally.of(found, running.prepared.plan.settings.serving.budget_ms),
            {name: _each(seconds, load) for name, seconds in spent.items()},
        )

    @property
    def generator_ms(self) -> float:
        """CPU ms a request that the generator took."""
        return _each(self.load.cpu_seconds, self.load)


def _each(seconds: float, load: Load) -> float:
    return seconds * 1e3 / max(len(load.sent), 1)
