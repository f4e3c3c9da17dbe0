"""CPU of a page by the whole service, beside that of the bare compute; both in turns, in one run.

The service's side counts every process: transformer, Java, worker and Redis, time in the kernel
included. Its requests begin sessions, so each takes the whole path; the user's vector is kept from
before, as it is after an event. The bare side makes the same pages for the same users in this
process. That it does the same work shows in the pages: given the seed of each, they are the same::

    .venv/bin/python -m benchmarks.serving.efficiency --work work
"""

import os
import time
from functools import reduce
from statistics import median
from typing import Any, Final

# One thread on both sides, said before numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import psutil
from rich.table import Table

from benchmarks.serving.bare import Bare
from benchmarks.serving.generator import attack
from benchmarks.serving.reporting import CONSOLE, arguments, ended, goal, machine
from benchmarks.serving.running import difference, prepared, serving
from benchmarks.serving.timing import Tally, answered
from benchmarks.serving.traffic import asking, first_pages, warmed

GOAL: Final = 2.0
GRAPHS_MS: Final = 3.5
"""CPU ms of the three graphs, as the design has it."""
_COMPARED: Final = 50
_IDLE_SECONDS: Final = 5.0


def busy() -> float:
    """CPU seconds of the whole machine so far, whoever took them, interrupts included."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def main() -> None:
    """Measure both sides in turns, print the table, write the JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=40.0, help="first pages a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="of the service, a round")
    parser.add_argument("--pages", type=int, default=200, help="of the bare compute, a round")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    with prepared(given) as ready, serving(ready) as running:
        users = rng.choice(running.users, min(given.users, len(running.users)), replace=False)
        users = users.tolist()
        warmed(running, users, rng)
        bare = Bare.of(ready)
        known = bare.known(ready, users)
        bare.spent([known[user] for user in users[:50]])
        same = _same(running, bare, known, users)
        before, began = running.cpu(), time.perf_counter()
        time.sleep(_IDLE_SECONDS)
        resting = difference(before, running.cpu())
        idle = 1e3 * sum(resting.values()) / (time.perf_counter() - began)
        rounds: list[dict[str, Any]] = []
        problems: list[str] = []
        budget = ready.plan.settings.serving.budget_ms
        for _ in range(given.rounds):
            chosen = rng.choice(np.asarray(users), given.pages).tolist()
            alone = bare.spent([known[user] for user in chosen])
            targets = first_pages(running, users, round(given.rate * given.seconds), rng)
            before, all_before = running.cpu(), busy()
            load = attack(targets, given.rate)
            # Pages are still being written when the last answer is there.
            time.sleep(0.5)
            spent = difference(before, running.cpu())
            everything = busy() - all_before - load.cpu_seconds
            tally = Tally.of(answered(load.sent, given.rate), budget)
            problems += tally.problems()
            count = max(tally.sent, 1)
            service = {name: one * 1e3 / count for name, one in spent.items()}
            rounds.append(
                {
                    "bare": alone,
                    "service": service,
                    "total": sum(service.values()),
                    "machine": everything * 1e3 / count,
                    "generator": load.cpu_seconds * 1e3 / count,
                    "degraded": tally.degraded,
                    "failed": tally.failed,
                }
            )
    ratio = median(one["total"] / one["bare"]["page"] for one in rounds)
    result = {
        "machine": machine(),
        "bundle": ready.bundle.id,
        "videos": ready.bundle.manifest.data.videos,
        "candidates": float(np.mean(bare.candidates)),
        "same_pages": same,
        "idle_ms_a_second": idle,
        "rate": given.rate,
        "rounds": rounds,
        "ratio": ratio,
    }
    _show(result)
    if same < 1:
        problems.append(f"only {same:.0%} of the pages are those of the bare compute")
    missed = []
    if ratio > GOAL:
        missed.append(f"the service takes {ratio:.2f} x the bare compute, the goal is {GOAL}")
    ended(given, "efficiency", result, problems, missed)


def _same(running: Any, bare: Bare, known: dict[int, Any], users: list[int]) -> float:
    """Share of the service's pages that the bare compute makes too."""
    targets = [asking(running, user, f"same-{user}") for user in users[:_COMPARED]]
    found = [one.page for one in answered(attack(targets, 0.0, at_once=1).sent, 0.0)]
    whole = [page for page in found if page is not None and not page["degraded"]]
    if not whole:
        return 0.0
    return float(np.mean([bare.same(page, known[page["user_id"]]) for page in whole]))


def _show(result: dict[str, Any]) -> None:
    rounds = result["rounds"]

    def middle(*path: str) -> str:
        values = [reduce(lambda held, name: held.get(name, 0.0), path, one) for one in rounds]
        return f"{median(values):.2f}"

    table = Table(
        "CPU ms a page",
        title=f"{result['videos']:,} videos, {result['candidates']:.0f} candidates, "
        f"{result['rate']:g} pages/s; middle of {len(rounds)} rounds",
    )
    table.add_column("", justify="right")
    table.add_row(f"three graphs alone (design: {GRAPHS_MS})", middle("bare", "graphs"))
    table.add_row("bare compute: encode, recall, pre-rank, list, slate", middle("bare", "page"))
    table.add_section()
    for name in rounds[0]["service"]:
        table.add_row(f"service: {name}", middle("service", name))
    table.add_row("service: all of it", middle("total"))
    table.add_section()
    table.add_row("service / bare", f"{result['ratio']:.2f}")
    table.caption = goal(result["videos"], f"service / bare at most {GOAL:g}")
    table.add_row("machine less generator, others' work included", middle("machine"))
    table.add_row("generator", middle("generator"))
    table.add_row("service at rest, CPU ms a second", f"{result['idle_ms_a_second']:.2f}")
    table.add_row("pages that are the same on both sides", f"{result['same_pages']:.0%}")
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
