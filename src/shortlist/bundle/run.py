"""The sidecar ``run.json``: when, where and how long a bundle was made. Nothing hashes it."""

import datetime as dt
import importlib.metadata
import platform
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shortlist.bundle.manifest import RUN

_LIBRARIES: Final = (
    "faiss-cpu",
    "implicit",
    "lightning",
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "scipy",
    "shortlist",
    "torch",
)


class RunRecord(BaseModel):
    """How one bundle came to be; a later Shortlist may add fields, an older one ignores them."""

    model_config = ConfigDict(frozen=True)

    made_at: AwareDatetime
    host: str
    run_id: str
    durations: dict[str, float] = {}
    """Seconds, by step."""
    libraries: dict[str, str] = {}
    """Versions, by name of the distribution."""
    code: str | None = None
    """Digest of Shortlist's own code."""

    @classmethod
    def here(
        cls, run_id: str, durations: Mapping[str, float] | None = None, code: str | None = None
    ) -> Self:
        """The record of a run that ends now, on this host."""
        return cls(
            made_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
            host=socket.gethostname(),
            run_id=run_id,
            durations=dict(durations or {}),
            libraries=dict(_installed()),
            code=code,
        )

    def wire(self) -> bytes:
        """The bytes of ``run.json``."""
        return (self.model_dump_json(indent=2) + "\n").encode()


def read_run(bundle: Path) -> RunRecord | None:
    """The sidecar of the bundle at ``bundle``; None where it is missing or unreadable.

    Nothing that serves depends on it, so damage to it condemns no bundle.
    """
    try:
        return RunRecord.model_validate_json((bundle / RUN).read_bytes())
    except (OSError, ValidationError):
        return None


def _installed() -> Iterator[tuple[str, str]]:
    yield "python", platform.python_version()
    for name in _LIBRARIES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
