"""The index step: recall as it serves, the tables and the index of the ranker's item vectors."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.ranker.artefacts import ITEM_VECTORS
from shortlist.recall.blend import VECTOR_DIRECTORY
from shortlist.recall.index import build_index
from shortlist.recall.tables import Tables
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

INDEX: Final = Step(
    "index",
    sources=("datasets", "ranker/artefacts.py", "recall", "steps/index.py"),
    settings=("recall",),
)


def index(engine: Engine, inputs: Mapping[str, str], tables: Path, ranker: Path) -> Output:
    """Build and measure the index of the live videos, and lay the tables beside it.

    Args:
        engine: runs the step.
        inputs: digests of the recall tables and of the ranker.
        tables: directory of the recall tables.
        ranker: directory of the ranker's artefacts.

    Raises:
        InputError: the ranker's vectors are not finite.
        StorageError: the disk refused.
    """

    def body(into: Path, _: Path) -> str:
        # From here on they say by which settings they are asked.
        fitted = replace(Tables.load(tables), settings=engine.settings.recall)
        fitted.write(into)
        quality = build_index(
            np.load(ranker / ITEM_VECTORS),
            np.array(fitted.live),
            engine.settings.recall,
            into / VECTOR_DIRECTORY,
        )
        return f"{quality.kind} of {quality.vectors:,} videos, recall {quality.recall:.4f}"

    return engine.run(INDEX, inputs, body)
