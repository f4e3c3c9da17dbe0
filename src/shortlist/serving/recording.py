"""Served pages on their way into the store: after the reply, in order, and never lost in silence.

Until a page is written, whoever asks for the session's next page is told of it from here; so a
session does not repeat itself where a client is quicker than Redis, or Redis is away.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from shortlist.errors import InputError, UnavailableError
from shortlist.online.entries import ServedPage
from shortlist.online.lists import StoredList
from shortlist.online.packing import UserVector
from shortlist.online.store import UserState
from shortlist.serving.background import for_ever

_PAUSE_SECONDS: Final = 0.5


class Keeper(Protocol):
    """Where pages are kept."""

    async def served(
        self,
        page: ServedPage,
        *,
        ranked: StoredList | None = None,
        vector: UserVector | None = None,
    ) -> None:
        """As `shortlist.online.store.OnlineStore.served`."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A page, and what was made for it."""

    page: ServedPage
    ranked: StoredList | None = None
    vector: UserVector | None = None

    @property
    def session(self) -> tuple[int, str]:
        """Whose page it is."""
        return self.page.user, self.page.session_id


class Recorder:
    """A bounded queue before the store, and those who empty it."""

    def __init__(
        self,
        keeper: Keeper,
        most: int,
        *,
        writers: int = 32,
        lost: Callable[[int], None] = lambda _: None,
        failed: Callable[[str], None] = lambda _: None,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        """Begin empty.

        Args:
            keeper: the store.
            most: pages that wait at most; where more come, the oldest are lost.
            writers: that write at a time; the store sends together what they write.
            lost: told how many pages were lost.
            failed: told its name where it met what nobody foresaw.
            pause_seconds: before a page is tried again that could not be written.
        """
        self._keeper, self._most, self._lost, self._failed = keeper, most, lost, failed
        self._writers, self._pause = writers, pause_seconds
        self._waiting: deque[Record] = deque()
        self._pending: OrderedDict[tuple[int, str], list[Record]] = OrderedDict()
        self._writing: set[tuple[int, str]] = set()
        # At most one for each page that waits. Whoever is done wakes another one while any waits,
        # so that pages are written whose session was just written to when their own was used.
        self._more = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def add(self, record: Record) -> None:
        """Take a page; returns at once."""
        full = len(self._waiting) >= self._most
        if full:
            self._done(self._waiting.popleft())
            self._lost(1)
        self._waiting.append(record)
        self._pending.setdefault(record.session, []).append(record)
        if not self._tasks:
            # They outlive the request that they begin with, and are none of its.
            for _ in range(self._writers):
                going = for_ever("recorder", self._write, self._failed, pause_seconds=self._pause)
                self._tasks.append(asyncio.create_task(going, context=Context()))
        if not full:
            self._more.release()

    def pending(self, user: int, session: str) -> tuple[Record, ...]:
        """What waits of a session, or is being written, the oldest first."""
        return tuple(self._pending.get((user, session), ()))

    def overlaid(self, state: UserState, session: str, before: Sequence[Record] = ()) -> UserState:
        """What the store knows, with what it will know soon.

        Args:
            state: as the store told it.
            session: whose it is.
            before: what was pending when the store was asked: it may have been written since, and
                yet after the store looked.
        """
        records = list(dict.fromkeys([*before, *self.pending(state.user, session)]))
        if not records:
            return state
        videos = np.concatenate([state.shown, *(record.page.video for record in records)])
        _, first = np.unique(videos, return_index=True)
        lists = [record.ranked for record in records if record.ranked is not None]
        vectors = [record.vector for record in records if record.vector is not None]
        return replace(
            state,
            shown=videos[np.sort(first)],
            ranked=lists[-1] if lists else state.ranked,
            vector=vectors[-1] if vectors else state.vector,
        )

    def drop(self, user: int) -> None:
        """Forget what waits of a user, and what is being written; the store refuses the rest."""
        mine = [key for key in self._pending if key[0] == user]
        for record in [one for key in mine for one in self._pending[key]]:
            with contextlib.suppress(ValueError):
                self._waiting.remove(record)
            self._done(record)

    async def close(self, seconds: float) -> None:
        """Write what waits, for some seconds at most; what is left then is lost, and counted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._pending:
                    await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if left := len(self):
            self._lost(left)
        self._waiting.clear()
        self._pending.clear()

    async def _write(self) -> None:
        await self._more.acquire()
        record = self._next()
        if record is None:
            return
        self._writing.add(record.session)
        try:
            await self._keeper.served(record.page, ranked=record.ranked, vector=record.vector)
        except UnavailableError:
            # Back to the front: pages of a session are written in their order.
            if record in self._pending.get(record.session, []):
                self._waiting.appendleft(record)
            self._writing.discard(record.session)
            await asyncio.sleep(self._pause)
        except Exception as error:
            self._done(record)
            self._lost(1)
            if not isinstance(error, InputError):
                raise
        else:
            self._done(record)
        finally:
            self._writing.discard(record.session)
            if self._waiting and self._more.locked():
                self._more.release()

    def _next(self) -> Record | None:
        """The first page whose session nobody is writing to."""
        for place, record in enumerate(self._waiting):
            if record.session not in self._writing:
                del self._waiting[place]
                return record
        return None

    def _done(self, record: Record) -> None:
        left = self._pending.get(record.session, [])
        with contextlib.suppress(ValueError):
            left.remove(record)
        if not left:
            self._pending.pop(record.session, None)
