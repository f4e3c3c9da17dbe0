"""What every benchmark of serving takes and leaves: arguments, the machine, JSON, what failed."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

OUT: Final = Path("work/benchmarks")
FULL_VIDEOS: Final = 50_000
"""Goals are for a catalogue as large as that of the preset `full`."""
CONSOLE: Final = Console(width=100)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark of serving takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, default=Path("work"), help="directory with bundles and datasets"
    )
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], help="a setting: NAME=VALUE"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="directory of the JSON")
    parser.add_argument("--seed", type=int, default=7)
    return parser


def machine() -> dict[str, Any]:
    """Where figures were taken."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    return {"cpu": model, "cores": os.cpu_count(), "load": os.getloadavg()[0]}


def goal(videos: int, told: str) -> str:
    """A goal as a table tells it, and whether this catalogue is one to judge it by.

    >>> goal(50_000, "at most 2 x"), goal(900, "at most 2 x")
    ('goal: at most 2 x', 'goal: at most 2 x, NOT JUDGED by 900 of 50,000 videos')
    """
    unjudged = f", NOT JUDGED by {videos:,} of {FULL_VIDEOS:,} videos"
    return f"goal: {told}{'' if videos >= FULL_VIDEOS else unjudged}"


def ended(
    given: argparse.Namespace,
    name: str,
    result: Mapping[str, Any],
    problems: Sequence[str],
    missed: Sequence[str] = (),
) -> None:
    """Write the JSON, and end with a failure where something must not have been.

    Args:
        given: by `arguments`.
        name: of the benchmark.
        result: what it found; `videos` is the size of the catalogue.
        problems: what must not be, whatever the catalogue.
        missed: goals that were; told, but no failure where the catalogue is too small to judge.
    """
    judged = result["videos"] >= FULL_VIDEOS
    told = {**result, "judged": judged, "problems": [*problems], "missed": [*missed]}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"serving-{name}.json").write_text(json.dumps(told, indent=2) + "\n")
    failed = [*problems, *(missed if judged else ())]
    for problem in failed:
        CONSOLE.print(f"[red]FAILED[/red]: {problem}")
    for one in () if judged else missed:
        CONSOLE.print(f"[yellow]not judged[/yellow]: {one}")
    if failed:
        raise SystemExit(1)
