"""Datasets by their names: the directories below ``datasets`` in the work directory."""

from pathlib import Path

from shortlist.datasets.layout import RECORD
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError, NotFoundError
from shortlist.spelling import nearest


def datasets_directory(work: Path) -> Path:
    """Where datasets lie, given the setting ``paths.work``."""
    return work / "datasets"


def plain_name(name: str) -> str:
    """A dataset's name, held to be that of one directory.

    Raises:
        InputError: it is a path, hidden or empty.
    """
    if not name or name.startswith(".") or "/" in name or "\\" in name:
        raise InputError(f"a dataset cannot be called {name!r}; write a name without / or . first")
    return name


def open_named(work: Path, name: str) -> Dataset:
    """Open a dataset by name, or by the path of its directory where ``name`` has a slash.

    Raises:
        NotFoundError: there is none; the message names the nearest that there is.
        CorruptError: it is torn.
    """
    if "/" in name:
        return Dataset.open(Path(name))
    directory = datasets_directory(work)
    if not (directory / plain_name(name) / RECORD).is_file():
        known = sorted(record.parent.name for record in directory.glob(f"*/{RECORD}"))
        none = "make one with `shortlist world make` or `shortlist import`"
        remedy = nearest(name, known) if known else f"; {none}"
        raise NotFoundError(f"no dataset {name!r} in {directory}{remedy}")
    return Dataset.open(directory / name)
