"""The predictor: bytes that ask for a ranking in, bytes that answer or refuse out.

It knows no server. Whatever stands around it (TorchServe here) hands it a body and sends what it
returns; so a client's fault is never an exception, and a fault of ours never ends a process.
"""

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from shortlist.bundle import Bundle
from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Floats, Ints
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.errors import CorruptError, ShortlistError
from shortlist.ranker.artefacts import TAGS
from shortlist.ranker.scoring import Scorer
from shortlist.recommender.items import mapped, read_upload_days
from shortlist.recommender.ranking import Candidates, Clock, preranked, ranked
from shortlist.serving.bundles import Bundles
from shortlist.serving.siblings import Siblings
from shortlist.telemetry.traces import parse
from shortlist.wire.rank import STAGES, RankAnswer, RankRequest, decode_requests, encode_answers
from shortlist.wire.refusals import (
    MalformedError,
    NotReadyError,
    OverBudgetError,
    UnknownBundleError,
    WireError,
    encode_refusal,
)

_LOG = logging.getLogger(__name__)
ANSWERED: Final = "answered"
_WARMING: Final = 3
_REMEMBERED: Final = 32


@dataclass(frozen=True)
class RankingParts:
    """What ranking needs of a bundle; rows everywhere are those of its videos table.

    Attributes:
        id: of the bundle.
        scorer: the ranker's graphs.
        upload_day: days since 1970-01-01, int64 [n].
        tags: weights of tags, by which a viewer wearies, float32 [n, t].
    """

    id: str
    scorer: Scorer
    upload_day: Ints
    tags: Floats

    @classmethod
    def of_bundle(cls, bundle: Bundle, *, threads: int = 1) -> Self:
        """Open the parts of a verified bundle, and rank with them until they are warm.

        Args:
            bundle: opened.
            threads: inside an operation of the ranker.

        Raises:
            NotFoundError: a part or a file is missing.
            CorruptError: a file cannot be read, or the parts do not belong together.
        """
        ranker, items = bundle.part("ranker"), bundle.part("items")
        scorer = Scorer.load(ranker, threads=threads)
        upload_day = read_upload_days(items)
        if len(upload_day) != len(scorer.items):
            raise CorruptError(
                f"{ranker} knows {len(scorer.items):,} videos and {items} {len(upload_day):,}: "
                "they are of different runs; make both again from one dataset"
            )
        kind = np.dtype(np.float32)
        tags = mapped(ranker / TAGS, kind, len(scorer.items), "train the ranker")
        # An array of the same memory, for a mapped one pays Python at every indexing.
        parts = cls(bundle.id, scorer, upload_day, np.asarray(tags))
        for _ in range(_WARMING if len(upload_day) else 0):
            rank(parts, _first_rows(parts))
        return parts


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, and what metrics tell of it.

    Attributes:
        status: of HTTP.
        body: JSON.
        kind: `ANSWERED`, or the kind of the refusal.
        milliseconds: by stage, of all requests of the body; empty for a refusal.
        total_milliseconds: from the body's arrival to the reply.
    """

    status: int
    body: bytes
    kind: str
    milliseconds: Mapping[str, float]
    total_milliseconds: float


class Predictor:
    """Ranks for whoever asks, from the bundle that is asked for."""

    def __init__(self, bundles: Bundles[RankingParts], siblings: Siblings | None = None) -> None:
        """Take the bundles; they may change at any time.

        Args:
            bundles: that are held here.
            siblings: who must hold a bundle too before it is ranked from; nobody where None.
        """
        self._bundles, self._siblings = bundles, siblings
        self._recent = _Recent()

    def reply(self, body: bytes | bytearray | memoryview) -> Reply:
        """Answer a body, or refuse it; raises nothing.

        Args:
            body: what `shortlist.wire.rank.encode_requests` makes.
        """
        began = time.perf_counter()
        spent: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        request: RankRequest | None = None
        try:
            answers = []
            for place, request in enumerate(decode_requests(body)):
                answers.append(answer := self._answer(request, place, began))
                for stage, took in answer.milliseconds.items():
                    spent[stage] += took
            status, out, kind = 200, encode_answers(answers), ANSWERED
        except Exception as error:
            kind = error.label if isinstance(error, ShortlistError) else "internal"
            if not isinstance(error, WireError):
                _LOG.exception("a ranking failed%s", _of_trace(request))
            status, out = encode_refusal(error)
            spent = {}
        return Reply(status, out, kind, spent, _since(began))

    def _answer(self, request: RankRequest, place: int, began: float) -> RankAnswer:
        parts = self._bundles.get(request.bundle)
        if parts is None:
            held = self._bundles.ids
            if not held:
                raise NotReadyError(f"no bundle is loaded yet: {self._bundles.fault or 'wait'}")
            self._bundles.hurry()
            raise UnknownBundleError(
                f"bundle {request.bundle} is not held; held are {', '.join(held)}"
            )
        if self._siblings is not None and not self._siblings.all_hold(request.bundle):
            raise UnknownBundleError(f"bundle {request.bundle} is not held by all workers yet")
        try:
            request.fit(len(parts.upload_day), parts.scorer.note.profile_width)
        except MalformedError as error:
            problem = str(error).removeprefix(f"{error.field} ")
            raise MalformedError(f"instances[{place}].{error.field}", problem) from error
        left, least = request.budget_ms - _since(began), self._recent.quickest
        if left <= least:
            self._recent.forget()
            raise OverBudgetError(
                f"{left:.1f} ms of the budget are left, and a ranking takes {least:.1f} ms at least"
            )
        answer = rank(parts, request)
        self._recent.add(sum(answer.milliseconds.values()))
        return answer


def rank(parts: RankingParts, request: RankRequest) -> RankAnswer:
    """Rank one request's candidates, as the recommender does that runs in process.

    Args:
        parts: of the bundle that the request names.
        request: one that fits the bundle.
    """
    clock, scorer = Clock(), parts.scorer
    contexts = request.context[None]
    encoded = scorer.encode([request.history], request.day, request.profile[None])
    clock.stop("encode")
    candidates = Candidates.of(
        [request.candidates.astype(np.int64)],
        [request.session.astype(np.int64)],
        request.day,
        parts.upload_day,
        parts.tags,
    )
    prerank = preranked(scorer, encoded, candidates, contexts)
    clock.stop("prerank")
    listed = ranked(scorer, encoded, candidates, contexts, prerank)
    clock.stop("rank")
    return RankAnswer(
        bundle=parts.id,
        listed=listed.place[0].astype(np.int32),
        click=listed.click[0],
        diversity=listed.diversity[0],
        milliseconds=clock.milliseconds,
    )


class _Recent:
    """How long the last rankings took; the quickest of them is what none can undercut.

    Each refusal forgets one, so that a slow spell never refuses for ever.
    """

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def quickest(self) -> float:
        """Milliseconds; 0 where nothing is known."""
        return min(self._took, default=0.0)

    def add(self, milliseconds: float) -> None:
        """Remember one more."""
        self._took.append(milliseconds)

    def forget(self) -> None:
        """Forget the oldest."""
        if self._took:
            self._took.popleft()


def _first_rows(parts: RankingParts) -> RankRequest:
    """A request of full size about the first videos of the table."""
    rows = np.arange(min(len(parts.upload_day), 1_000))
    last = rows[: parts.scorer.note.history]
    return RankRequest.of(
        bundle=parts.id,
        budget_ms=0.0,
        day=0.0,
        candidates=rows,
        history=Events(last, np.zeros(len(last), np.int8), np.zeros(len(last))),
        profile=np.zeros(parts.scorer.note.profile_width, np.float32),
        context=np.zeros(CONTEXT_WIDTH, np.float32),
        session=rows[:10],
    )


def _of_trace(request: RankRequest | None) -> str:
    """What a line says of whose request it was; what is no trace is not repeated."""
    trace = None if request is None else parse(request.trace)
    return "" if trace is None else f" (trace_id {trace.trace_id})"


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3
