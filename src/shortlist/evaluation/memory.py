"""How much memory a piece of work takes at its highest."""

import contextlib
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


@dataclass
class Peak:
    """Filled when the block ends."""

    megabytes: float = float("nan")


@contextlib.contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the resident memory of this process at its highest inside the block.

    Linux lets the high-water mark be reset; elsewhere the mark of the whole process is given.
    """
    with contextlib.suppress(OSError):
        _RESET.write_text("5")
    peak = Peak()
    try:
        yield peak
    finally:
        peak.megabytes = _high_water()


def _high_water() -> float:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1_024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1_048_576
