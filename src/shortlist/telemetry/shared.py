"""What several processes of one server count, told as if one had counted it.

Each counts in files of its own in a directory that all of them know. A process is named by its
place among them, not by its id: one that takes a dead one's place counts on from there, so that no
counter goes back, and no file is left over.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def share(directory: Path, place: int) -> None:
    """Count in files from now on; only what is declared later is shared.

    Args:
        directory: of all processes of the server, and of nobody else.
        place: of this process among them.
    """
    os.environ[_VARIABLE] = str(directory)
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
        lambda: place
    )


def forget(directory: Path, place: int) -> None:
    """Forget the state of a process that is dead; what it counted stays."""
    mark_process_dead(place, str(directory))  # type: ignore[no-untyped-call]


def together(directory: Path, infos: frozenset[str]) -> CollectorRegistry:
    """What all processes have counted.

    Args:
        directory: as in `share`.
        infos: names of gauges whose series are there or not: those at 0 are not.
    """
    registry = CollectorRegistry()
    registry.register(_Together(directory, infos))
    return registry


class _Together(MultiProcessCollector):
    """The files of a directory, read anew whenever somebody asks."""

    def __init__(self, directory: Path, infos: frozenset[str]) -> None:
        super().__init__(None, str(directory))  # type: ignore[no-untyped-call]
        self._infos = infos

    def collect(self) -> Iterator[Metric]:
        metric: Any
        for metric in super().collect():  # type: ignore[no-untyped-call]
            if metric.name in self._infos:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric
