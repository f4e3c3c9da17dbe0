"""What every benchmark of serving takes and leaves: arguments, the machine, JSON, what failed."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

OUT: Final = Path("work/benchmarks")
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


def ended(
    given: argparse.Namespace, name: str, result: Mapping[str, Any], problems: Sequence[str]
) -> None:
    """Write the JSON, and end with a failure where something must not have been."""
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"serving-{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    for problem in problems:
        CONSOLE.print(f"[red]FAILED[/red]: {problem}")
    if problems:
        raise SystemExit(1)
