"""All that a model is fitted to and judged on, loaded once; nothing of the truth is in it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import (
    Floats,
    Interactions,
    Ints,
    Target,
    TrainingView,
    seen_pairs,
)
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.evaluation.sampling import sampled_users

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arena:
    """A split dataset, ready for models.

    Attributes:
        view: what models are fitted to.
        test: the test days' impressions, with their context.
        split: where the log was cut.
        live: videos that exist when the test days begin, bool [n_videos]; only these are
            recommended, and only these count as relevant.
        watchers: users with something relevant in the test days, ascending rows, int64.
        sample: fixed users whose lists are compared with the truth, ascending rows, int64.
        judged: watchers and sample together, ascending rows, int64.
        seen: for each of ``judged``, the videos of the history, packed (values, borders).
        relevant: for each of ``judged``, unseen live videos with the target in the test days.
    """

    view: TrainingView
    test: Interactions
    split: Split
    live: Bools
    watchers: Ints
    sample: Ints
    judged: Ints
    seen: list[Ints]
    relevant: list[Ints]

    @property
    def catalogue(self) -> Catalogue:
        """The videos."""
        return self.view.catalogue

    def excluded(self, start: int, stop: int) -> Bools:
        """Videos that ``judged[start:stop]`` must not be shown: seen or not live, bool [m, n]."""
        mask = np.tile(~self.live, (stop - start, 1))
        for row, seen in enumerate(self.seen[start:stop]):
            mask[row, seen] = True
        return mask


def make_arena(
    dataset: Dataset,
    split: Split,
    content: Floats,
    *,
    target: Target,
    context: Floats | None,
    sample: int,
    seed: int,
) -> Arena:
    """Load a dataset and cut it.

    Args:
        dataset: whole.
        split: where to cut.
        content: vectors of the videos, float32 [n_videos, width].
        target: what a recommendation should bring about.
        context: of the recommendations, float32 [32]; zeros where the log knows none.
        sample: how many fixed users are compared with the truth; newcomers, whom it does not know,
            are none of them.
        seed: of the sample and of whatever the models draw.
    """
    users, catalogue = Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    load = Interactions.load
    history = load(dataset, users, catalogue, split.history.first, split.history.last, context=True)
    test = load(dataset, users, catalogue, split.test.first, split.test.last, context=True)
    view = TrainingView(
        users=users,
        catalogue=catalogue,
        log=history,
        content=content,
        as_of=split.as_of,
        target=target,
        context=np.zeros(CONTEXT_WIDTH, np.float32) if context is None else context,
        seed=seed,
    )
    live = catalogue.uploaded_before(split.as_of)
    everyone = np.arange(len(users), dtype=np.int64)
    seen = seen_pairs(history, everyone)
    wanted = (test.outcome(target) == 1) & live[test.video]
    liked = seen_pairs(test.take(wanted), everyone)
    relevant = [np.setdiff1d(a, b, assume_unique=True) for a, b in zip(liked, seen, strict=True)]
    watchers = everyone[[len(videos) > 0 for videos in relevant]]
    chosen = sampled_users(dataset.log.users, sample, seed)
    judged = np.union1d(watchers, chosen)
    return Arena(
        view=view,
        test=test,
        split=split,
        live=live,
        watchers=watchers,
        sample=chosen,
        judged=judged,
        seen=[seen[user] for user in judged],
        relevant=[relevant[user] for user in judged],
    )


def opening_rows(arena: Arena) -> Ints:
    """Test rows that open a session, the slots on which policies are valued, int64."""
    return np.flatnonzero(arena.test.position == 0)
