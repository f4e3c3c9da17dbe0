"""From a request to a page: what is known, recall, the predictor, the slate; less where one fails.

A stored list spares recall and predictor. Where the predictor fails, the order of recall stands in
for it; where the store fails, the bundle's own tables do. Every fallback is named on the page and
counted.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from shortlist.online.lists import StoredList
from shortlist.online.packing import UserVector
from shortlist.recall.blend import Blended
from shortlist.recall.source import SOURCES
from shortlist.serving.asked import Asked
from shortlist.serving.asker import Asker
from shortlist.serving.budget import Budget
from shortlist.serving.bundles import Bundles
from shortlist.serving.client import NoRankingError
from shortlist.serving.dating import dated, day_of
from shortlist.serving.drawing import Drawn, as_recalled, draw, ranked_by, served
from shortlist.serving.known import Known
from shortlist.serving.live import Live
from shortlist.serving.pulse import Pulse
from shortlist.serving.recording import Record, Recorder
from shortlist.serving.turning import left_of, planned_anew, ranked_again, stored, turn
from shortlist.settings.serving import ServingSettings
from shortlist.slate.ranked import Ranked
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.causes import Cause, Ignored
from shortlist.wire.rank import MOST_CANDIDATES, RankAnswer, RankRequest
from shortlist.wire.recommend import LAST_PAGE, Page, RecommendRequest
from shortlist.wire.refusals import NotReadyError, OverloadedError, UnknownBundleError

_LEAST_MS: Final = 1.0
"""For less nobody asks the predictor."""


class Ranker(Protocol):
    """The predictor, as far as pages ask it."""

    async def rank(self, request: RankRequest, budget: Budget, reserve_ms: float) -> RankAnswer:
        """As `shortlist.serving.client.PredictorClient.rank`."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A page before it is told.

    Attributes:
        live: whose rows it is of.
        drawn: the page.
        causes: why it is not what it could be.
        ranked: the list that it was drawn from, where it is to be stored.
        vector: of the user, where it is to be stored.
        cached: whether it was drawn from a stored list.
    """

    live: Live
    drawn: Drawn
    causes: tuple[Cause, ...] = ()
    ranked: StoredList | None = None
    vector: UserVector | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _Recalled:
    """Candidates of one bundle.

    Attributes:
        live: whose rows these are.
        asker: who asks, in these rows.
        blended: the candidates.
        vector: of the user, where it was encoded just now.
    """

    live: Live
    asker: Asker
    blended: Blended
    vector: UserVector | None


class Recommender:
    """Makes pages, of one event loop."""

    def __init__(
        self,
        bundles: Bundles[Live],
        known: Known,
        ranker: Ranker,
        recorder: Recorder,
        settings: ServingSettings,
        figures: ServingMetrics,
        pulse: Pulse,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the parts.

        Args:
            bundles: that pages are made from.
            known: asks the store.
            ranker: asks the predictor.
            recorder: keeps served pages.
            settings: of serving.
            figures: counts.
            pulse: of the event loop.
            clock: seconds since 1970-01-01.
        """
        self._bundles, self._known, self._ranker = bundles, known, ranker
        self._recorder, self._settings, self._figures = recorder, settings, figures
        self._pulse, self._clock = pulse, clock
        self._making = 0

    async def pages(
        self, requests: Sequence[RecommendRequest], trace: str | None = None
    ) -> list[Page]:
        """A page for each request, in order, one after the other; each has the whole budget.

        Made at once, those of one body would stand in each other's way and in that of others, and
        two of one session would not know of each other.

        Args:
            requests: of one body.
            trace: the W3C ``traceparent`` of the caller.

        Raises:
            NotReadyError: no bundle is loaded yet.
            OverloadedError: too many are being made, or this process does not keep up.
        """
        if self._pulse.standing:
            raise OverloadedError("this process does not keep up with what it is asked")
        most = self._settings.pages_at_once
        if self._making >= most:
            raise OverloadedError(f"{self._making} pages are being made, {most} are the most")
        self._making += 1
        try:
            return [await self.page(request, trace) for request in requests]
        finally:
            self._making -= 1

    async def page(self, request: RecommendRequest, trace: str | None = None) -> Page:
        """A page for one request; see `pages`."""
        budget, at = Budget(self._settings.budget_ms), self._clock()
        held = self._bundles.current
        if held is None:
            raise NotReadyError(f"no bundle is loaded yet: {self._bundles.fault or 'wait'}")
        session = request.session_id or ""
        left = max(budget.left_ms - self._settings.reserve_ms, _LEAST_MS)
        pending = self._recorder.pending(request.user_id, session)
        state, failed = await self._known.of(request.user_id, session, left)
        if failed is None:
            self._figures.cache("features", hit=state.known)
        state = self._recorder.overlaid(state, session, pending)
        asked = Asked(request, os.urandom(16).hex(), at, budget, state, failed, trace)
        budget.stop("store")
        made = self._from_stored(asked, held.parts)
        self._figures.cache("slate", hit=made is not None)
        if made is None:
            made = await self._anew(self._dated(asked, held.parts), held.parts)
        self._keep(asked, made)
        return self._told(asked, made)

    def _from_stored(self, asked: Asked, live: Live) -> _Made | None:
        """A page of the session's stored list; None where there is none that fills a page."""
        kept, size = asked.state.ranked, asked.request.page_size
        # Where the store failed, what waits to be written is no history to go by.
        if kept is None or asked.failed is not None:
            return None
        if not kept.serves(live.id, asked.state.history.version, asked.shape):
            return None
        left = left_of(kept, asked)
        if len(left) < size:
            return None
        settings = self._settings
        turned = turn(asked, live, kept, left, settings.planned_window)
        self._figures.cache("plan", hit=turned is not None)
        if turned is not None:
            asked.budget.stop("slate")
            return _Made(live, turned, cached=True)
        asked = self._dated(asked, live)
        history, _ = asked.state.history.events(live.ids)
        day = day_of(settings, live, asked.state, asked.at)
        ranked, places = ranked_again(kept, left, live)
        if len(ranked) < size:
            return None
        drawn = draw(asked, live, ranked, history, day, settings)
        again = planned_anew(kept, places, drawn, asked)
        asked.budget.stop("slate")
        return _Made(live, drawn, ranked=again, cached=True)

    def _dated(self, asked: Asked, live: Live) -> Asked:
        return replace(asked, state=dated(self._settings, live, asked.state))

    async def _anew(self, asked: Asked, live: Live) -> _Made:
        """A page by recall and predictor; where that lacks the bundle, by another that is held."""
        first: _Recalled | None = None
        cause: Cause | None = None
        for one in self._to_try(live):
            found = self._recalled(asked, one)
            first = first or found
            if not len(found.blended):
                break
            try:
                answer = await self._answer(asked, found)
            except UnknownBundleError:
                cause = Cause.BUNDLE_MISMATCH
                continue
            except NoRankingError as error:
                cause = error.cause
                break
            finally:
                asked.budget.stop("predictor")
            return self._made(asked, found, ranked_by(answer, found.blended), None)
        assert first is not None
        count = first.live.parts.scorer.note.list_size
        return self._made(asked, first, as_recalled(first.blended, count), cause)

    def _to_try(self, live: Live) -> Iterator[Live]:
        """The current bundle, then the others that are held."""
        yield live
        for other in self._bundles.ids:
            if other != live.id and (held := self._bundles.get(other)) is not None:
                yield held

    def _recalled(self, asked: Asked, live: Live) -> _Recalled:
        day = day_of(self._settings, live, asked.state, asked.at)
        asker = Asker.of(asked, live, day)
        user, vector = asker.vector, None
        if user is None:
            user = live.encode(asker.history, asker.profile, day)
            if asked.failed is None:
                vector = UserVector(live.id, asked.state.history.version, user)
        self._figures.cache("vector", hit=asker.vector is not None)
        self._figures.vector("encoded" if asker.vector is None else "kept")
        asked.budget.stop("encode")
        blended = live.parts.blend.recall(asker.query(live, user))
        asked.budget.stop("recall")
        return _Recalled(live, asker, blended, vector)

    async def _answer(self, asked: Asked, found: _Recalled) -> RankAnswer:
        budget, reserve = asked.budget, self._settings.reserve_ms
        left = budget.left_ms - reserve
        if left < _LEAST_MS:
            raise NoRankingError(Cause.OVER_BUDGET, "no time is left for the predictor")
        live, asker = found.live, found.asker
        request = RankRequest.of(
            bundle=live.id,
            budget_ms=left,
            day=asker.day,
            candidates=found.blended.video[:MOST_CANDIDATES],
            history=asker.history.last(live.parts.scorer.note.history),
            profile=asker.profile,
            context=asker.context,
            session=asker.shown,
            trace=asked.trace,
        )
        answer = await self._ranker.rank(request, budget, reserve)
        for stage, took in answer.milliseconds.items():
            budget.stages[f"predictor_{stage}"] = took
        return answer

    def _made(self, asked: Asked, found: _Recalled, ranked: Ranked, cause: Cause | None) -> _Made:
        """Draw a page anew; ``cause`` is why the predictor did not rank it."""
        live, asker = found.live, found.asker
        causes = asker.causes if asked.failed is None else (asked.failed,)
        causes = causes if cause is None else (*causes, cause)
        whole = not any(one.degrades for one in causes) and len(ranked) > 0
        settings = self._settings
        drawn = draw(asked, live, ranked, asker.history, asker.day, settings, kept=whole)
        kept = stored(ranked, drawn, live, asked) if whole else None
        asked.budget.stop("slate")
        self._count(found)
        return _Made(live, drawn, causes, kept, found.vector)

    def _count(self, found: _Recalled) -> None:
        ignored = found.asker.ignored
        ignored[Ignored.DUPLICATE_VIDEO] += found.blended.ignored
        for what, count in ignored.items():
            if count:
                self._figures.ignored(what, count)
        bits = found.blended.sources
        for place, source in enumerate(SOURCES):
            self._figures.candidates(source, int((bits >> place & 1).sum()))

    def _keep(self, asked: Asked, made: _Made) -> None:
        """Hand the page to the recorder; what a fallback made is no bundle's."""
        fallen = any(cause.degrades for cause in made.causes)
        page = served(asked, made.drawn, "" if fallen else made.live.id)
        self._recorder.add(Record(page, made.ranked, made.vector))

    def _told(self, asked: Asked, made: _Made) -> Page:
        budget, request = asked.budget, asked.request
        degraded_by = tuple(cause for cause in made.causes if cause.degrades)
        for cause in made.causes:
            self._figures.cause(cause)
        total = budget.spent_ms
        self._figures.page(budget.stages, total, cached=made.cached, degraded=bool(degraded_by))
        timings = {stage: round(took, 3) for stage, took in budget.stages.items()}
        more = len(made.drawn.ids) == request.page_size and request.page < LAST_PAGE
        return Page(
            user_id=request.user_id,
            request_id=asked.id,
            bundle=made.live.id,
            degraded=bool(degraded_by),
            degraded_by=degraded_by,
            videos=made.drawn.videos,
            next_page=request.page + 1 if more else None,
            timings_ms={**timings, "total": round(total, 3)},
        )
