"""A transformer in this process: real parts, but a store in memory and a predictor called."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from shortlist.bundle import BundleStore
from shortlist.datasets.events import Histories
from shortlist.errors import UnavailableError
from shortlist.online.blocklist import Blocklist
from shortlist.online.entries import Event, ServedPage
from shortlist.online.lists import StoredList
from shortlist.online.packing import Declared, History, UserVector
from shortlist.online.store import UserState
from shortlist.serving.breaker import Breaker
from shortlist.serving.budget import Budget
from shortlist.serving.bundles import Bundles
from shortlist.serving.known import Known
from shortlist.serving.live import Live
from shortlist.serving.predictor import RankingParts, rank
from shortlist.serving.pulse import Pulse
from shortlist.serving.recommending import Recommender
from shortlist.serving.recording import Recorder
from shortlist.settings.serving import ServingSettings
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.rank import RankAnswer, RankRequest
from shortlist.wire.recommend import Page, RecommendRequest

T = TypeVar("T")

NOTHING = np.zeros(0, np.int64)


class MemoryStore:
    """What `OnlineStore` does, in memory, as bytes; down where ``fault`` is set."""

    def __init__(self) -> None:
        self.histories: dict[int, bytes] = {}
        self.features: dict[int, bytes] = {}
        self.vectors: dict[int, bytes] = {}
        self.lists: dict[tuple[int, str], bytes] = {}
        self.shown: dict[tuple[int, str], Any] = {}
        self.pages: list[ServedPage] = []
        self.events: list[Event] = []
        self.blocked = Blocklist()
        self.fault: Exception | None = None
        self.fetches = 0
        self.allowed_ms: float | None = None

    def _reached(self) -> None:
        if self.fault is not None:
            raise UnavailableError("Redis is away") from self.fault

    async def fetch(
        self, user: int, session: str = "", *, most_ms: float | None = None
    ) -> UserState:
        self.fetches += 1
        self.allowed_ms = most_ms
        # As any round trip, it lets others run.
        await asyncio.sleep(0)
        self._reached()
        history, said = self.histories.get(user), self.features.get(user)
        vector, ranked = self.vectors.get(user), self.lists.get((user, session))
        return UserState(
            user=user,
            history=History.unpack(history) if history else History.none(),
            declared=Declared.unpack(said) if said else None,
            vector=UserVector.unpack(vector) if vector else None,
            shown=self.shown.get((user, session), NOTHING),
            ranked=StoredList.unpack(ranked) if ranked else None,
            blocked=self.blocked,
        )

    async def served(
        self,
        page: ServedPage,
        *,
        ranked: StoredList | None = None,
        vector: UserVector | None = None,
    ) -> None:
        self._reached()
        key = (page.user, page.session_id)
        self.shown[key] = np.concatenate([self.shown.get(key, NOTHING), page.video])
        self.pages.append(page)
        if ranked is not None:
            self.lists[key] = ranked.pack()
        if vector is not None:
            self.vectors[page.user] = vector.pack()

    async def append(self, events: Any, *, now: float | None = None) -> list[str]:
        self._reached()
        received = []
        for event in events:
            known = event.event_id in {one.event_id for one in self.events}
            received.append("duplicate" if known else "accepted")
            if not known:
                self.events.append(event)
                self._enter(event)
        return received

    def _enter(self, event: Event) -> None:
        wire = self.histories.get(event.user)
        before = History.unpack(wire) if wire else History.none()
        self.histories[event.user] = dataclasses.replace(
            before,
            video=np.append(before.video, event.video),
            kind=np.append(before.kind, np.uint8(event.kind)).astype(np.uint8),
            at=np.append(before.at, int(event.at)),
            version=before.version + (event.kind > 0),
            shown=before.shown + 1,
            clicked=before.clicked + (event.kind >= 2),
        ).pack()

    async def keep_vector(self, user: int, vector: UserVector, *, made: float) -> None:
        self._reached()
        self.vectors[user] = vector.pack()


class CalledRanker:
    """The predictor without a wire; fails where ``fault`` is set."""

    def __init__(self, parts: dict[str, RankingParts]) -> None:
        self.parts = parts
        self.asked: list[RankRequest] = []
        self.fault: Callable[[RankRequest], None] | None = None

    async def rank(self, request: RankRequest, budget: Budget, reserve_ms: float) -> RankAnswer:
        self.asked.append(request)
        if self.fault is not None:
            self.fault(request)
        parts = self.parts[request.bundle]
        request.fit(len(parts.upload_day), parts.scorer.note.profile_width)
        return rank(parts, request)


@dataclass
class Transformer:
    """The parts, to be looked at and broken."""

    live: Live
    bundles: Bundles[Live]
    store: MemoryStore
    ranker: CalledRanker
    recorder: Recorder
    metrics: ServingMetrics
    recommender: Recommender
    now: list[float] = field(default_factory=lambda: [0.0])
    """Of the breaker."""
    pulse: Pulse = field(default_factory=lambda: Pulse(1.0))

    async def page(self, user: int, **asked: Any) -> Page:
        """A page, and everything written that belongs to it."""
        page = await self.recommender.page(RecommendRequest(user_id=user, **asked))
        await self.settle()
        return page

    async def settle(self) -> None:
        """Let the recorder write what it has; not where the store is away."""
        # After a fault it rests for some milliseconds before it tries again.
        for _ in range(5_000):
            if not len(self.recorder) or self.store.fault is not None:
                break
            await asyncio.sleep(0.001)

    def count(self, name: str, **labels: str) -> float:
        """The value of a series."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture(scope="session")
def live(trained) -> Live:
    return Live.of_bundle(trained.bundle)


@pytest.fixture(scope="session")
def ranking_parts(trained) -> RankingParts:
    return RankingParts.of_bundle(trained.bundle)


@pytest.fixture(scope="session")
def users(trained) -> dict[int, tuple[bytes, bytes]]:
    """History and features of every user, as `online load` would store them."""
    view = trained.view
    histories = Histories.from_log(view.log, len(view.users))
    found = {}
    for row, user in enumerate(view.users.ids.tolist()):
        events = histories.of(row)
        history = History(
            view.catalogue.ids[events.video],
            events.kind.astype(np.uint8),
            (events.day * 86_400).astype(np.int64),
            version=7,
            shown=len(events),
            clicked=int((events.kind >= 2).sum()),
        )
        said = view.users.table.slice(row, 1).to_pylist()[0]
        declared = Declared(
            tuple(said["interests"] or ()), said["language"], said["activity"], said["age_band"]
        )
        found[user] = (history.pack(), declared.pack())
    return found


@pytest.fixture(scope="session")
def busiest(users) -> int:
    """The user with the longest history."""
    return max(users, key=lambda user: len(users[user][0]))


@pytest.fixture
def make(trained, live, ranking_parts, users) -> Callable[..., Transformer]:
    """Makes transformers; inside of the event loop that they are to run in."""

    def made(**settings: Any) -> Transformer:
        serving = ServingSettings(**({"clock": "bundle", "budget_ms": 10_000} | settings))
        bundles: Bundles[Live] = Bundles(
            BundleStore(trained.settings.paths.bundles), lambda bundle: live
        )
        bundles.look()
        store = MemoryStore()
        for user, (history, said) in users.items():
            store.histories[user], store.features[user] = history, said
        metrics = ServingMetrics(CollectorRegistry())
        ranker = CalledRanker({live.id: ranking_parts})
        recorder = Recorder(store, serving.waiting_pages, lost=metrics.lost, pause_seconds=0.01)
        now = [0.0]
        breaker = Breaker(serving.breaker_failures, serving.breaker_seconds, clock=lambda: now[0])
        pulse = Pulse(late_seconds=0.01)
        recommender = Recommender(
            bundles, Known(store, breaker), ranker, recorder, serving, metrics, pulse
        )
        return Transformer(live, bundles, store, ranker, recorder, metrics, recommender, now, pulse)

    return made


@pytest.fixture
def run() -> Callable[[Awaitable[T]], T]:
    """Runs a coroutine in a loop of its own."""

    def ran(awaitable: Awaitable[T]) -> T:
        async def whole() -> T:
            return await asyncio.wait_for(awaitable, 30)

        return asyncio.run(whole())

    return ran
