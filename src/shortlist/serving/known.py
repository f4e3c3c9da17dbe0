"""What the store knows of a user, or nothing where it does not answer in its time."""

from typing import Protocol

import numpy as np

from shortlist.errors import UnavailableError
from shortlist.online.blocklist import Blocklist
from shortlist.online.packing import History
from shortlist.online.store import UserState
from shortlist.serving.breaker import Breaker
from shortlist.wire.causes import Cause


class Fetcher(Protocol):
    """The store, as far as pages ask it."""

    @property
    def blocked(self) -> Blocklist:
        """As it was last seen."""

    async def fetch(
        self, user: int, session: str = "", *, most_ms: float | None = None
    ) -> UserState:
        """As `shortlist.online.store.OnlineStore.fetch`."""


class Known:
    """Asks the store, unless it failed of late."""

    def __init__(self, store: Fetcher, breaker: Breaker) -> None:
        self._store, self._breaker = store, breaker
        self._last = Cause.STORE_DOWN

    async def of(self, user: int, session: str, left_ms: float) -> tuple[UserState, Cause | None]:
        """What is known of a user, and why that is nothing where the store is to blame.

        Args:
            user: id.
            session: as the client calls it; empty is a session too.
            left_ms: of the page's time; the store has no more than that, however patient it is.
        """
        if self._breaker.allows():
            asked = self._breaker.now
            try:
                state = await self._store.fetch(user, session, most_ms=left_ms)
            except UnavailableError as error:
                slow = isinstance(error.__cause__, TimeoutError)
                self._last = Cause.STORE_SLOW if slow else Cause.STORE_DOWN
                self._breaker.failed(asked)
            else:
                self._breaker.succeeded()
                return state, None
        return self.nothing(user), self._last

    def nothing(self, user: int) -> UserState:
        """The state of somebody of whom nothing is known; what was taken down is known still."""
        return UserState(
            user=user,
            history=History.none(),
            declared=None,
            vector=None,
            shown=np.zeros(0, np.int64),
            ranked=None,
            blocked=self._store.blocked,
        )
