"""Training curves as a file: what each loss was, epoch by epoch; read without the trainer."""

import json
from collections.abc import Mapping
from pathlib import Path

Points = list[tuple[int, float]]


def save_curves(curves: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """Write name to [[epoch, value], ...] as JSON, names sorted.

    Args:
        curves: value by epoch, by name.
        path: file to write.
    """
    lists = {name: sorted(points.items()) for name, points in sorted(curves.items())}
    path.write_text(json.dumps(lists, indent=1) + "\n")


def load_curves(path: Path) -> dict[str, Points]:
    """Read what `save_curves` wrote."""
    lists = json.loads(path.read_text())
    return {name: [(int(epoch), float(value)) for epoch, value in lists[name]] for name in lists}
