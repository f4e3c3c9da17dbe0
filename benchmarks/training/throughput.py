"""Rows per second of training by Lightning, beside a bare loop over the same tensors.

Both sides take the same batches, losses, optimizer, clipping, averaging and validation, in turns in
one process, each from fresh weights; the bare loop has no trainer, no callbacks, no logs and no
checkpoints. That they end in the same weights shows that they did the same work::

    .venv/bin/python benchmarks/training/throughput.py --preset demo
"""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.datasets.split import split
from shortlist.datasets.store import Dataset
from shortlist.encoders.text import video_texts
from shortlist.encoders.videos import load_encoder
from shortlist.ranker.batching import EpochOrder, loader
from shortlist.ranker.fit import Prepared, prepare
from shortlist.ranker.outcomes import OutcomeTraining
from shortlist.ranker.trainer import run
from shortlist.settings.loading import preset_settings
from shortlist.settings.ranker import RankerSettings
from shortlist.settings.tree import Settings
from shortlist.world.generate import generate

OUT: Final = Path("work/benchmarks")
GOAL: Final = 0.8


class Side(NamedTuple):
    """One run of one side."""

    rows: int
    seconds: float
    cpu_seconds: float
    """Of the whole process: what other work on the machine took away is not in it."""
    weights: float
    """A sum over all weights, which tells two runs apart."""


def view_of(settings: Settings, directory: Path, dataset: Dataset | None) -> TrainingView:
    """The history of a dataset, or of a world made for the purpose."""
    if dataset is None:
        dataset, _ = generate(
            settings.world, settings.seed, directory / "datasets", directory / "truth"
        )
    cut = split(dataset, settings.datasets)
    users, catalogue = Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    first, last = cut.history.first, cut.history.last
    return TrainingView(
        users=users,
        catalogue=catalogue,
        log=Interactions.load(dataset, users, catalogue, first, last, context=True),
        content=load_encoder(settings.encoders).encode(video_texts(catalogue.table)),
        as_of=cut.as_of,
        target="click",
        context=np.zeros(CONTEXT_WIDTH, np.float32),
        seed=settings.seed,
    )


class First(EpochOrder):
    """The first batches of each epoch."""

    def __init__(self, order: EpochOrder, most: int) -> None:
        super().__init__(order.windows, order.size, order.seed, order.rank, order.ranks)
        self.most = most

    def __len__(self) -> int:
        return min(self.most, super().__len__())

    def __iter__(self) -> Iterator[Any]:
        yield from islice(super().__iter__(), self.most)


def shortened(prepared: Prepared, most: int) -> Prepared:
    """With so many batches of training and of validation at most."""
    learned: Any = prepared.learned
    tuned: Any = prepared.tuned
    return replace(
        prepared,
        learned=loader(learned.dataset.windows, First(learned.sampler, most)),
        tuned=loader(tuned.dataset.windows, tuned.sampler[:most]),
    )


class Untrained(OutcomeTraining):
    """A training without a trainer: what its hooks would ask of one."""

    epoch = 0

    @property
    def current_epoch(self) -> int:
        """As the loop counts."""
        return self.epoch

    def log_dict(self, *losses: Any, **how: Any) -> None:
        """Nobody reads them."""


def by_lightning(prepared: Prepared, settings: RankerSettings) -> None:
    """As a user trains."""
    with tempfile.TemporaryDirectory() as scratch:
        run(prepared.training, prepared.learned, prepared.tuned, settings, Path(scratch))


def bare(prepared: Prepared, settings: RankerSettings) -> None:
    """The same by hand."""
    training: Any = prepared.training
    training.__class__ = Untrained
    chosen = training.configure_optimizers()
    optimizer, schedule = chosen["optimizer"], chosen["lr_scheduler"]["scheduler"]
    # In the optimizer's order, in which Lightning clips: a norm's last digit depends on it.
    clipped = [weight for group in optimizer.param_groups for weight in group["params"]]
    order: Any = prepared.learned.sampler
    for epoch in range(settings.epochs):
        training.epoch = epoch
        order.set_epoch(epoch)
        training.train()
        training.on_train_epoch_start()
        for step, batch in enumerate(prepared.learned):
            training.on_train_batch_start(batch, step)
            optimizer.zero_grad()
            training.training_step(batch, step).backward()
            torch.nn.utils.clip_grad_norm_(clipped, settings.gradient_clip)
            optimizer.step()
            schedule.step()
            training.on_train_batch_end(None, batch, step)
        training.eval()
        with torch.no_grad():
            for step, batch in enumerate(prepared.tuned):
                training.validation_step(batch, step)
    training.on_train_end()


def timed(
    side: Callable[[Prepared, RankerSettings], None],
    view: TrainingView,
    recalled: np.ndarray[Any, np.dtype[np.int64]],
    settings: RankerSettings,
    batches: int,
) -> Side:
    """Seconds of one side, from fresh weights."""
    prepared = shortened(prepare(view, recalled, settings), batches)
    rows = sum(int(batch.predicted.sum()) for batch in prepared.learned) * settings.epochs
    training: Any = prepared.training
    weights: list[float] = []

    def ended() -> None:
        sums = [weight.detach().double().sum().item() for weight in training.parameters()]
        weights.append(sum(sums))

    # Before Lightning goes back to the best epoch.
    training.on_train_end = ended
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    side(prepared, settings)
    return Side(rows, time.perf_counter() - began, time.process_time() - cpu, weights[0])


def main() -> None:
    """Measure and print; leave the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=["tiny", "demo", "full"], default="tiny")
    parser.add_argument("--dataset", type=Path, help="an existing dataset instead of a new world")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batches", type=int, default=100, help="of an epoch, at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT / "training-throughput.json")
    given = parser.parse_args()
    settings = preset_settings(given.preset)
    ranker = settings.ranker.model_copy(
        # One epoch more than is trained could be patient for: neither side stops early.
        update={"epochs": given.epochs, "patience": given.epochs, "threads": given.threads}
    )
    sides = {"Lightning": by_lightning, "bare loop": bare}
    with tempfile.TemporaryDirectory() as directory:
        found = Dataset.open(given.dataset) if given.dataset else None
        view = view_of(settings, Path(directory), found)
        rng = np.random.default_rng(0)
        shape = (len(view.users), ranker.list_recalled)
        recalled = rng.integers(0, len(view.catalogue), shape)
        runs: dict[str, list[Side]] = {name: [] for name in sides}
        for turn in range(given.rounds):
            # Neither side always goes first.
            for name in sorted(sides, reverse=bool(turn % 2)):
                runs[name].append(timed(sides[name], view, recalled, ranker, given.batches))
    first, second = (runs[name] for name in sides)
    ratios = {
        measure: [
            getattr(b, measure) / getattr(a, measure) for a, b in zip(first, second, strict=True)
        ]
        for measure in ("seconds", "cpu_seconds")
    }
    same = len({side.weights for done in runs.values() for side in done}) == 1
    told = {
        "preset": given.preset,
        "epochs": given.epochs,
        "threads": given.threads,
        "runs": {name: [side._asdict() for side in done] for name, done in runs.items()},
        "ratios": ratios,
        "median_ratio": {measure: median(each) for measure, each in ratios.items()},
        "goal": GOAL,
        "same_weights": same,
    }
    table = Table("side", "rows", "rows a second, each round", "rows a CPU second")
    for name, done in runs.items():
        speeds = [[side.rows / side.seconds, side.rows / side.cpu_seconds] for side in done]
        columns = (
            " ".join(f"{speed:,.0f}" for speed in each) for each in zip(*speeds, strict=True)
        )
        table.add_row(name, f"{done[0].rows:,}", *columns)
    console = Console(width=100)
    console.print(f"{given.preset}, {given.epochs} epochs, {given.threads} threads")
    console.print(table)
    for measure, each in ratios.items():
        console.print(f"Lightning's share of the bare loop's rows: {median(each):.3f} by {measure}")
    console.print(
        f"goal {GOAL}; weights {'are the same to the last digit' if same else 'DIFFER: '}"
        + ("" if same else " ".join(f"{side.weights!r}" for side in (first[0], second[0])))
    )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
