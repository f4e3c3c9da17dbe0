"""What users did: into log and history, and from there to their vectors before they ask again."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Final, Protocol

import numpy as np

from shortlist.datasets.events import Kind
from shortlist.errors import UnavailableError
from shortlist.online import entries
from shortlist.online.packing import History, UserVector, rows_of
from shortlist.online.store import Received, UserState
from shortlist.ranker.profile import tally
from shortlist.serving.asker import declared_of, fresh
from shortlist.serving.background import for_ever
from shortlist.serving.bundles import Bundles
from shortlist.serving.live import Live
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.events import Event, HistoryAnswer, PastEvent, Receipt
from shortlist.wire.refusals import NotReadyError

_ACTIONS: Final = {action.name.lower(): action for action in entries.Action}
_KINDS: Final = {kind.value: kind.name.lower() for kind in Kind}


class Store(Protocol):
    """The store, as far as events go."""

    async def append(
        self, events: Sequence[entries.Event], *, now: float | None = None
    ) -> list[Received]:
        """As `shortlist.online.store.OnlineStore.append`."""

    async def fetch(self, user: int, session: str = "") -> UserState:
        """As `shortlist.online.store.OnlineStore.fetch`."""

    async def keep_vector(self, user: int, vector: UserVector, *, made: float) -> None:
        """As `shortlist.online.store.OnlineStore.keep_vector`."""


class Reporter:
    """Takes events."""

    def __init__(
        self, bundles: Bundles[Live], store: Store, encoder: "Encoder", figures: ServingMetrics
    ) -> None:
        """Take the parts.

        Args:
            bundles: which videos there are.
            store: of histories and the log.
            encoder: told whose vector is no longer good.
            figures: counts.
        """
        self._bundles, self._store = bundles, store
        self._encoder, self._figures = encoder, figures

    async def report(self, events: Sequence[Event]) -> list[Receipt]:
        """Enter events; what became of each, in order.

        An event of a video that the bundle does not know is not entered.

        Raises:
            NotReadyError: no bundle is loaded yet.
            UnavailableError: the store is away; sending all again is safe.
        """
        held = self._bundles.current
        if held is None:
            raise NotReadyError(f"no bundle is loaded yet: {self._bundles.fault or 'wait'}")
        live = held.parts
        rows, known = rows_of(np.array([event.video_id for event in events], np.int64), live.ids)
        receipts = [Receipt.UNKNOWN_VIDEO] * len(events)
        entered = [
            (place, _entry(events[place], live.duration_of(int(rows[place]))))
            for place in np.flatnonzero(known).tolist()
        ]
        received = await self._store.append([entry for _, entry in entered])
        changed: dict[int, None] = {}
        for (place, entry), became in zip(entered, received, strict=True):
            receipts[place] = Receipt(became)
            if became == "accepted" and entry.kind != Kind.SHOWN:
                changed[entry.user] = None
        for event, receipt in zip(events, receipts, strict=True):
            self._figures.event(receipt.value, event.kind)
        for user in changed:
            self._encoder.add(user)
        return receipts


class Encoder:
    """Encodes users again after an event, in the background, one at a time."""

    def __init__(
        self,
        bundles: Bundles[Live],
        store: Store,
        most: int,
        figures: ServingMetrics,
        dated: Callable[[Live, UserState], tuple[UserState, float]],
    ) -> None:
        """Begin with nobody.

        Args:
            bundles: whose history encoder is run.
            store: of histories and vectors.
            most: users that wait at most.
            figures: counts.
            dated: a state in the time that pages are made for, and the day there.
        """
        self._bundles, self._store, self._figures, self._dated = bundles, store, figures, dated
        self._most = most
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, user: int) -> None:
        """Encode a user soon; returns at once. Who finds no place is encoded when they ask."""
        if user not in self._waiting and len(self._waiting) >= self._most:
            self._figures.vector("dropped")
            return
        self._waiting[user] = None
        if self._task is None:
            # It outlives the request that it begins with, and is none of its.
            going = for_ever("encoder", self._turn, self._figures.turn_failed)
            self._task = asyncio.create_task(going, context=Context())
        self._more.set()

    async def close(self) -> None:
        """Stop; who waits is encoded when they ask."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _turn(self) -> None:
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        user, _ = self._waiting.popitem(last=False)
        try:
            await self._encode(user)
        except Exception as error:
            # The next page encodes it anyway.
            self._figures.vector("dropped")
            if not isinstance(error, UnavailableError):
                raise

    async def _encode(self, user: int) -> None:
        held, began = self._bundles.current, time.time()
        state = await self._store.fetch(user)
        if held is None or fresh(state.vector, held.parts, state.history.version) is not None:
            return
        live = held.parts
        state, day = self._dated(live, state)
        history, _ = state.history.events(live.ids)
        counts = tally(state.history.shown, state.history.clicked)
        profile = np.concatenate([declared_of(state, live), counts])
        vector = live.encode(history, profile, day)
        kept = UserVector(live.id, state.history.version, vector)
        await self._store.keep_vector(user, kept, made=began)
        self._figures.vector("encoded")


def history_answer(user: int, history: History) -> HistoryAnswer:
    """A history as the user gets it."""
    events = zip(history.video.tolist(), history.kind.tolist(), history.at.tolist(), strict=True)
    return HistoryAnswer(
        user,
        tuple(
            PastEvent(video, _KINDS[kind], float(at))  # type: ignore[arg-type]
            for video, kind, at in events
            if kind in _KINDS
        ),
    )


def _entry(event: Event, duration: float | None) -> entries.Event:
    action = _ACTIONS[event.kind]
    return entries.Event(
        event_id=event.event_id,
        user=event.user_id,
        video=event.video_id,
        action=action,
        at=event.at,
        kind=entries.kind_of(action, event.watch_seconds, duration),
        watch_seconds=event.watch_seconds,
        request_id=event.request_id or "",
        position=event.position,
        propensity=event.propensity,
    )
