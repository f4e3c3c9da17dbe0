"""From the naive wiring to ours, one change a rung: pages a second, and what each page costs.

The lowest rung is what the two servers offer by default: the candidates' content vectors cross as
JSON numbers, TorchServe parses them, every candidate goes through the four layers, histories are
encoded for each request, and KServe's own client asks. Each rung changes one of these; the last is
the product. So many requests are under way at all times, and the budget is so long that none is
refused: what counts is how many pages come out::

    .venv/bin/python -m benchmarks.serving.ladder --work work
"""

import contextlib
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.serving.loaded import Loaded
from benchmarks.serving.reporting import CONSOLE, arguments, ended, goal, machine
from benchmarks.serving.running import (
    NAIVE,
    Part,
    Prepared,
    Running,
    filled,
    prepared,
    started,
)
from benchmarks.serving.timing import quantiles
from benchmarks.serving.traffic import first_pages, warmed
from model_handlers import ranker
from model_handlers.local.parts import Predictor, Redis, Transformer
from model_handlers.ranker.archive import write_archive
from model_handlers.ranker.server import worker_environment
from shortlist.serving.torchserve import ModelFiles, TorchServe

GOAL: Final = 10.0
_HERE: Final = Path(__file__).parent
_PATIENT: Final = (
    "serving.budget_ms=60000",
    "serving.reserve_ms=1000",
    "online.timeout_ms=5000",
    # One process on every rung: how many there are is no wiring.
    "serving.transformer_workers=1",
)


@dataclass(frozen=True)
class Rung:
    """One way to wire the service.

    Attributes:
        change: to the rung below.
        transformer: what is naive in it; see `rung_transformer`.
        predictor: ``parsing``: TorchServe parses bodies, and all candidates are listed;
            ``listing``: all candidates are listed; ``ours``.
    """

    change: str
    transformer: frozenset[str]
    predictor: str


RUNGS: Final = (
    Rung("naive: all four", frozenset({"features", "sdk", "encoding"}), "parsing"),
    Rung("rows of a shared table instead of features", frozenset({"sdk", "encoding"}), "listing"),
    Rung("a cascade: the four layers on 100", frozenset({"sdk", "encoding"}), "ours"),
    Rung("user vectors kept, not encoded each time", frozenset({"sdk"}), "ours"),
    Rung("a client of our own: the product", frozenset(), "ours"),
)


class RungPredictor(Predictor):
    """The predictor with the handler of the ladder."""

    def __init__(self, given: Prepared, *, parsing: bool) -> None:
        super().__init__(given.plan, given.directory)
        settings = given.plan.settings
        home = Path(ranker.__file__).parent
        properties = given.directory / "config.properties"
        properties.write_text(_properties((home / "config.properties").read_text(), parsing))
        files = ModelFiles(
            archive=_archive(write_archive(settings.serving, given.directory / "archive")),
            properties=properties,
            metrics=home / "metrics.yaml",
            logging=home / "log4j2.xml",
        )
        environ = worker_environment(settings, os.environ)
        self._server = TorchServe(files, settings.serving, environ=environ, home=self._home)


def _properties(text: str, parsing: bool) -> str:
    """Bodies of any size; parsed by TorchServe, as it does by default, or not."""
    told = dict.fromkeys(("max_request_size", "max_response_size"), "67108864")
    told["decode_input_request"] = str(parsing).lower()
    kept = [line for line in text.splitlines() if line.partition("=")[0] not in told]
    return "\n".join([*kept, *(f"{name}={value}" for name, value in told.items())]) + "\n"


def _archive(ours: Path) -> Path:
    """The archive with the ladder's handler in it."""
    aside = ours.with_suffix(".aside")
    with zipfile.ZipFile(ours) as read, zipfile.ZipFile(aside, "w") as written:
        for one in read.infolist():
            mine = one.filename == "handler.py"
            written.writestr(
                one, (_HERE / "rung_handler.py").read_bytes() if mine else read.read(one)
            )
    aside.replace(ours)
    return ours


class RungTransformer(Transformer):
    """The transformer, wired as a rung has it."""

    def __init__(self, given: Prepared, naive: frozenset[str]) -> None:
        super().__init__(given.plan, given.directory)
        self._command = [sys.executable, "-m", "benchmarks.serving.rung_transformer"]
        self._environ = {**self._environ, NAIVE: ",".join(sorted(naive))}
        self._directory = _HERE.parents[1]


@contextlib.contextmanager
def wired(given: Prepared, redis: Part) -> Iterator[Any]:
    """A way to get each rung, one after the other; predictors stay for rungs that share them."""
    with contextlib.ExitStack() as stack:
        held: dict[str, Part] = {}

        def predictor(kind: str) -> Part:
            if kind not in held:
                stack.close()
                held.clear()
                shutil.rmtree(given.directory / "predictor", ignore_errors=True)
                part = (
                    Predictor(given.plan, given.directory)
                    if kind == "ours"
                    else RungPredictor(given, parsing=kind == "parsing")
                )
                held[kind], _ = stack.enter_context(started(part))
            return held[kind]

        @contextlib.contextmanager
        def rung(one: Rung) -> Iterator[Running]:
            below = predictor(one.predictor)
            part: Part = (
                RungTransformer(given, one.transformer)
                if one.transformer
                else Transformer(given.plan, given.directory)
            )
            with started(part) as (above, _):
                yield Running(given, {each.name: each for each in (redis, below, above)})

        yield rung


def climbed(
    running: Running, users: list[int], rng: np.random.Generator, given: Any
) -> dict[str, Any]:
    """Pages a second, latency, and CPU ms by process."""
    warmed(running, users[: given.warm], rng, seconds=given.seconds / 2)
    targets = first_pages(running, users, given.most, rng)
    loaded = Loaded.of(running, targets, 0.0, at_once=given.at_once, seconds=given.seconds)
    load, tally = loaded.load, loaded.tally
    return {
        "sent": tally.sent,
        "pages_a_second": tally.whole / load.seconds if load.seconds else 0.0,
        "ms": quantiles([one.ms for one in loaded.found]),
        "cpu_ms": loaded.cpu_ms,
        "problems": tally.problems(),
    }


def main() -> None:
    """Climb, print the table, write the JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--warm", type=int, default=100, help="users asked for before each rung")
    parser.add_argument("--at-once", type=int, default=8, help="requests that are under way")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each rung")
    parser.add_argument("--most", type=int, default=10_000, help="requests of each rung")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    rows: list[dict[str, Any]] = []
    with prepared(given, *_PATIENT) as ready, started(Redis(ready.plan, ready.directory)) as of:
        redis, _ = of
        filled(ready)
        users = rng.permutation(Running(ready, {}).users)[: given.users].tolist()
        with wired(ready, redis) as rung:
            for one in RUNGS:
                with rung(one) as running:
                    rows.append({"change": one.change, **climbed(running, users, rng, given)})
    problems = [f"{row['change']}: {said}" for row in rows for said in row["problems"]]
    times = rows[-1]["pages_a_second"] / max(rows[0]["pages_a_second"], 1e-9)
    missed = []
    if times < GOAL:
        missed.append(f"ours is {times:.1f} x the lowest rung, the goal is {GOAL:g}")
    result = {
        "machine": machine(),
        "bundle": ready.bundle.id,
        "videos": ready.bundle.manifest.data.videos,
        "at_once": given.at_once,
        "rungs": rows,
        "times": times,
    }
    CONSOLE.print(_table(rows, given.at_once, result["videos"]))
    ended(given, "ladder", result, problems, missed)


def _table(rows: list[dict[str, Any]], at_once: int, videos: int) -> Table:
    table = Table(title=f"whole pages, {at_once} requests under way; CPU ms a page by process")
    table.caption = goal(videos, f"the highest rung at least {GOAL:g} x the lowest")
    table.add_column("one change a rung")
    for name in ("pages/s", "x lowest", "p50 ms", "transformer", "java", "worker", "all"):
        table.add_column(name, justify="right")
    lowest = max(rows[0]["pages_a_second"], 1e-9)
    for row in rows:
        cpu: Mapping[str, float] = row["cpu_ms"]
        table.add_row(
            row["change"],
            f"{row['pages_a_second']:.1f}",
            f"{row['pages_a_second'] / lowest:.1f}",
            f"{row['ms']['p50']:.0f}",
            *(f"{cpu.get(name, 0.0):.1f}" for name in ("transformer", "java", "worker")),
            f"{sum(cpu.values()):.1f}",
        )
    return table


if __name__ == "__main__":
    main()
