"""An hour of `shortlist up` with a fault a minute: answered in time, whole again, nothing grows.

Pages are asked for at a fixed rate, whether or not the ones before were answered. Each minute one
fault is done to the processes for real; when it is over, pages have ten seconds to be whole. What a
process holds (memory, descriptors, threads) is judged by its slope over the second half, within
each process, so that one that was killed and started again is no growth. The event log grows until
it is drained, by design: what Redis says that it takes is no part of its memory here, and nor are
files that are mapped, of which a publication brings new ones.

Who is killed cuts off the connections that it answers. A page is then asked for once more, at once,
as a client should; its time goes on from when it was due, and each second try is counted. Only
where a process of the transformer is killed may there be any, and the second must be answered.

Clocks that disagree are none of the faults, since a process keeps the clock that it starts with:
`tests/integration/serving/test_faults.py` has them. ::

    .venv/bin/python -m benchmarks.serving.soak --work work --minutes 60
"""

import asyncio
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from benchmarks.serving.reporting import arguments, ended, goal, machine
from benchmarks.serving.soak.hour import run
from benchmarks.serving.soak.report import costs, growth
from benchmarks.serving.soak.service import started

CONSOLE: Final = Console(width=118)


def main() -> None:
    """Soak, and end with a failure where something must not have been."""
    parser = arguments(__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=60.0, help="how long")
    add("--interval", type=float, default=60.0, help="seconds from one fault to the next")
    add("--hold", type=float, default=10.0, help="seconds that a pause or slowness lasts")
    add("--rate", type=float, default=20.0, help="pages a second")
    add("--users", type=int, default=500, help="who ask; so few have all sessions kept soon")
    add("--budget-ms", type=float, default=100.0, help="serving.budget_ms")
    add("--grace-ms", type=float, default=50.0, help="for the hop to and from this program")
    add("--log", type=Path, help="where what `shortlist up` said is copied to")
    given = parser.parse_args()
    with started(given) as soak:
        asyncio.run(run(soak, CONSOLE.print))
        table, problems = costs(soak)
        held, grown, told = growth(soak)
    CONSOLE.print(table, held)
    took = np.array([one.took for one in soak.asked]) * 1e3
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    shown = f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f}, worst {took.max():.0f} ms"
    CONSOLE.print(f"{len(took):,} pages; {shown}")
    problems += grown
    whole = {
        "given": {name: str(value) for name, value in vars(given).items()},
        "machine": machine(),
        "videos": len(soak.videos),
        "faults": [asdict(done) for done in soak.faults],
        "pages": len(took),
        "ms": {"p50": p50, "p95": p95, "p99": p99, "worst": float(took.max())},
        "statuses": Counter(str(one.status) for one in soak.asked),
        "causes": Counter(cause for one in soak.asked for cause in one.causes),
        "cut": sum(one.cut for one in soak.asked),
        "growth": told,
    }
    CONSOLE.print(goal(len(soak.videos), f"pages within {given.budget_ms:g} ms, an hour long"))
    ended(given, "soak", whole, problems)
    CONSOLE.print("[green]held[/green]")


if __name__ == "__main__":
    main()
