"""The bare compute: the same pages in one process, on one thread, from what Redis holds of a user.

No server, no wire, no store on the way: encode, recall, pre-rank, list, slate, by the recommender
that runs in process, on the bundle's own graphs.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.serving.running import Prepared, storing
from shortlist.datasets.interactions import Ints
from shortlist.online.store import UserState
from shortlist.recommender.cascade import Cascade
from shortlist.recommender.request import Request
from shortlist.serving.asked import Asked
from shortlist.serving.asker import Asker
from shortlist.serving.budget import Budget
from shortlist.serving.dating import dated, day_of
from shortlist.serving.drawing import seed_of
from shortlist.serving.live import Live
from shortlist.wire.recommend import RecommendRequest


@dataclass(frozen=True, slots=True)
class Known:
    """A user's request as the recommender takes it.

    Attributes:
        request: with all that is known of them.
        day: that it is made for.
    """

    request: Request
    day: float


class Timed:
    """A graph whose runs are timed."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self.seconds = 0.0

    def run(self, *given: Any) -> Any:
        """As the graph's own."""
        began = time.thread_time()
        try:
            return self._graph.run(*given)
        finally:
            self.seconds += time.thread_time() - began


class Bare:
    """Makes pages in process, and counts what they cost."""

    def __init__(self, live: Live) -> None:
        """Take an open bundle; its graphs are timed from now on."""
        self.live = live
        self._cascade = Cascade(live.parts)
        scorer: Any = live.parts.scorer
        self._graphs = []
        for name in ("_history", "_prerank", "_listwise"):
            timed = Timed(getattr(scorer, name))
            setattr(scorer, name, timed)
            self._graphs.append(timed)
        self.candidates: list[int] = []

    @classmethod
    def of(cls, given: Prepared) -> Self:
        """Open the bundle that is served."""
        return cls(Live.of_bundle(given.bundle))

    @property
    def graph_seconds(self) -> float:
        """CPU seconds in the three graphs so far."""
        return sum(graph.seconds for graph in self._graphs)

    def page(self, known: Known, seed: int | None = None) -> Ints:
        """Ids of the videos of one page, int64 [s]."""
        answer = self._cascade.answer(known.request, known.day)
        self.candidates.append(len(answer.recalled))
        drawn = self._cascade.page(answer, self.live.slate, seed=seed)
        return self.live.ids[drawn.video]

    def spent(self, asked: Sequence[Known]) -> dict[str, float]:
        """CPU ms of a page: of all of it, and of the three graphs alone."""
        graphs, began = self.graph_seconds, time.process_time()
        for place, known in enumerate(asked):
            self.page(known, seed=place)
        count = max(len(asked), 1)
        return {
            "page": (time.process_time() - began) * 1e3 / count,
            "graphs": (self.graph_seconds - graphs) * 1e3 / count,
        }

    def known(self, given: Prepared, users: Sequence[int]) -> dict[int, Known]:
        """What the service would make its first pages of, by user."""
        states = asyncio.run(_states(given, users))
        return {user: self._known(given, states[user]) for user in users}

    def _known(self, given: Prepared, state: UserState) -> Known:
        serving = given.plan.settings.serving
        state = dated(serving, self.live, state)
        asked = RecommendRequest(user_id=state.user, context={"evening": 1.0, "wifi": 1.0})
        day = day_of(serving, self.live, state, time.time())
        one = Asked(asked, "0" * 32, time.time(), Budget(serving.budget_ms), state)
        asker = Asker.of(one, self.live, day)
        request = Request(asker.history, asker.declared, asker.excluded, asker.context, asker.shown)
        return Known(request, day)

    def same(self, page: Mapping[str, Any], known: Known) -> bool:
        """Whether the service's page is the one that is made here, video by video."""
        ids = [video["video_id"] for video in page["videos"]]
        return ids == self.page(known, seed=seed_of(page["request_id"])).tolist()


async def _states(given: Prepared, users: Sequence[int]) -> dict[int, UserState]:
    async with storing(given) as store:
        return {user: await store.fetch(user, "") for user in users}
