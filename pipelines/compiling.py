"""Compiling: the pipeline as the file that a Kubeflow Pipelines server takes."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kfp import compiler

from pipelines.definition import definition
from pipelines.placement import Placement
from shortlist.files import staged_file


def compile_pipeline(placement: Placement, target: Path) -> None:
    """Write the pipeline as two YAML documents, its specification and its platform's.

    The same bytes for the same placement.

    Raises:
        StorageError: the disk refused.
    """
    with quiet(), staged_file(target) as aside:
        compiler.Compiler().compile(definition(placement), str(aside))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep to itself what kfp says of its own ways; its errors are raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
