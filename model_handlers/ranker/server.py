"""The predictor's server put together: archive, configuration, and the settings for its workers."""

import os
from collections.abc import Mapping
from pathlib import Path

from model_handlers.environment import environment
from model_handlers.ranker.archive import write_archive
from shortlist.serving.torchserve import ModelFiles, TorchServe
from shortlist.settings import Settings

_HERE = Path(__file__).parent
_BRANCHES = ("paths", "serving")


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

    The keys of callers are not among them: nobody calls the predictor with one.
    """
    return environment(settings, _BRANCHES, environ)
