"""The trained recommender before the judge: it scores the catalogue, predicts rows, makes pages."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
from scipy.special import expit

from shortlist.datasets.declared import Vocabulary, declared_rows
from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.errors import RefusedError
from shortlist.ranker.features import session_weariness, video_age
from shortlist.recommender.cascade import WHOLE, Answer, Cascade
from shortlist.recommender.later import carried, rows_before
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.recommender.without import Without
from shortlist.settings.slate import SlateSettings
from shortlist.slate.page import select_pages
from shortlist.slate.ranked import Ranked

NAME: Final = "shortlist"
NewVideos = Literal["refused", "projected", "last"]
_ROWS_AT_ONCE: Final = 256
_USERS_AT_ONCE: Final = 64
_GAP: Final = 1.0
"""Between the worst of a tier and the best of the next, in logits."""


class Contestant:
    """A recommender and a predictor, as the judge takes them; nothing is learned any more.

    Users are scored one by one, so that nobody's figures hang on the company.
    """

    def __init__(
        self,
        directories: Mapping[str, Path],
        slate: SlateSettings,
        *,
        digest: str,
        without: Without = WHOLE,
        name: str = NAME,
        new_videos: NewVideos = "refused",
        hindsight: bool = False,
    ) -> None:
        """Note where the parts lie; they are opened by `fit`.

        Args:
            directories: as of `Parts.open`.
            slate: how pages are drawn, settled where any are.
            digest: changes with the files of the parts.
            without: what to leave out.
            name: for tables.
            new_videos: whether the parts are held to the videos and users of their training. Where
                they are not, users are described as far as the parts have names for it, videos
                that are gone are ignored, and those that came are placed by their content, which
                must be that of the training's encoder, or else come last.
            hindsight: whether the parts may have learned from the days that they are asked about.
                That serves to describe a training, and never to judge it.
        """
        self.name = name
        self._hindsight = hindsight
        self._directories = dict(directories)
        self._slate = without.slate(slate)
        self._without = without
        self._new_videos: NewVideos = new_videos
        told = f"{digest}\n{without!r}\n{self._slate.model_dump_json()}\n{new_videos}"
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()

    def fit(self, view: TrainingView) -> Self:
        """Open the parts and take the users, their histories, the context and the day.

        Raises:
            NotFoundError, CorruptError: as `Parts.open`.
            RefusedError: the parts have seen later days, or are of other videos or users than they
                may be.
        """
        parts = Parts.open(self._directories)
        if parts.as_of_day > view.as_of_day and not self._hindsight:
            raise RefusedError(
                f"{self.name} was trained on {parts.as_of_day - view.as_of_day} days of those it "
                "should be judged on; train it on the history alone"
            )
        self._hold(parts, view)
        live, log = view.catalogue.uploaded_before(view.as_of), view.log
        if self._new_videos != "refused":
            project, day = self._new_videos == "projected", float(view.as_of_day)
            parts, known = carried(
                self._directories, parts, view.catalogue, view.content, live, day, project=project
            )
            live = parts.live
            log = log.take(np.flatnonzero(known[log.video]))
        self._declared = declared_rows(parts.vocabulary, view.users.table)
        self._view = view
        self._cascade = Cascade(parts, self._without)
        self._live = live
        self._histories = Histories.from_log(log, len(view.users))
        self._ranked: dict[int, Ranked] = {}
        return self

    def score(self, users: Ints) -> Floats:
        """Scores by the stage that a video reached: the further, the better.

        Logits of the list ranker; below them those of the pre-rank for the other candidates;
        below them the vectors' inner products for all other live videos, and at the bottom for
        those that are not live or of whom nothing is known. See `tiered`.

        Args:
            users: rows of the users table, int64 [m].

        Returns:
            float32 [m, n_videos].
        """
        answers = list(self._answers(users))
        vectors = self._cascade.parts.vectors
        asked = np.array([answer.user for answer in answers], np.float32)
        scores = asked.reshape(-1, vectors.shape[1]) @ vectors.T
        for near, answer in zip(scores, answers, strict=True):
            others = np.ones(len(answer.recalled), np.bool_)
            others[answer.listed] = False
            left = np.ones(len(near), np.bool_)
            left[answer.recalled.video] = False
            late, never = np.flatnonzero(left & self._live), np.flatnonzero(left & ~self._live)
            near[:] = tiered(
                len(near),
                [
                    (answer.recalled.video[answer.listed], answer.click),
                    (answer.recalled.video[others], answer.prerank[others]),
                    (late, near[late]),
                    (never, near[never]),
                ],
            )
        return np.asarray(scores, np.float32)

    def predict(self, rows: Interactions) -> Floats:
        """Probability of the target by the pre-rank, float32 [n].

        In each row's own context and session, at its day, from the user's history as it was fitted;
        where a policy chose the video, a logit gains what that says of a video.
        """
        parts = self._cascade.parts
        age = video_age(parts.catalogue.upload_day[rows.video], rows.day.astype(np.float64))
        moment = np.concatenate([age[:, None], session_weariness(rows, parts.tags)], axis=1)
        contexts = np.zeros_like(rows.context) if self._without.context else rows.context
        logit = np.zeros(len(rows), np.float32)
        users, owner = np.unique(rows.user, return_inverse=True)
        order = np.argsort(owner, kind="stable")
        for low in range(0, len(users), _USERS_AT_ONCE):
            part = users[low : low + _USERS_AT_ONCE]
            encoded = self._cascade.encode(self._requests(part), self._day)
            first, last = np.searchsorted(owner[order], [low, low + len(part)])
            for start in range(first, last, _ROWS_AT_ONCE):
                at = order[start : min(start + _ROWS_AT_ONCE, last)]
                logit[at] = parts.scorer.prerank(
                    encoded.take(owner[at] - low),
                    rows.video[at][:, None],
                    contexts[at],
                    moment[at][:, None],
                )[:, 0]
        lift = np.where(rows.random_exposure, 0.0, parts.scorer.note.policy_lift)
        return np.asarray(expit(logit + lift), np.float32)

    def ranked(self, users: Ints) -> Sequence[Ranked]:
        """The best candidates of each user, the best first.

        Args:
            users: rows of the users table, int64 [m].
        """
        for _ in self._answers(np.array([u for u in users if int(u) not in self._ranked], int)):
            pass
        return [self._ranked[int(user)] for user in users]

    def pages(self, users: Ints) -> Ints:
        """Pages as served but without exploration, int64 [m, size]; -1 where a page is shorter.

        Args:
            users: rows of the users table, int64 [m].
        """
        return select_pages(self.ranked(users), self._cascade.parts.items, self._slate)

    def _hold(self, parts: Parts, view: TrainingView) -> None:
        """Refuse parts of other videos or users than they may be of."""
        before = rows_before(view.catalogue, parts.catalogue)
        strict = self._new_videos == "refused"
        fits = bool((before >= 0).any())
        if strict:
            fits = np.array_equal(before, np.arange(len(parts.catalogue)))
        if not fits:
            raise RefusedError(
                f"{self.name} was trained on other videos ({len(parts.catalogue):,}) than it "
                f"should be judged on ({len(view.catalogue):,}); train it on this dataset"
            )
        if strict and Vocabulary.of(view.users, view.catalogue) != parts.vocabulary:
            raise RefusedError(
                f"{self.name} was trained on users who declare other things than those it should "
                "be judged on; train it on this dataset"
            )

    @property
    def _day(self) -> float:
        return float(self._view.as_of_day)

    def _requests(self, users: Ints) -> list[Request]:
        return [self._request(user) for user in users.tolist()]

    def _request(self, user: int) -> Request:
        history = self._histories.of(user)
        seen = np.unique(history.video)
        return Request(history, self._declared[user], seen, self._view.context)

    def _answers(self, users: Ints) -> Iterator[Answer]:
        """Answer for users, and keep what a page is drawn from: pages are asked for next."""
        requests = self._requests(users)
        answers = self._cascade.answers(requests, self._day)
        for user, answer in zip(users.tolist(), answers, strict=True):
            self._ranked[user] = answer.ranked
            yield answer


def tiered(count: int, tiers: Sequence[tuple[Ints, Floats]]) -> Floats:
    """One scale for scores of several kinds.

    The first tier keeps its scores. Each other one is moved down as a whole, as far as it must to
    lie below all before it, so differences inside a tier stay what they are.

    Args:
        count: how many places there are.
        tiers: places and their scores, the best tier first; every place in one of them.

    Returns:
        float32 [count].

    >>> first = (np.array([2]), np.array([-1.0], np.float32))
    >>> second = (np.array([0, 1]), np.array([7.0, 5.0], np.float32))
    >>> tiered(3, [first, second]).round(2).tolist()
    [-2.0, -4.0, -1.0]
    """
    scores = np.empty(count, np.float32)
    floor = np.inf
    for places, values in tiers:
        if len(places):
            move = min(0.0, floor - _GAP - float(values.max()))
            scores[places] = values + np.float32(move)
            floor = float(scores[places].min())
    return scores
