"""The index step: recall as it serves, the tables and the index of the ranker's item vectors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.bundle.manifest import figure_text
from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Floats, TrainingView
from shortlist.ranker.artefacts import ITEM_VECTORS
from shortlist.ranker.profile import declared, tallies
from shortlist.ranker.scoring import Scorer
from shortlist.recall.blend import VECTOR_DIRECTORY
from shortlist.recall.index import build_index
from shortlist.recall.tables import Tables
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

INDEX: Final = Step(
    "index",
    sources=(
        *view.SOURCES,
        "bundle/manifest.py",
        "ranker/artefacts.py",
        "ranker/inputs.py",
        "ranker/profile.py",
        "ranker/scoring.py",
        "recall",
        "steps/index.py",
    ),
    settings=("recall", "seed", "datasets.test_days"),
)
_AT_ONCE: Final = 64


def index(
    engine: Engine,
    inputs: Mapping[str, str],
    tables: Path,
    ranker: Path,
    learned: Callable[[], TrainingView],
) -> Output:
    """Build the index of the live videos, measure it on users, and lay the tables beside it.

    Args:
        engine: runs the step.
        inputs: digests of the data, of the recall tables and of the ranker.
        tables: directory of the recall tables.
        ranker: directory of the ranker's artefacts.
        learned: loads the history, whose users ask; needed only where something is to be built.

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
            user_vectors(Scorer.load(ranker), learned(), engine.settings.recall.index_queries),
        )
        return (
            f"{quality.kind} of {quality.vectors:,} videos, "
            f"recall {figure_text(quality.recall)} for {quality.queries:,} users"
        )

    return engine.run(INDEX, inputs, body)


def user_vectors(scorer: Scorer, history: TrainingView, count: int) -> Floats:
    """Vectors of some users who did something, as they stand when the history ends.

    Args:
        scorer: the trained ranker.
        history: what it learned from; its seed is that of the draw.
        count: how many users at most.

    Returns:
        float32 [m, 128].
    """
    histories = Histories.from_log(history.log, len(history.users))
    active = np.flatnonzero(np.diff(histories.borders))
    rng = np.random.default_rng([history.seed, len(active)])
    drawn = np.sort(rng.permutation(active)[:count])
    said = declared(history.users, history.catalogue)
    found = []
    for low in range(0, len(drawn), _AT_ONCE):
        users = drawn[low : low + _AT_ONCE]
        events = [histories.of(user) for user in users.tolist()]
        profiles = np.concatenate([said[users], tallies(events)], axis=1)
        found.append(scorer.encode(events, float(history.as_of_day), profiles).user)
    return np.concatenate(found)
