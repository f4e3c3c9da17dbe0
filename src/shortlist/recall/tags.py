"""Tags: videos whose tags a user has liked or asked for, the better liked of them first."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.datasets.events import Kind
from shortlist.datasets.interactions import Bools, Doubles, Floats, Target
from shortlist.datasets.signals import decay
from shortlist.recall.query import Candidates, Query, best
from shortlist.recall.strength import strengths
from shortlist.settings.recall import RecallSettings


class Tags:
    """Matches a user's profile of tags with the tags of videos.

    An event gives each of its video's tags an equal part of its strength, halved with age; a video
    that was skipped or left alone takes ``tag_aversion`` from them; a declared interest adds its
    own. The profile is the signed ``log(1 + |weight|)``, since the tenth like of a tag says less
    than the first. A video's score is the mean of its tags' entries plus ``tag_rate_weight`` times
    its log-odds, so videos that match nothing follow by those. A user whose profile is empty gets
    nothing: that is popularity's part.
    """

    name = "tags"

    def __init__(
        self,
        tags: sp.csr_array,
        log_odds: Floats,
        live: Bools,
        target: Target,
        settings: RecallSettings,
    ) -> None:
        """Hold the tables.

        Args:
            tags: who has which tag, CSR of ones, [n, n_tags].
            log_odds: of the target by video, float32 [n].
            live: which videos may be returned, bool [n].
            target: what recommendations should bring about.
            settings: weights of the parts.
        """
        number = np.diff(tags.indptr)
        # An equal part for each tag of a video.
        part = np.repeat(1 / np.maximum(number, 1), number).astype(np.float32)
        self._parts = sp.csr_array((part, tags.indices, tags.indptr), shape=tags.shape)
        self._rate = np.where(live, settings.tag_rate_weight * log_odds, -np.inf)
        self._rate = self._rate.astype(np.float32)
        self._target = target
        self._settings = settings

    def recall(self, query: Query, count: int) -> Candidates:
        """The best of what matches the profile."""
        profile = self.profile(query)
        if not profile.any():
            return Candidates.none()
        scores = self._parts @ profile + self._rate
        scores[query.excluded] = -np.inf
        return best(scores, count)

    def profile(self, query: Query) -> Floats:
        """What each tag weighs for a user, signed, float32 [n_tags]."""
        history, settings = query.history, self._settings
        weight = strengths(history.kind, self._target)
        weight[(history.kind == Kind.SKIP) | (history.kind == Kind.SHOWN)] = -settings.tag_aversion
        weight *= decay(query.day - history.day, settings.tag_half_life_days)
        said = np.flatnonzero(weight)
        event, entry = _entries(self._parts.indptr, history.video[said])
        gained = weight[said][event] * self._parts.data[entry]
        tag = self._parts.indices[entry]
        # Without any entry `bincount` counts in integers.
        total: Doubles = np.bincount(tag, gained, self._parts.shape[1]).astype(np.float64)
        total[query.interests] += settings.tag_interest
        return (np.sign(total) * np.log1p(np.abs(total))).astype(np.float32)


def _entries(
    borders: npt.NDArray[np.integer], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of the entries of some rows of a CSR matrix, and which of ``rows`` each is of."""
    start = borders[rows].astype(np.int64)
    number = borders[rows + 1] - start
    owner = np.repeat(np.arange(len(rows)), number)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    return owner, start[owner] + within
