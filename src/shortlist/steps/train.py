"""The train step: the ranker, from the history and from what the recall tables find."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.datasets.interactions import TrainingView
from shortlist.ranker.artefacts import ITEM_VECTORS, Note
from shortlist.ranker.together import Processes, announce, hear
from shortlist.settings.tree import Settings
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.logs import FOLDER, keep_logs
from shortlist.steps.output import Output
from shortlist.steps.recalled import READ, recalled_by_tables
from shortlist.steps.step import Step

TRAIN: Final = Step(
    "train",
    sources=(
        *view.SOURCES,
        "ranker",
        "recall",
        "steps/logs.py",
        "steps/recalled.py",
        "steps/train.py",
    ),
    settings=("seed", "ranker", *view.SETTINGS, *(f"recall.{name}" for name in READ)),
)


def train(
    engine: Engine, inputs: Mapping[str, str], tables: Path, learned: Callable[[], TrainingView]
) -> Output:
    """Train the ranker and write its artefacts, or find them; a killed training goes on.

    Args:
        engine: runs the step.
        inputs: digests of the data, of the content vectors and of the recall tables.
        tables: directory of the recall tables.
        learned: loads what to learn from; asked only where something is to be learned.

    Raises:
        InputError: the history knows nothing of the target.
        SettingsError: other than `ranker.processes` processes train.
        StorageError: the disk refused.
    """

    def body(into: Path, scratch: Path) -> str:
        logs = engine.settings.paths.work / FOLDER / scratch.parent.name
        keep_logs(scratch, logs)
        announce(str(scratch))
        Processes.found().expect(engine.settings.ranker.processes)
        # Imported here: a ranker that is found, or refused, needs no torch.
        from shortlist.ranker.fit import train_ranker  # noqa: PLC0415

        settings, history = engine.settings, learned()
        company = recalled_by_tables(
            history, tables, settings.recall, settings.ranker.list_recalled
        )
        train_ranker(history, company, settings.ranker, into, scratch)
        videos, width = np.load(into / ITEM_VECTORS, mmap_mode="r").shape
        told = f"{videos:,} item vectors of width {width}, three graphs; curves in {logs}"
        silent = Note.load(into).silent
        return told if not silent else f"{told}; worth nothing, so left out: {', '.join(silent)}"

    output = engine.run(TRAIN, inputs, body)
    if output.reused:
        announce(None)
    return output


def join(
    settings: Settings, tables: Callable[[], Path], learned: Callable[[], TrainingView]
) -> None:
    """Take this process's share of what the first one trains as a step, if it trains.

    Args:
        settings: the tree, as of the first process.
        tables: finds the recall tables that the first process has made by then.
        learned: loads what to learn from.

    Raises:
        InputError: the history knows nothing of the target.
    """
    scratch = hear()
    if scratch is None:
        return
    from shortlist.ranker.fit import fit  # noqa: PLC0415

    history = learned()
    company = recalled_by_tables(history, tables(), settings.recall, settings.ranker.list_recalled)
    fit(history, company, settings.ranker, Path(scratch))
