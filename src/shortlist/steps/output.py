"""A finished output on disk: its files, the record that names them by their bytes, and the run."""

import hashlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.files import file_digest
from shortlist.steps.step import Dependencies

RECORD: Final = "step.json"
RUN: Final = "run.json"
FILES: Final = "output"


class Record(BaseModel):
    """What was made from what; equal dependencies give equal records, on any machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    dependencies: Dependencies
    files: dict[str, str]
    """SHA-256 of every file, by its path; sidecars are not among them."""

    @property
    def digest(self) -> str:
        """One hash over all files: what later steps depend on."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()


class Run(BaseModel):
    """How it was made; no two runs agree on it, so nothing is hashed of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    said: str
    """What the step said of what it did."""
    seconds: float
    host: str
    sidecars: dict[str, str]
    """SHA-256 of every file that tells of the run, by its path."""
    stamps: dict[str, tuple[int, int]]
    """Size in bytes and time of change in ns of every file, when it was finished."""


@dataclass(frozen=True)
class Output:
    """What a step put out.

    Attributes:
        path: directory of its files.
        digest: one hash over these; to be handed to steps that read them.
        said: what the step said of what it did.
        reused: whether it was found, not made.
    """

    path: Path
    digest: str
    said: str
    reused: bool


def seal(aside: Path, dependencies: Dependencies, sidecars: Sequence[str]) -> None:
    """Write the record of what lies in ``aside / FILES`` beside it.

    Args:
        aside: the staged directory.
        dependencies: of the run.
        sidecars: patterns of files that are not hashed.
    """
    names, _ = _files(aside / FILES, sidecars)
    record = Record(
        key=dependencies.key, dependencies=dependencies, files=_digests(aside / FILES, names)
    )
    (aside / RECORD).write_text(record.model_dump_json(indent=2) + "\n")


def note_run(aside: Path, sidecars: Sequence[str], said: str, seconds: float) -> None:
    """Write down how the output in ``aside`` came about."""
    results, told = _files(aside / FILES, sidecars)
    run = Run(
        said=said,
        seconds=seconds,
        host=socket.gethostname(),
        sidecars=_digests(aside / FILES, told),
        stamps={name: _stamp(aside / FILES / name) for name in (*results, *told)},
    )
    (aside / RUN).write_text(run.model_dump_json(indent=2) + "\n")


def find(finished: Path, key: str, sidecars: Sequence[str]) -> Output | None:
    """The output in ``finished`` if it is whole, sidecars and all, and of this key.

    A file that has the size and time of change it was finished with is believed; of any other
    the bytes are hashed, so that a copied output is good and an edited one is not.
    """
    try:
        record = Record.model_validate_json((finished / RECORD).read_bytes())
        run = Run.model_validate_json((finished / RUN).read_bytes())
        results, told = _files(finished / FILES, sidecars)
        if record.key != key or set(results) != set(record.files) or set(told) != set(run.sidecars):
            return None
        for name, digest in {**record.files, **run.sidecars}.items():
            path = finished / FILES / name
            if _stamp(path) != run.stamps.get(name) and file_digest(path) != digest:
                return None
    except (OSError, ValidationError):
        return None
    return Output(path=finished / FILES, digest=record.digest, said=run.said, reused=True)


def _files(files: Path, sidecars: Sequence[str]) -> tuple[list[str], list[str]]:
    """Paths of the files that are a result, and of those that tell of the run, each in order."""
    results: list[str] = []
    told: list[str] = []
    for path in sorted(files.rglob("*")):
        if path.is_file():
            name = path.relative_to(files)
            kind = told if any(name.match(pattern) for pattern in sidecars) else results
            kind.append(name.as_posix())
    return results, told


def _digests(files: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: file_digest(files / name) for name in sorted(names)}


def _stamp(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns
