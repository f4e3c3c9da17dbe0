"""The same bundle, asked through a cluster and by the parts of `shortlist up`, turn by turn.

First pages at one fixed rate go to the one and to the other in alternating windows of one run, so
that both meet the same machine. What is not the same: a cluster puts its network, its proxies and
its control plane in between, and has as many pods as its values say. It must answer at 127.0.0.1,
by a NodePort say; bundle and dataset are copied out of its claim beforehand::

    kubectl exec deployment/shortlist-toolbox -- tar -C /data -c bundles datasets | tar -x -C DIR
    .venv/bin/python -m benchmarks.serving.cluster --work DIR --cluster http://127.0.0.1:30080
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.serving.generator import attack
from benchmarks.serving.reporting import CONSOLE, arguments, ended, machine
from benchmarks.serving.running import prepared, serving
from benchmarks.serving.timing import Answered, Tally, answered, stages
from benchmarks.serving.traffic import Service, first_pages, settled, warmed

HERE: Final = "shortlist up"
THERE: Final = "cluster"


@dataclass(frozen=True)
class Cluster:
    """An installed service.

    Attributes:
        address: at which it answers on this machine.
        key: of a caller; pages need none.
    """

    address: str
    key: str | None = None


def main() -> None:
    """Ask both, print one table, write the JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--cluster", required=True, help="address, as http://127.0.0.1:30080")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5.0, help="first pages a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each window")
    parser.add_argument("--windows", type=int, default=3, help="of each of the two")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    with prepared(given) as ready, serving(ready) as running:
        services: dict[str, Service] = {
            HERE: running,
            THERE: Cluster(given.cluster.rstrip("/")),
        }
        users = rng.choice(running.users, min(given.users, len(running.users)), replace=False)
        for service in services.values():
            warmed(service, users.tolist(), rng)
            settled(service, users.tolist())
        found: dict[str, list[Answered]] = {name: [] for name in services}
        for _ in range(given.windows):
            for name, service in services.items():
                targets = first_pages(
                    service, users.tolist(), round(given.rate * given.seconds), rng
                )
                found[name] += answered(attack(targets, given.rate).sent, given.rate)
        budget = ready.plan.settings.serving.budget_ms
        told = {name: stages(each) for name, each in found.items()}
        tallies = {name: Tally.of(each, budget) for name, each in found.items()}
        result: dict[str, Any] = {
            "machine": machine(),
            "bundle": ready.bundle.id,
            "videos": ready.bundle.manifest.data.videos,
            "rate": given.rate,
            "stages": told,
            **{name: asdict(tally) for name, tally in tallies.items()},
        }
    CONSOLE.print(_table(result))
    problems = [
        f"{name}: {problem}" for name, tally in tallies.items() for problem in tally.problems()
    ]
    problems += _strangers(found, ready.bundle.id)
    ended(given, "cluster", result, problems)


def _strangers(found: dict[str, list[Answered]], bundle: str) -> list[str]:
    """Pages of another bundle compare nothing."""
    others = {
        str(one.page["bundle"])
        for each in found.values()
        for one in each
        if one.page is not None and one.page["bundle"] != bundle
    }
    return [f"bundle {other} answered beside {bundle}" for other in sorted(others)]


def _table(result: dict[str, Any]) -> Table:
    here, there = result["stages"][HERE], result["stages"][THERE]
    table = Table(
        title=f"first pages at {result['rate']:.1f}/s, {result[HERE]['sent']:,} of each; "
        f"{result['videos']:,} videos"
    )
    table.add_column("stage, ms", no_wrap=True)
    for name in (HERE, THERE):
        for quantile in ("p50", "p95", "p99"):
            table.add_column(f"{name} {quantile}", justify="right")
    table.add_column("p50, ratio", justify="right")
    for name, row in here.items():
        other = there.get(name)
        cells = [f"{row[one]:.2f}" for one in ("p50", "p95", "p99")]
        if other is not None:
            cells += [f"{other[one]:.2f}" for one in ("p50", "p95", "p99")]
            cells.append(f"{other['p50'] / row['p50']:.2f}")
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
