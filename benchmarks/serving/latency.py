"""Full pages under load: the highest rate that holds, and each stage's latency at half of it.

Every request begins a session, so it takes the whole path: recall, predictor, slate. They are sent
at a fixed rate, whether or not the ones before were answered, and latency counts from when each was
due. A rate holds where 99 of 100 are answered within the budget and no page is degraded; above it
pages may be, but at half of it one degraded page fails the benchmark::

    .venv/bin/python -m benchmarks.serving.latency --work work
"""

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.serving.loaded import Loaded
from benchmarks.serving.reporting import CONSOLE, arguments, ended, goal, machine
from benchmarks.serving.running import Running, prepared, serving
from benchmarks.serving.timing import highest, stages
from benchmarks.serving.traffic import first_pages, settled, warmed

GOAL_P99_MS: Final = 100.0


class Rates:
    """Tries rates, and remembers how each went."""

    def __init__(
        self, running: Running, users: list[int], rng: np.random.Generator, seconds: float
    ) -> None:
        self.tried: list[dict[str, Any]] = []
        self._running, self._users, self._rng, self._seconds = running, users, rng, seconds

    def run(self, rate: float, seconds: float) -> Loaded:
        """First pages at a rate."""
        targets = first_pages(self._running, self._users, round(rate * seconds), self._rng)
        return Loaded.of(self._running, targets, rate)

    def holds(self, rate: float) -> bool:
        """Whether a rate does."""
        tally = self.run(rate, self._seconds).tally
        self.tried.append({"rate": rate, "holds": tally.holds, **asdict(tally)})
        settled(self._running, self._users)
        return tally.holds


def main() -> None:
    """Search, measure at half, print both tables, write the JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--first", type=float, default=40.0, help="rate to try first")
    parser.add_argument("--step-seconds", type=float, default=8.0, help="of each rate tried")
    parser.add_argument("--seconds", type=float, default=30.0, help="at half of saturation")
    parser.add_argument("--rate", type=float, help="measure at this rate, and search for none")
    parser.add_argument("--fine", type=float, default=1.1, help="factor to which it is searched")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    with prepared(given) as ready, serving(ready) as running:
        users = rng.choice(running.users, min(given.users, len(running.users)), replace=False)
        warmed(running, users.tolist(), rng)
        rates = Rates(running, users.tolist(), rng, given.step_seconds)
        saturation = None
        if given.rate is None:
            saturation = highest(rates.holds, given.first, step=1.4, fine=given.fine)
        rate = given.rate or (saturation or 0.0) / 2
        problems: list[str] = []
        missed = [] if rate else ["no rate holds"]
        result: dict[str, Any] = {
            "machine": machine(),
            "bundle": ready.bundle.id,
            "videos": ready.bundle.manifest.data.videos,
            "budget_ms": ready.plan.settings.serving.budget_ms,
            "saturation": saturation,
            "tried": rates.tried,
        }
        if rates.tried:
            CONSOLE.print(_tried(rates.tried))
        if rate:
            loaded = rates.run(rate, given.seconds)
            tally, told = loaded.tally, stages(loaded.found)
            cpu = loaded.cpu_ms | {"generator": loaded.generator_ms}
            result |= {"rate": rate, "stages": told, "cpu_ms": cpu, **asdict(tally)}
            CONSOLE.print(_stages(result, saturation))
            problems += tally.problems()
            if told["request"]["p99"] >= GOAL_P99_MS:
                missed.append(f"p99 is {told['request']['p99']:.1f} ms, not below {GOAL_P99_MS}")
    ended(given, "latency", result, problems, missed)


def _tried(tried: list[dict[str, Any]]) -> Table:
    table = Table(title="rates tried, first pages a second")
    for name in ("rate", "inside the budget", "degraded", "failed", "sent late, p99 ms", "holds"):
        table.add_column(name, justify="right")
    for one in sorted(tried, key=lambda one: float(one["rate"])):
        table.add_row(
            f"{one['rate']:.1f}",
            f"{one['inside']:.2%}",
            f"{one['degraded']:,}",
            f"{one['failed']:,}",
            f"{one['late_ms']:.1f}",
            "yes" if one["holds"] else "no",
        )
    return table


def _stages(result: dict[str, Any], saturation: float | None) -> Table:
    of = "" if saturation is None else f", half of {saturation:.1f}"
    table = Table(
        title=f"{result['sent']:,} first pages at {result['rate']:.1f}/s{of}; "
        f"{result['videos']:,} videos; {result['degraded']} degraded, {result['failed']} failed"
    )
    table.add_column("stage, ms")
    for name in ("p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    for name, row in result["stages"].items():
        table.add_row(name, *(f"{row[one]:.2f}" for one in ("p50", "p95", "p99", "max")))
    spent = ", ".join(f"{name} {ms:.2f}" for name, ms in result["cpu_ms"].items())
    wanted = goal(result["videos"], f"p99 below {GOAL_P99_MS:g} ms")
    table.caption = f"{wanted}\nCPU ms a request: {spent}"
    return table


if __name__ == "__main__":
    main()
