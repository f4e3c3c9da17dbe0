"""How latency, memory and load time grow with the catalogue, from 10,000 to 1,000,000 videos.

The bundles are resampled from the published one (`benchmarks.serving.scaled`) and kept; make them
beforehand, since the largest takes minutes and 6 GB of disk while it is made::

    .venv/bin/python -m benchmarks.serving.growth --work work --make
    .venv/bin/python -m benchmarks.serving.growth --work work
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.serving.loaded import Loaded
from benchmarks.serving.reporting import CONSOLE, arguments, ended, machine
from benchmarks.serving.running import Running, prepared, serving
from benchmarks.serving.scaled import scaled
from benchmarks.serving.timing import stages
from benchmarks.serving.traffic import first_pages, warmed
from shortlist.bundle import BundleStore

SIZES: Final = (10_000, 50_000, 200_000, 1_000_000)
_SHOWN: Final = ("recall", "predictor", "slate")


def main() -> None:
    """Make bundles, or measure them; print the table, write the JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--make", action="store_true", help="make the bundles, measure nothing")
    parser.add_argument(
        "--bundles", type=Path, default=Path("work/benchmarks/growth"), help="where they are kept"
    )
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rate", type=float, default=15.0, help="first pages a second")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each size")
    given = parser.parse_args()
    rows, problems = [], []
    for size in sorted(given.sizes):
        bundles = (given.bundles / f"{size}").absolute()
        if given.make or not bundles.is_dir():
            _make(given, size, bundles)
        if given.make:
            continue
        with prepared(given, f"paths.bundles={bundles}") as ready:
            verifying = _opened(bundles)
            with serving(ready) as running:
                row = {"videos": size, "verify_s": verifying, **_measured(running, given)}
        problems += [f"{size:,} videos: {said}" for said in row["problems"]]
        rows.append(row)
    if given.make:
        return
    CONSOLE.print(_table(rows, given.rate))
    largest = max(row["videos"] for row in rows)
    result = {"machine": machine(), "videos": largest, "rate": given.rate, "sizes": rows}
    ended(given, "growth", result, problems)


def _make(given: argparse.Namespace, size: int, into: Path) -> None:
    began = time.perf_counter()
    with prepared(given) as ready:
        made = scaled(ready.bundle, ready.dataset, size, into, given.seed)
    CONSOLE.print(f"{size:,} videos: bundle {made.id} ({time.perf_counter() - began:.1f} s)")


def _opened(bundles: Path) -> float:
    """Seconds to verify every byte of the bundle; it lies in the page cache afterwards."""
    store = BundleStore(bundles)
    store.serving()
    began = time.perf_counter()
    store.serving()
    return time.perf_counter() - began


def _measured(running: Running, given: argparse.Namespace) -> dict[str, Any]:
    rng = np.random.default_rng(given.seed)
    users = rng.permutation(running.users)[: given.users].tolist()
    warmed(running, users, rng, seconds=10.0)
    targets = first_pages(running, users, round(given.rate * given.seconds), rng)
    loaded = Loaded.of(running, targets, given.rate)
    return {
        "started_s": dict(running.started),
        "memory_mib": running.memory(),
        "stages": stages(loaded.found),
        "cpu_ms": loaded.cpu_ms,
        "problems": loaded.tally.problems(),
    }


def _table(rows: list[dict[str, Any]], rate: float) -> Table:
    table = Table(title=f"first pages at {rate:g}/s by size of the catalogue")
    table.add_column("")
    for row in rows:
        table.add_column(f"{row['videos']:,} videos", justify="right")

    def add(name: str, tell: Callable[[dict[str, Any]], float], digits: int = 1) -> None:
        table.add_row(name, *(f"{tell(row):,.{digits}f}" for row in rows))

    for stage, quantile in (("request", "p50"), ("request", "p99"), *((n, "p50") for n in _SHOWN)):
        add(
            f"{stage} {quantile}, ms",
            lambda row: row["stages"].get(stage, {}).get(quantile, np.nan),  # noqa: B023
        )
    add("CPU ms a page, all processes", lambda row: sum(row["cpu_ms"].values()))
    table.add_section()
    for part in ("transformer", "worker"):
        add(f"{part}: MiB of its own", lambda row: row["memory_mib"][part]["own"], 0)  # noqa: B023
        add(
            f"{part}: with its share of mapped files",
            lambda row: row["memory_mib"][part]["mapped"],  # noqa: B023
            0,
        )
    table.add_section()
    for part in ("transformer", "predictor"):
        add(f"{part}: s until it answers", lambda row: row["started_s"][part])  # noqa: B023
    add("of these, to verify the bundle", lambda row: row["verify_s"])
    return table


if __name__ == "__main__":
    main()
