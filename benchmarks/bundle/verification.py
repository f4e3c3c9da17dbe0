"""What a bundle's promises cost: writing it, opening it with and without hashes.

python benchmarks/bundle/verification.py [FILE.json]
"""

import datetime as dt
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from shortlist.bundle import (
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    open_bundle,
    write_bundle,
)

PARTS = {"items": 80, "ranker": 60, "recall": 60}
MEGABYTE = 1_000_000
ROUNDS = 5


def parts_below(home: Path) -> dict[str, Path]:
    """Directories of random bytes, one file a part."""
    rng = np.random.default_rng(0)
    for name, megabytes in PARTS.items():
        (home / name).mkdir(parents=True)
        (home / name / "table.npy").write_bytes(rng.bytes(megabytes * MEGABYTE))
    os.sync()
    return {name: home / name for name in PARTS}


def record() -> BundleRecord:
    """The least that a bundle must say."""
    day = dt.date(2026, 1, 5)
    data = DataFacts(
        name="random",
        digest="0" * 64,
        users=0,
        videos=0,
        impressions=0,
        first_day=day,
        last_day=day,
        fitted_to=day,
    )
    return BundleRecord(data=data, encoder="none", seed=0, settings={})


def median_seconds(act: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """Median wall seconds of ``act``, which is told its round."""
    spent = []
    for number in range(rounds):
        start = time.perf_counter()
        act(number)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def measured(home: Path) -> dict[str, float]:
    """Seconds, by what was done."""
    parts, card, run = (
        parts_below(home / "parts"),
        CardFacts("", [], [], "", [], []),
        RunRecord.here("benchmark"),
    )

    def write(root: str) -> Path:
        return write_bundle(home / root, parts, record(), card, run).path

    seconds = {"written": median_seconds(lambda number: write(f"{number}"))}
    path = write("0")
    seconds["found standing"] = median_seconds(lambda _: write("0"))
    seconds["opened, every byte compared"] = median_seconds(lambda _: open_bundle(path))
    seconds["opened, manifest alone"] = median_seconds(lambda _: open_bundle(path, verify=False))
    store = BundleStore(path.parent)
    seconds["published"] = median_seconds(lambda _: store.publish(path.name), 1)
    return seconds


def main() -> None:
    """Measure, print the table, and write it where the command line says."""
    with tempfile.TemporaryDirectory(dir=".") as home:
        seconds = measured(Path(home))
    table = Table(f"a bundle of {sum(PARTS.values())} MB", "seconds")
    for name, value in seconds.items():
        table.add_row(name, f"{value:.3f}")
    Console().print(table)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(seconds, indent=2) + "\n")


if __name__ == "__main__":
    main()
