"""A policy for off-policy estimates: draw uniformly from the share of the catalogue a model likes.

A list of ten is almost never what was logged, and no weight can repair that; a tenth of the
catalogue is met often enough for an honest estimate.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Doubles, Floats, Ints


@dataclass(frozen=True)
class SharePolicy:
    """The policy for some users.

    Attributes:
        border: score at which the share ends, float32 [m]; above it every video is equally likely.
        above: probability of a live video above the border; the same for all.
        at: probability of a live video at the border, which equal scores divide, float64 [m].
        live: bool [n_videos].
    """

    border: Floats
    above: float
    at: Doubles
    live: npt.NDArray[np.bool_]

    def probability(self, scores: Floats, row: Ints, video: Ints) -> Doubles:
        """Probability of each video for the user of each row of ``scores``, float64 [n]."""
        score, border = scores[row, video], self.border[row]
        some = np.where(score > border, self.above, np.where(score == border, self.at[row], 0.0))
        return np.where(self.live[video], some, 0.0)

    def distribution(self, scores: Floats) -> Doubles:
        """Probability of every video for every user of ``scores``, float64 [m, n_videos]."""
        border = self.border[:, None]
        some = np.where(scores > border, self.above, 0.0)
        some += np.where(scores == border, self.at[:, None], 0.0)
        return np.where(self.live, some, 0.0)

    def packed(
        self, scores: Floats, rows: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Which live videos lie above and at the border, packed bits, for some rows."""
        border = self.border[rows, None]
        above = np.packbits((scores[rows] > border) & self.live, axis=1)
        return above, np.packbits((scores[rows] == border) & self.live, axis=1)

    def mean(self, scores: Floats, values: Doubles) -> Doubles:
        """Expected value of ``values`` [n_videos] under the policy, float64 [m]."""
        # Two products of 32-bit matrices: this runs over the whole catalogue for every user.
        worth = np.where(self.live, values, 0.0).astype(np.float32)
        border = self.border[:, None]
        above = (scores > border).astype(np.float32) @ worth
        at = (scores == border).astype(np.float32) @ worth
        return np.asarray(self.above * above + self.at * at, np.float64)


def share_policy(scores: Floats, live: npt.NDArray[np.bool_], share: float) -> SharePolicy:
    """The policy that draws from the best ``share`` of the live videos.

    Args:
        scores: float32 [m, n_videos].
        live: videos that may be shown, bool [n_videos].
        share: of the live videos, above 0 and at most 1.

    >>> policy = share_policy(np.array([[3.0, 1.0, 2.0, 1.0]], np.float32), np.ones(4, bool), 0.75)
    >>> policy.distribution(np.array([[3.0, 1.0, 2.0, 1.0]], np.float32)).round(3).tolist()
    [[0.333, 0.167, 0.333, 0.167]]
    """
    inside = scores[:, live]
    count = max(1, round(share * inside.shape[1]))
    border = -np.partition(-inside, count - 1, axis=1)[:, count - 1]
    better = (inside > border[:, None]).sum(axis=1)
    equal = (inside == border[:, None]).sum(axis=1)
    return SharePolicy(
        border=border, above=1 / count, at=(count - better) / equal / count, live=live
    )
