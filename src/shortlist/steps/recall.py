"""The recall step: the tables of the sources that learn from the log."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shortlist.datasets.interactions import TrainingView
from shortlist.recall.fitting import fit_recall
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

RECALL: Final = Step(
    "recall",
    sources=(*view.SOURCES, "recall", "steps/recall.py"),
    settings=("seed", "recall", "datasets", "evaluation.target"),
    free=("datasets.source",),  # The data's digest says more.
)


def fit(engine: Engine, inputs: Mapping[str, str], learned: Callable[[], TrainingView]) -> Output:
    """Fit the tables of popularity, tags and the collaborative source, or find them fitted.

    Args:
        engine: runs the step.
        inputs: digests of the data and of the content vectors.
        learned: loads what to learn from; asked only where something is to be learned.

    Raises:
        StorageError: the disk refused.
    """

    def body(into: Path, _: Path) -> str:
        history = learned()
        fit_recall(history, engine.settings.recall, into)
        return f"tables of {len(history.catalogue):,} videos from {len(history.log):,} impressions"

    return engine.run(RECALL, inputs, body)
