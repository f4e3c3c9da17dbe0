"""From requests to ranked candidates: encode, recall, pre-rank, rank the best as a list.

Every stage's result is kept, so that whoever asks can see where a video came from and what each
stage said of it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Bools, Floats, Ints
from shortlist.ranker.features import MOMENT_WIDTH, video_age, weariness
from shortlist.ranker.profile import tallies
from shortlist.ranker.scoring import Encoded
from shortlist.recall.blend import Blended
from shortlist.recall.query import Query
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.recommender.without import Without
from shortlist.settings.slate import SlateSettings
from shortlist.slate.page import Page, make_page
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Viewer

WHOLE = Without()


@dataclass(frozen=True, slots=True)
class Answer:
    """What every stage said of one request.

    Attributes:
        viewer: the events that it was made of, and the day.
        user: the user vector, float32 [128].
        recalled: the candidates, with sources and scores; `k` of them.
        prerank: logit of each candidate, float32 [k].
        listed: places among the candidates of those that were ranked as a list, best by pre-rank
            first, int64 [l].
        click: logits of the list ranker for these, float32 [l]; those of the pre-rank where the
            list ranker is left out.
        diversity: the diversity head for these, 0 to 1, float32 [l]; 0 where it is left out.
        ranked: these again, best first, for the slate.
        milliseconds: time by stage; where requests were answered together, an equal share.
    """

    viewer: Viewer
    user: Floats
    recalled: Blended
    prerank: Floats
    listed: Ints
    click: Floats
    diversity: Floats
    ranked: Ranked
    milliseconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Candidates of some requests, padded with video 0.

    Attributes:
        video: int64 [b, n].
        moment: age and weariness, float32 [b, n, 3].
        known: which places hold a candidate, bool [b, n].
    """

    video: Ints
    moment: Floats
    known: Bools

    def take(self, places: Ints, known: Bools) -> "_Candidates":
        """Some places of each request, int64 [b, l]."""
        moment = np.take_along_axis(self.moment, places[:, :, None], axis=1)
        return _Candidates(np.take_along_axis(self.video, places, axis=1), moment, known)


class Cascade:
    """The stages before the slate, and the slate."""

    def __init__(self, parts: Parts, without: Without = WHOLE, *, together: int = 1) -> None:
        """Take the parts.

        Args:
            parts: of a trained recommender.
            without: what to leave out.
            together: requests that go through the ranker's graphs in one run.
        """
        self.parts = parts
        self.without = without
        self._together = together
        self._blend = parts.without(without.sources)

    def answers(self, requests: Sequence[Request], day: float) -> Iterator[Answer]:
        """Answer requests, in their order.

        Args:
            requests: any number.
            day: now, days since 1970-01-01, fractions allowed.

        Raises:
            InputError: the ranker's logits are not finite.
        """
        for low in range(0, len(requests), self._together):
            yield from self._answered(requests[low : low + self._together], day)

    def answer(self, request: Request, day: float) -> Answer:
        """Answer one request; see `answers`."""
        return next(self.answers([request], day))

    def page(
        self,
        answer: Answer,
        settings: SlateSettings,
        *,
        seed: int | Sequence[int] | None = None,
    ) -> Page:
        """Draw the page of an answer.

        Args:
            answer: of this cascade.
            settings: of the slate.
            seed: of exploration; without one nothing is explored.
        """
        slate = self.without.slate(settings)
        return make_page(answer.ranked, self.parts.items, slate, answer.viewer, seed=seed)

    def encode(self, requests: Sequence[Request], day: float) -> Encoded:
        """Encode those who ask."""
        histories = [self._history(request) for request in requests]
        said = np.stack([request.declared for request in requests])
        profiles = np.concatenate([said, tallies(histories)], axis=1)
        return self.parts.scorer.encode(histories, day, profiles)

    def contexts(self, requests: Sequence[Request]) -> Floats:
        """Contexts of those who ask, float32 [b, 32]."""
        found = np.stack([request.context for request in requests])
        return np.zeros_like(found) if self.without.context else found

    def _history(self, request: Request) -> Events:
        return Events.none() if self.without.history else request.history

    def _answered(self, requests: Sequence[Request], day: float) -> list[Answer]:
        clock = _Clock(len(requests))
        encoded, contexts = self.encode(requests, day), self.contexts(requests)
        clock.stop("encode")
        recalled = [
            self._recall(request, user, day)
            for request, user in zip(requests, encoded.user, strict=True)
        ]
        clock.stop("recall")
        candidates = self._candidates(requests, recalled, day)
        prerank = np.zeros(candidates.video.shape, np.float32)
        if prerank.size:
            prerank = self.parts.scorer.prerank(
                encoded, candidates.video, contexts, candidates.moment
            )
        clock.stop("pre-rank")
        prerank[~candidates.known] = -np.inf
        size = self.parts.scorer.note.list_size
        listed = np.argsort(-prerank, axis=1, kind="stable")[:, :size]
        logits = np.take_along_axis(prerank, listed, axis=1)
        known = np.take_along_axis(candidates.known, listed, axis=1)
        click, diversity = logits, np.zeros_like(logits)
        if listed.size and not self.without.listwise:
            # What stands at an empty place must be a number, and is masked.
            logits = np.where(known, logits, 0.0).astype(np.float32)
            click, diversity = self.parts.scorer.rank(
                encoded, *_unpacked(candidates.take(listed, known), contexts), logits, known
            )
        clock.stop("rank")
        answers = []
        for row, (request, blended) in enumerate(zip(requests, recalled, strict=True)):
            kept = int(known[row].sum())
            answers.append(
                _answer(
                    Viewer(self._history(request), day),
                    encoded.user[row],
                    blended,
                    prerank[row, : len(blended)],
                    listed[row, :kept],
                    click[row, :kept],
                    diversity[row, :kept],
                    clock.milliseconds,
                )
            )
        return answers

    def _recall(self, request: Request, user: Floats, day: float) -> Blended:
        tags = len(self.parts.vocabulary.interests)
        return self._blend.recall(
            Query(
                history=self._history(request),
                excluded=request.excluded,
                user_vector=user,
                interests=np.flatnonzero(request.declared[:tags]),
                day=day,
            )
        )

    def _candidates(
        self, requests: Sequence[Request], recalled: Sequence[Blended], day: float
    ) -> _Candidates:
        shape = (len(requests), max(map(len, recalled)))
        video, known = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
        for row, blended in enumerate(recalled):
            video[row, : len(blended)] = blended.video
            known[row, : len(blended)] = True
        moment = np.zeros((*shape, MOMENT_WIDTH), np.float32)
        moment[:, :, 0] = video_age(self.parts.catalogue.upload_day[video], day)
        for row, request in enumerate(requests):
            if len(request.session):
                moment[row, :, 1:] = weariness(request.session, video[row], self.parts.tags)
        return _Candidates(video, moment, known)


def _unpacked(candidates: _Candidates, contexts: Floats) -> tuple[Ints, Floats, Floats]:
    return candidates.video, contexts, candidates.moment


def _answer(
    viewer: Viewer,
    user: Floats,
    recalled: Blended,
    prerank: Floats,
    listed: Ints,
    click: Floats,
    diversity: Floats,
    milliseconds: Mapping[str, float],
) -> Answer:
    order = np.argsort(-click, kind="stable")
    at = listed[order]
    ranked = Ranked(
        video=recalled.video[at],
        relevance=expit(click[order]),
        diversity=diversity[order],
        sources=recalled.sources[at],
    )
    return Answer(viewer, user, recalled, prerank, listed, click, diversity, ranked, milliseconds)


class _Clock:
    """Milliseconds a request, stage by stage."""

    def __init__(self, requests: int) -> None:
        self.milliseconds: dict[str, float] = {}
        self._requests = requests
        self._began = time.perf_counter()

    def stop(self, stage: str) -> None:
        """End a stage and begin the next."""
        now = time.perf_counter()
        self.milliseconds[stage] = (now - self._began) * 1e3 / self._requests
        self._began = now
