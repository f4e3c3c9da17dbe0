"""What is learned from: the history of a log, whole, and nothing of the days after it."""

from typing import Final, Literal

import numpy as np

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Floats, Interactions, Target, TrainingView
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.datasets.target import chosen_target

SOURCES: Final = ("datasets", "steps/view.py")
"""What a step that learns from this view depends on."""
SETTINGS: Final = ("datasets.test_days", "evaluation.target")
"""Settings that say what the view holds, beside the digest of the data."""


def learned_view(
    dataset: Dataset,
    cut: Split,
    content: Floats,
    *,
    wanted: Literal["auto"] | Target,
    seed: int,
) -> TrainingView:
    """Load the history.

    Args:
        dataset: whole.
        cut: where to cut it.
        content: vectors of the videos, float32 [n_videos, width].
        wanted: the setting ``evaluation.target``.
        seed: of whatever is drawn while learning.

    Raises:
        InputError: the history knows nothing of the target.
    """
    users, catalogue = Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    first, last = cut.history.first, cut.history.last
    return TrainingView(
        users=users,
        catalogue=catalogue,
        log=Interactions.load(dataset, users, catalogue, first, last, context=True),
        content=content,
        as_of=cut.as_of,
        target=chosen_target(wanted, dataset, cut),
        context=np.zeros(CONTEXT_WIDTH, np.float32),
        seed=seed,
    )
