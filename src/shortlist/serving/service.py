"""The transformer's parts put together, whatever server stands around them."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import Final

from shortlist.bundle import BundleStore
from shortlist.errors import UnavailableError
from shortlist.online.store import OnlineStore, UserState
from shortlist.serving.background import for_ever
from shortlist.serving.breaker import Breaker, State
from shortlist.serving.budget import Budget
from shortlist.serving.bundles import Bundles
from shortlist.serving.callers import Callers
from shortlist.serving.client import NoRankingError, PredictorClient
from shortlist.serving.company import Company
from shortlist.serving.dating import dated, day_of
from shortlist.serving.endpoints import Endpoints, canary, predictor_url
from shortlist.serving.known import Known
from shortlist.serving.live import Live
from shortlist.serving.pulse import TURNS, Pulse
from shortlist.serving.recommending import Recommender
from shortlist.serving.recording import Recorder
from shortlist.serving.reporting import Encoder, Reporter
from shortlist.settings import Settings
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.health import Readiness
from shortlist.wire.refusals import NotReadyError, UnknownBundleError, UnservableError

_LOG = logging.getLogger(__name__)
_ASK_AGAIN_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 0.1
_CANARY_MS: Final = 2_000.0


@dataclass(eq=False)
class Service:
    """Everything that routes need.

    Attributes:
        settings: in force.
        bundles: that pages are made from.
        store: of what users did.
        predictor: that ranks.
        recorder: of served pages.
        encoder: of users after events.
        recommender: makes pages.
        reporter: takes events.
        callers: lets callers in.
        figures: counts.
        pulse: of the event loop.
        company: of other workers of the same server; None where there are none.
    """

    settings: Settings
    bundles: Bundles[Live]
    store: OnlineStore
    predictor: PredictorClient
    recorder: Recorder
    encoder: Encoder
    recommender: Recommender
    reporter: Reporter
    callers: Callers
    figures: ServingMetrics
    pulse: Pulse
    company: Company | None = None
    _waking: "asyncio.Task[None] | None" = None
    _learned: bool = False
    _told: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, settings: Settings, figures: ServingMetrics, company: Company | None = None
    ) -> "Service":
        """Put the parts together; nothing is loaded or connected yet.

        Args:
            settings: in force.
            figures: counts.
            company: of other workers of the same server; None where there are none.

        Raises:
            SettingsError: the keys of callers cannot be read.
        """
        serving = settings.serving

        def breaker(part: str) -> Breaker:
            away = [False]

            def changed(state: State) -> None:
                figures.breaker(part, state)
                if state is State.TRYING or away[0] is (state is State.OPEN):
                    return
                away[0] = not away[0]
                _LOG.warning("the %s %s", part, "does not answer" if away[0] else "answers again")

            return Breaker(serving.breaker_failures, serving.breaker_seconds, changed=changed)

        def now(live: Live, state: UserState) -> tuple[UserState, float]:
            state = dated(serving, live, state)
            return state, day_of(serving, live, state, time.time())

        endpoints = Endpoints(serving)
        bundles: Bundles[Live] = Bundles(
            BundleStore(settings.paths.bundles),
            Live.of_bundle,
            pinned=serving.bundle,
            poll_seconds=serving.poll_seconds,
            linger_seconds=serving.linger_seconds,
            may_switch=lambda new: (live := bundles.get(new)) is not None and endpoints.have(live),
            told=figures.publication,
        )
        store = OnlineStore.connect(settings.online)
        predictor = PredictorClient(
            predictor_url(serving),
            breaker("predictor"),
            connections=serving.predictor_connections,
            retried=figures.retried,
        )
        recorder = Recorder(
            store, serving.waiting_pages, lost=figures.lost, failed=figures.turn_failed
        )
        encoder = Encoder(bundles, store, serving.waiting_vectors, figures, now)
        known = Known(store, breaker("store"))
        pulse = Pulse(serving.budget_ms / 1e3 / TURNS)
        return cls(
            settings=settings,
            bundles=bundles,
            store=store,
            predictor=predictor,
            recorder=recorder,
            encoder=encoder,
            recommender=Recommender(bundles, known, predictor, recorder, serving, figures, pulse),
            reporter=Reporter(bundles, store, encoder, figures),
            callers=Callers(serving),
            figures=figures,
            pulse=pulse,
            company=company,
        )

    def why_not_ready(self) -> str | None:
        """None where pages can be made; else what is missing.

        Redis is never missing: without it pages are simpler, and taking this process away would
        help nobody. A predictor must have answered once; whether it still does is no reason either.
        """
        why = self._lacking()
        if why is None and self.company is not None and not self.company.all_ready():
            return "another process of this server is not ready yet"
        return why

    def readiness(self) -> Readiness:
        """From which bundle pages are made.

        A published bundle that is torn takes no process away: the one before goes on serving.

        Raises:
            UnservableError: the only bundle that there is cannot be served.
            NotReadyError: none can be made yet; see `why_not_ready`.
        """
        why, held, bundles = self.why_not_ready(), self.bundles.current, self.bundles
        if held is None and bundles.fault is not None:
            raise UnservableError(bundles.fault)
        if why is not None or held is None:
            raise NotReadyError(why or "no bundle is loaded yet")
        return Readiness(True, held.id, bundles.wanted, bundles.fault)

    async def start(self) -> None:
        """Follow the pointer from now on, look for store and predictor, and wait for the others."""
        # The first bundle is loaded before this returns, by a thread that may wait.
        await asyncio.to_thread(self.bundles.start)
        self._waking = asyncio.create_task(for_ever("waking", self._wake, self.figures.turn_failed))
        self.pulse.start()
        if self.company is not None:
            while not self.company.may_answer(ready=self._lacking() is None):
                await asyncio.sleep(_LOOK_SECONDS)

    async def close(self) -> None:
        """Write what waits, and let go of everything."""
        if self._waking is not None:
            self._waking.cancel()
            await asyncio.gather(self._waking, return_exceptions=True)
        self.pulse.stop()
        await self.encoder.close()
        await self.recorder.close(self.settings.serving.drain_seconds)
        await self.predictor.close()
        await asyncio.to_thread(self.bundles.stop)
        with contextlib.suppress(UnavailableError):
            await self.store.close()

    def _lacking(self) -> str | None:
        """What this process lacks to make pages."""
        if self.bundles.current is None:
            return f"no bundle is loaded yet: {self.bundles.fault or 'wait'}"
        if not self.predictor.reached:
            return "the predictor has not answered yet"
        return None

    async def _wake(self) -> None:
        """Ask the predictor until it answers, learn what was taken down, and tell of both."""
        if not self._learned:
            with contextlib.suppress(UnavailableError):
                await self.store.refresh_blocklist()
                self._learned = True
        self.figures.blocked(len(self.store.blocked))
        held = self.bundles.current
        if held is not None and not self.predictor.reached:
            with contextlib.suppress(NoRankingError, UnknownBundleError):
                await self.predictor.rank(canary(held.parts), Budget(_CANARY_MS), 0.0)
        if self.company is not None and self._lacking() is None:
            self.company.tell_ready()
        ids = self.bundles.ids[:2]
        if held is not None and ids != self._told:
            self.figures.bundles(ids[0], ids[1] if len(ids) > 1 else None)
            self._told = ids
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
