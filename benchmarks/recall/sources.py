"""What each source of candidates finds of the oracle's best hundred, alone and blended.

Needs a world that was made (`shortlist world`, or a demo) and its truth::

    .venv/bin/python benchmarks/recall/sources.py --preset demo --work work

No ranker takes part: the vector source gets user and item vectors whose products are the true
logits plus errors in sixteen further dimensions, so that blends can be compared at several
qualities of it.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

# CPU time would count threads that only wait for each other.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import logit

from shortlist.datasets.events import Histories
from shortlist.datasets.split import split
from shortlist.datasets.store import Dataset
from shortlist.evaluation.arena import Arena, make_arena
from shortlist.evaluation.judge import sealed_truth
from shortlist.recall.blend import VECTOR_DIRECTORY, load_blend
from shortlist.recall.fitting import fit_recall
from shortlist.recall.index import build_index
from shortlist.recall.query import Query
from shortlist.recall.source import SOURCES
from shortlist.settings.loading import preset_settings
from shortlist.settings.recall import RecallSettings
from shortlist.world.context import standard_context

OUT: Final = Path("work/benchmarks")
WIDTH: Final = 128
ERRORS: Final = 16
BEST: Final = 100
BLURS: Final = (1.0, 1.4, 2.0)
LEARNED: Final = SOURCES[:3]


class Bench:
    """Some users of a world, their requests, and what the oracle would show them."""

    def __init__(self, arena: Arena, true: np.ndarray, users: np.ndarray) -> None:
        """Take the true probabilities [m, n_videos] of ``users`` [m] for the arena's day."""
        self.arena = arena
        self.true = true
        histories = Histories.from_log(arena.view.log, len(arena.view.users))
        interests = declared(arena)
        places = np.searchsorted(arena.judged, users)
        self.queries = [
            Query(
                histories.of(user),
                arena.seen[place],
                None,
                interests[user],
                float(arena.view.as_of_day),
            )
            for user, place in zip(users, places, strict=True)
        ]
        self.wanted = []
        for row, place in zip(true, places, strict=True):
            allowed = np.where(arena.live, row, -np.inf)
            allowed[arena.seen[place]] = -np.inf
            self.wanted.append(np.argpartition(-allowed, BEST)[:BEST])

    def vectors(self, blur: float) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of users and videos: the true logits, with errors of this size."""
        left, size, right = np.linalg.svd(logit(self.true), full_matrices=False)
        kept, root = slice(WIDTH - ERRORS), np.sqrt(size)
        rng = np.random.default_rng(1)
        own = rng.normal(size=(len(self.true), ERRORS)) / np.sqrt(ERRORS)
        error = blur * rng.normal(size=(self.true.shape[1], ERRORS))
        users = np.hstack([(left * root)[:, kept], own])
        items = np.hstack([(right.T * root)[:, kept], error])
        return users.astype(np.float32), items.astype(np.float32)

    def measure(self, directory: Path, users: np.ndarray | None = None, **how: Any) -> list[float]:
        """Recall of the oracle's best, candidates, and CPU milliseconds a query."""
        blend = load_blend(directory, **how)
        queries = self.queries
        if users is not None:
            queries = [replace(q, user_vector=v) for q, v in zip(queries, users, strict=True)]
        began = time.process_time()
        lists = [blend.recall(query) for query in queries]
        spent = (time.process_time() - began) * 1_000 / len(queries)
        found = [np.isin(a, b.video).mean() for a, b in zip(self.wanted, lists, strict=True)]
        return [float(np.mean(found)), float(np.mean([len(b) for b in lists])), spent]


def declared(arena: Arena) -> list[np.ndarray]:
    """Rows of the tags that each user declared."""
    rows = {name: row for row, name in enumerate(arena.catalogue.tag_names)}
    told = arena.view.users.table.column("interests").to_pylist()
    return [np.array([rows[t] for t in tags or [] if t in rows], np.int64) for tags in told]


def blends(
    settings: RecallSettings, names: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways to blend some sources."""
    none = {f"{name}_quota": 0.0 for name in SOURCES}
    even = none | {f"{name}_quota": 1 / len(names) for name in names}
    yield "as set", {}
    yield "no quotas", {"settings": settings.model_copy(update=none)}
    yield "equal quotas", {"settings": settings.model_copy(update=even)}
    yield (
        "equal weights",
        {
            "settings": settings.model_copy(
                update=none | {f"{name}_weight": 1.0 for name in SOURCES}
            )
        },
    )


def measure_all(bench: Bench, settings: RecallSettings, directory: Path) -> dict[str, list[float]]:
    """All rows of the table."""
    fit_recall(bench.arena.view, settings, directory)
    found = {f"{name} alone": bench.measure(directory, only=[name]) for name in LEARNED}
    for label, how in blends(settings, LEARNED):
        found[f"these three, {label}"] = bench.measure(directory, **how)
    for blur in BLURS:
        users, items = bench.vectors(blur)
        index = directory / VECTOR_DIRECTORY
        build_index(items, bench.arena.live, settings, index, users)
        name = f"vector, errors {blur:g}"
        found[f"{name}, alone"] = bench.measure(directory, users, only=["vector"])
        for label, how in blends(settings, SOURCES):
            found[f"{name}, all four {label}"] = bench.measure(directory, users, **how)
    return found


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="demo", choices=("tiny", "demo", "full"))
    parser.add_argument("--work", type=Path, default=Path("work"))
    parser.add_argument("--users", type=int, default=300)
    given = parser.parse_args()
    settings = preset_settings(given.preset)
    dataset = Dataset.open(given.work / "datasets" / settings.world.name)
    truth = sealed_truth(dataset, given.work / "truth")
    if truth is None:
        raise SystemExit(f"{dataset.path} is not a world: nobody knows its truth")
    arena = make_arena(
        dataset,
        split(dataset, settings.datasets),
        np.zeros((dataset.record.videos, 1), np.float32),
        target="click",
        context=standard_context(),
        sample=given.users,
        seed=settings.seed,
    )
    true = truth.click(arena.sample, arena.view.as_of, arena.view.context)
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(arena, true, arena.sample)
        found = measure_all(bench, settings.recall, Path(directory) / "recall")
    table = Table(title=f"recall@{settings.recall.candidates} of the oracle's best {BEST}")
    for name in ("source", "recall", "candidates", "CPU ms"):
        table.add_column(name, justify="left" if name == "source" else "right")
    for name, (recall, count, spent) in found.items():
        table.add_row(name, f"{recall:.3f}", f"{count:,.0f}", f"{spent:.2f}")
    console = Console()
    console.print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    out = OUT / f"recall-sources-{given.preset}.json"
    out.write_text(json.dumps({"preset": given.preset, "rows": found}, indent=2) + "\n")
    console.print(f"written to {out}")


if __name__ == "__main__":
    main()
