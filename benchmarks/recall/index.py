"""What each type of vector index costs and finds, by the size of the catalogue.

Vectors gather round centres, as those of a trained ranker do; a query is a mean of a few of them.
All sides answer the same queries one by one on one thread, excluding nothing::

    .venv/bin/python benchmarks/recall/index.py --sizes 10000 50000 200000
"""

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any, Final

# CPU time would count threads that only wait for each other.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import faiss
import numpy as np
from rich.console import Console
from rich.table import Table

from shortlist.recall.index import (
    exact_search,
    make_index,
    recall_against_exact,
    sample_queries,
    search,
)

WIDTH: Final = 128
CENTRES: Final = 300
SPREAD: Final = 0.7
PROBE_SHARES: Final = (0.125, 0.25, 0.5)
OUT: Final = Path("work/benchmarks/recall-index.json")


def make_items(number: int, seed: int) -> np.ndarray:
    """Vectors of unit length round centres, float32 [number, 128]."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CENTRES, WIDTH)).astype(np.float32)
    items = centres[rng.integers(0, CENTRES, number)]
    items += SPREAD * rng.standard_normal((number, WIDTH), np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    return items


def measure(items: np.ndarray, queries: np.ndarray, k: int) -> list[dict[str, Any]]:
    """One row for each way to search these items."""
    rows = [
        {
            "index": "numpy, exact",
            "build_s": 0.0,
            "ms": timed(lambda query: exact_search(items, query, k), queries),
            "recall": 1.0,
            "bytes_per_vector": WIDTH * 4,
        }
    ]
    lists = 1 << round(math.log2(len(items)) / 2)
    for kind, cells, shares in (("flat-fp16", 0, (0.0,)), ("ivf-sq8", lists, PROBE_SHARES)):
        began = time.process_time()
        index = make_index(items, cells)
        built = time.process_time() - began
        for share in shares:
            probes = math.ceil(share * cells)
            rows.append(
                {
                    "index": f"{kind} {probes}/{cells}" if cells else kind,
                    "build_s": built,
                    "ms": timed(lambda query, i=index, p=probes: search(i, query, k, p), queries),
                    "recall": recall_against_exact(index, items, queries, k, probes),
                    "bytes_per_vector": WIDTH * (1 if cells else 2),
                }
            )
    return rows


def timed(ask: Any, queries: np.ndarray) -> float:
    """CPU milliseconds of a query, the best of three rounds."""
    rounds = []
    for _ in range(3):
        began = time.process_time()
        for query in queries:
            ask(query[None])
        rounds.append((time.process_time() - began) * 1_000 / len(queries))
    return min(rounds)


def main() -> None:
    """Measure every size, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--k", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    faiss.omp_set_num_threads(1)
    table = Table(title=f"vector index, {WIDTH}-d, k = {given.k}, one thread")
    for name in ("videos", "index", "build CPU s", "CPU ms a query", "recall", "MB"):
        table.add_column(name, justify="left" if name == "index" else "right")
    found: dict[str, list[dict[str, Any]]] = {}
    for size in given.sizes:
        items = make_items(size, given.seed)
        found[str(size)] = measure(items, sample_queries(items, given.queries), given.k)
        for row in found[str(size)]:
            table.add_row(
                f"{size:,}",
                row["index"],
                f"{row['build_s']:.1f}",
                f"{row['ms']:.2f}",
                f"{row['recall']:.4f}",
                f"{row['bytes_per_vector'] * size / 1e6:.0f}",
            )
    console = Console()
    console.print(table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"k": given.k, "width": WIDTH, "sizes": found}, indent=2) + "\n")
    console.print(f"written to {OUT}")


if __name__ == "__main__":
    main()
