"""What the log says, row by row, and how rows are summed by user and by video."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.baselines.observer.design import Design

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Layout:
    """Rows of the log grouped by one side, so that sums over them are one sparse product.

    Attributes:
        order: rows of the log by group, int64 [n].
        other: the other side of each of these, int64 [n].
        borders: where each group begins, int64 [groups + 1].
    """

    order: Ints
    other: Ints
    borders: Ints
    shape: tuple[int, int]

    def sums(self, values: Doubles, of_other: Doubles) -> Doubles:
        """For each group, the sum over its rows of value times the other side's row of figures.

        Args:
            values: one per row of the log, float64 [n].
            of_other: float64 [others, c].

        Returns:
            float64 [groups, c].
        """
        matrix = sp.csr_array((values[self.order], self.other, self.borders), shape=self.shape)
        return np.asarray(matrix @ of_other)


def layout(group: Ints, other: Ints, shape: tuple[int, int]) -> Layout:
    """Group rows by ``group``; ``shape`` counts the groups and the others."""
    order = np.argsort(group, kind="stable")
    borders = np.searchsorted(group[order], np.arange(shape[0] + 1))
    return Layout(order, other[order], borders, shape)


@dataclass(frozen=True)
class Evidence:
    """What the log says, one entry per row.

    Attributes:
        user, video: rows of the tables, int64 [n].
        time: days from the end of the log in units of its length, at most 0, float64 [n].
        positive: whether the target came about, bool [n].
        log_watch: log of watch seconds after a positive, NaN elsewhere, float64 [n].
        design: visible columns.
        user_features: float32 [n_users, f].
        video_features: float32 [n_videos, g].
        creator: of each video, -1 where unknown, int64 [n_videos].
    """

    user: Ints
    video: Ints
    time: Doubles
    positive: Bools
    log_watch: Doubles
    design: Design
    user_features: Floats
    video_features: Floats
    creator: Ints

    @cached_property
    def by_user(self) -> Layout:
        """Rows grouped by user."""
        shape = (len(self.user_features), len(self.video_features))
        return layout(self.user, self.video, shape)

    @cached_property
    def by_video(self) -> Layout:
        """Rows grouped by video."""
        shape = (len(self.video_features), len(self.user_features))
        return layout(self.video, self.user, shape)
