"""How fast a world is made, beside writing the same columns from plain numpy draws.

Both sides run once each, in processes of their own, through the same Parquet writer::

    .venv/bin/python benchmarks/world/speed.py --preset demo
"""

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from shortlist.datasets import schema
from shortlist.datasets.store import DatasetWriter
from shortlist.settings.loading import preset_settings
from shortlist.settings.tree import Settings
from shortlist.world.generate import generate

SIDES: Final = ("world", "plain")
OUT: Final = Path("work/benchmarks")
_WORDS: Final = np.array([f"word{number}" for number in range(500)])
_CONTINUOUS: Final = [
    schema.CONTEXT_FEATURES.index(name)
    for name in ("hour_sin", "hour_cos", "session_depth", "session_of_day", "hours_since_last")
]


def make_world(settings: Settings, directory: Path) -> int:
    """Make the world of the settings below ``directory``; returns its impressions."""
    dataset, _ = generate(
        settings.world, settings.seed, directory / "datasets", directory / "truth"
    )
    return dataset.record.impressions


def make_plain(settings: Settings, directory: Path) -> int:
    """Write as many rows of every table from independent draws; returns the impressions."""
    world, rng = settings.world, np.random.default_rng(settings.seed)
    writer = DatasetWriter(directory / "plain", source="plain draws", key="0" * 64)
    writer.write_users(plain_users(rng, world.users))
    writer.write_videos(plain_videos(rng, world.videos))
    rows = world.impressions // world.days
    for day in range(world.days):
        date = world.first_day + dt.timedelta(days=day)
        impressions = plain_day(rng, date, rows, users=world.users, videos=world.videos)
        offset = pa.array(np.arange(day * rows, (day + 1) * rows))
        writer.write_day(date, impressions.set_column(0, "impression_id", offset).cast(
            schema.IMPRESSIONS))  # fmt: skip
    return writer.finish().record.impressions


def plain_users(rng: np.random.Generator, count: int) -> pa.Table:
    """Users without any law."""
    return pa.table(
        {
            "user_id": np.arange(count),
            "external_id": pa.nulls(count, pa.string()),
            "language": _WORDS[rng.integers(0, 4, count)],
            "age_band": _WORDS[rng.integers(0, 5, count)],
            "activity": _WORDS[rng.integers(0, 4, count)],
            "interests": _WORDS[rng.integers(0, 60, (count, 2))].tolist(),
            "registered_days": rng.integers(0, 3_000, count).astype(np.int32),
        },
        schema=schema.USERS,
    )


def plain_videos(rng: np.random.Generator, count: int) -> pa.Table:
    """Videos without any law."""
    return pa.table(
        {
            "video_id": np.arange(count),
            "external_id": pa.nulls(count, pa.string()),
            "title": [" ".join(words) for words in _WORDS[rng.integers(0, 500, (count, 6))]],
            "tags": _WORDS[rng.integers(0, 60, (count, 2))].tolist(),
            "creator_id": rng.integers(0, max(count // 10, 1), count),
            "duration_seconds": rng.lognormal(4, 1, count).astype(np.float32),
            "language": _WORDS[rng.integers(0, 4, count)],
            "uploaded_at": pa.array(rng.integers(0, 10**12, count), pa.timestamp("ms", tz="UTC")),
        },
        schema=schema.VIDEOS,
    )


def plain_day(
    rng: np.random.Generator, date: dt.date, rows: int, *, users: int, videos: int
) -> pa.Table:
    """A day of impressions without any law; context features as coarse as the world's."""
    context = (rng.random((rows, schema.CONTEXT_WIDTH), np.float32) < 0.3).astype(np.float32)
    context[:, _CONTINUOUS] = rng.random((rows, len(_CONTINUOUS)), np.float32)
    watched = rng.lognormal(1.5, 1.2, rows).astype(np.float32)
    day = (date - dt.date(1970, 1, 1)).days
    return pa.table(
        {
            "impression_id": np.arange(rows),
            "user_id": rng.integers(0, users, rows),
            "video_id": rng.integers(0, videos, rows),
            "day": pa.array(np.full(rows, day, np.int32)).cast(pa.date32()),
            "shown_at": pa.array(
                day * 86_400_000 + np.sort(rng.integers(0, 86_400_000, rows)),
                pa.timestamp("ms", tz="UTC"),
            ),
            "session_id": np.arange(rows) // 9,
            "position": (np.arange(rows) % 9).astype(np.int16),
            "context": pa.FixedSizeListArray.from_arrays(context.ravel(), schema.CONTEXT_WIDTH),
            "propensity": rng.random(rows).clip(1e-6),
            "random_exposure": rng.random(rows) < 0.1,
            "click": rng.random(rows) < 0.4,
            "watch_seconds": watched,
            "long_view": watched > 18,
            "like": rng.random(rows) < 0.02,
            "skip": watched < 2,
        },
        schema=schema.IMPRESSIONS,
    )


def measure(side: str, preset: str) -> dict[str, float]:
    """Run one side in a process of its own."""
    with tempfile.TemporaryDirectory(dir=OUT) as directory:
        command = [sys.executable, __file__, "--preset", preset, "--side", side, "--in", directory]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def run_side(side: str, settings: Settings, directory: Path) -> dict[str, float]:
    """Run one side here and measure this process."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    rows = (make_world if side == "world" else make_plain)(settings, directory)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1 if sys.platform == "darwin" else 1_024
    return {
        "rows": rows,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "rows_per_cpu_second": round(rows / cpu),
        "peak_memory_mb": round(after.ru_maxrss * unit / 2**20),
    }


def main() -> None:
    """Measure both sides, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="demo", choices=("tiny", "demo", "full"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="directory", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side is not None:
        settings = preset_settings(given.preset)
        sys.stdout.write(json.dumps(run_side(given.side, settings, given.directory)))
        return
    OUT.mkdir(parents=True, exist_ok=True)
    found = {side: measure(side, given.preset) for side in SIDES}
    ratio = found["world"]["rows_per_cpu_second"] / found["plain"]["rows_per_cpu_second"]
    table = Table(title=f"making {given.preset}")
    for name in ("side", "rows", "seconds", "CPU seconds", "rows a CPU second", "peak MB"):
        table.add_column(name, justify="left" if name == "side" else "right")
    for side, figures in found.items():
        table.add_row(side, *(f"{figure:,}" for figure in figures.values()))
    console = Console()
    console.print(table)
    console.print(f"the world is made at {ratio:.2f} of the speed of plain draws")
    out = OUT / f"world-speed-{given.preset}.json"
    out.write_text(json.dumps({"preset": given.preset, **found, "ratio": ratio}, indent=2) + "\n")
    console.print(f"written to {out}")


if __name__ == "__main__":
    main()
