"""The predictor's server put together: archive, configuration, and the settings for its workers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from model_handlers.environment import environment
from model_handlers.ranker.archive import write_archive
from shortlist.serving.torchserve import ModelFiles, TorchServe
from shortlist.settings import Settings

_HERE = Path(__file__).parent
_BRANCHES = ("paths", "serving")
_MEGABYTE: Final = str(2**20)
_ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": _MEGABYTE, "MALLOC_TRIM_THRESHOLD_": _MEGABYTE}
"""Large arrays of a bundle go back to the system when the next one replaces it.

By itself glibc raises the size from which it maps memory apart as it sees large blocks go, and a
worker grows with every bundle it loads.
"""


def predictor_server(settings: Settings, scratch: Path, home: Path | None = None) -> TorchServe:
    """A TorchServe that serves the published bundle; not started yet.

    Args:
        settings: in force; the workers get the same.
        scratch: directory to write the archive to.
        home: of TorchServe; a temporary one where None.

    Raises:
        StorageError: the disk refused.
    """
    files = ModelFiles(
        archive=write_archive(settings.serving, scratch),
        properties=_HERE / "config.properties",
        metrics=_HERE / "metrics.yaml",
        logging=_HERE / "log4j2.xml",
    )
    environ = worker_environment(settings, os.environ)
    return TorchServe(files, settings.serving, environ=environ, home=home)


def worker_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which a worker finds the same settings, whatever else is set.

    The keys of callers are not among them: nobody calls the predictor with one. How memory is
    allocated is set too, unless ``environ`` says it.
    """
    return {**_ALLOCATOR, **environment(settings, _BRANCHES, environ)}
