"""Arrays kept in one file, so that what was computed once is found: whole, or not at all."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from shortlist.files import staged_file

Arrays = dict[str, npt.NDArray[Any]]


def save_arrays(path: Path, values: Mapping[str, Any]) -> None:
    """Write arrays and plain values by name, aside first.

    Raises:
        StorageError: the disk is full or refuses.
    """
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **values)
    with staged_file(path) as aside:
        aside.write_bytes(buffer.getvalue())


def load_arrays(path: Path, names: Iterable[str]) -> Arrays | None:
    """Read what ``save_arrays`` wrote; None where there is nothing, it is torn or lacks a name."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (FileNotFoundError, BadZipFile, KeyError, ValueError, EOFError):
        return None
