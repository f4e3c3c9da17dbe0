"""The recall step: the tables of the sources that learn from the log."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shortlist.datasets.interactions import TrainingView
from shortlist.recall.fitting import fit_recall
from shortlist.settings.recall import RecallSettings
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

FITTED: Final = (
    "popularity_score",
    "half_life_days",
    "prior_impressions",
    "als_factors",
    "als_iterations",
    "als_l2",
    "als_confidence",
)
"""Settings of recall by which tables are fitted; all others count when somebody asks."""

RECALL: Final = Step(
    "recall",
    sources=(*view.SOURCES, "recall", "steps/recall.py"),
    settings=("seed", *view.SETTINGS, *(f"recall.{name}" for name in FITTED)),
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
        fit_recall(history, fitted_by(engine.settings.recall), into)
        return f"tables of {len(history.catalogue):,} videos from {len(history.log):,} impressions"

    return engine.run(RECALL, inputs, body)


def fitted_by(settings: RecallSettings) -> RecallSettings:
    """The settings with which tables are fitted, all others as they are by default.

    Tables write down their settings. So what does not shape them leaves no mark on them, and
    nobody who stands on them is made again for it.
    """
    return RecallSettings().model_copy(update={name: getattr(settings, name) for name in FITTED})
