"""From requests to ranked candidates: encode, recall, pre-rank, rank the best as a list.

Every stage's result is kept, so that whoever asks can see where a video came from and what each
stage said of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Floats, Ints
from shortlist.ranker.profile import tallies
from shortlist.ranker.scoring import Encoded
from shortlist.recall.blend import Blended
from shortlist.recall.query import Query
from shortlist.recommender.parts import Parts
from shortlist.recommender.ranking import Candidates, Clock, preranked, ranked
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
            settings: of the slate, settled.
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
        clock = Clock(len(requests))
        encoded, contexts = self.encode(requests, day), self.contexts(requests)
        clock.stop("encode")
        recalled = [
            self._recall(request, user, day)
            for request, user in zip(requests, encoded.user, strict=True)
        ]
        clock.stop("recall")
        scorer = self.parts.scorer
        candidates = Candidates.of(
            [blended.video for blended in recalled],
            [request.session for request in requests],
            day,
            self.parts.catalogue.upload_day,
            self.parts.tags,
        )
        prerank = preranked(scorer, encoded, candidates, contexts)
        clock.stop("pre-rank")
        listwise = not self.without.listwise
        listed = ranked(scorer, encoded, candidates, contexts, prerank, listwise=listwise)
        clock.stop("rank")
        answers = []
        for row, (request, blended) in enumerate(zip(requests, recalled, strict=True)):
            kept = int(listed.known[row].sum())
            answers.append(
                _answer(
                    Viewer(self._history(request), day, self._chosen(request)),
                    encoded.user[row],
                    blended,
                    prerank[row, : len(blended)],
                    listed.place[row, :kept],
                    listed.click[row, :kept],
                    listed.diversity[row, :kept],
                    clock.milliseconds,
                )
            )
        return answers

    def _interests(self, request: Request) -> Ints:
        return np.flatnonzero(request.declared[: len(self.parts.vocabulary.interests)])

    def _chosen(self, request: Request) -> tuple[str, ...]:
        names = self.parts.vocabulary.interests
        return tuple(names[place] for place in self._interests(request).tolist())

    def _recall(self, request: Request, user: Floats, day: float) -> Blended:
        return self._blend.recall(
            Query(
                history=self._history(request),
                excluded=request.excluded,
                user_vector=user,
                interests=self._interests(request),
                day=day,
            )
        )


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
