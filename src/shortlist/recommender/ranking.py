"""The stages between recall and the slate: moments, pre-rank, and the list ranker on the best.

Whoever ranks uses these: the recommender that runs in process, and the predictor behind a wire.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from shortlist.datasets.interactions import Bools, Floats, Ints
from shortlist.ranker.features import MOMENT_WIDTH, video_age, weariness
from shortlist.ranker.scoring import Encoded, Scorer


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of some requests, padded with video 0.

    Attributes:
        video: rows of the videos table, int64 [b, n].
        moment: age and weariness, float32 [b, n, 3].
        known: which places hold a candidate, bool [b, n].
    """

    video: Ints
    moment: Floats
    known: Bools

    @classmethod
    def of(
        cls,
        videos: Sequence[Ints],
        sessions: Sequence[Ints],
        day: float,
        upload_day: Ints,
        tags: Floats,
    ) -> Self:
        """Pad candidates, and tell their moments.

        Args:
            videos: of each request, int64 [n].
            sessions: rows of the videos of each request's session so far, oldest first, int64 [s].
            day: now, days since 1970-01-01.
            upload_day: of all videos, int64 [n_videos].
            tags: weights of tags of all videos, float32 [n_videos, t].
        """
        shape = (len(videos), max(map(len, videos), default=0))
        video, known = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
        for row, mine in enumerate(videos):
            video[row, : len(mine)] = mine
            known[row, : len(mine)] = True
        moment = np.zeros((*shape, MOMENT_WIDTH), np.float32)
        moment[:, :, 0] = video_age(upload_day[video], day)
        for row, session in enumerate(sessions):
            if len(session):
                moment[row, :, 1:] = weariness(session, video[row], tags)
        return cls(video, moment, known)

    def take(self, places: Ints) -> "Candidates":
        """Some places of each request, int64 [b, l]."""
        return Candidates(
            np.take_along_axis(self.video, places, axis=1),
            np.take_along_axis(self.moment, places[:, :, None], axis=1),
            np.take_along_axis(self.known, places, axis=1),
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """The candidates that the list ranker judged.

    Attributes:
        place: places among the candidates, best by pre-rank first, int64 [b, l].
        known: which of them hold a candidate, bool [b, l]; those come first.
        click: logits, float32 [b, l].
        diversity: 0 to 1, float32 [b, l].
    """

    place: Ints
    known: Bools
    click: Floats
    diversity: Floats


def preranked(scorer: Scorer, encoded: Encoded, candidates: Candidates, contexts: Floats) -> Floats:
    """Logits of the candidates, float32 [b, n]; minus infinity at empty places.

    Args:
        scorer: the ranker's graphs.
        encoded: b users.
        candidates: of each.
        contexts: of each, float32 [b, 32].
    """
    prerank = np.zeros(candidates.video.shape, np.float32)
    if prerank.size:
        prerank = scorer.prerank(encoded, candidates.video, contexts, candidates.moment)
    prerank[~candidates.known] = -np.inf
    return prerank


def ranked(
    scorer: Scorer,
    encoded: Encoded,
    candidates: Candidates,
    contexts: Floats,
    prerank: Floats,
    *,
    listwise: bool = True,
) -> Listed:
    """Rank the best candidates of each request as a list.

    Args:
        scorer: the ranker's graphs.
        encoded: b users.
        candidates: of each.
        contexts: of each, float32 [b, 32].
        prerank: what `preranked` gave.
        listwise: whether the list ranker runs; else the logits are those of the pre-rank, and the
            diversity is 0.
    """
    place = np.argsort(-prerank, axis=1, kind="stable")[:, : scorer.note.list_size]
    best = candidates.take(place)
    logits = np.take_along_axis(prerank, place, axis=1)
    click, diversity = logits, np.zeros_like(logits)
    if place.size and listwise:
        # What stands at an empty place must be a number, and is masked.
        logits = np.where(best.known, logits, 0.0).astype(np.float32)
        click, diversity = scorer.rank(
            encoded, best.video, contexts, best.moment, logits, best.known
        )
    return Listed(place, best.known, click, diversity)


class Clock:
    """Milliseconds a request, stage by stage."""

    def __init__(self, requests: int = 1) -> None:
        self.milliseconds: dict[str, float] = {}
        self._requests = requests
        self._began = time.perf_counter()

    def stop(self, stage: str) -> None:
        """End a stage and begin the next."""
        now = time.perf_counter()
        self.milliseconds[stage] = (now - self._began) * 1e3 / self._requests
        self._began = now
