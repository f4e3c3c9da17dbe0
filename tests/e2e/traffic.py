"""Clients that ask for pages at a fixed rate, whoever answers, and note each answer."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from shortlist.wire.recommend import V1_PATH

USERS = 200
_AT_ONCE = 64
_SECONDS = 30.0


@dataclass
class Asked:
    """One request of a client.

    Attributes:
        began: when it was sent, in seconds since 1970-01-01.
        ended: when its last try was over.
        status: of the answer; 0 where there was none.
        tries: how often it was sent.
        connected: how often it was tried to connect; a second time where that was refused.
        fault: why there was no page.
        page: what came.
    """

    began: float
    ended: float = 0.0
    status: int = 0
    tries: int = 0
    connected: int = 0
    fault: str = ""
    page: dict[str, Any] = field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Whether the client is left without a page."""
        return self.status != 200

    @property
    def degraded(self) -> bool:
        """Whether its page is a simpler one."""
        return bool(self.page.get("degraded"))


@dataclass
class Load:
    """What all clients were told so far."""

    asked: list[Asked] = field(default_factory=list)

    @property
    def lost(self) -> list[Asked]:
        """Requests without a page."""
        return [one for one in self.asked if one.lost]

    @property
    def degraded(self) -> list[Asked]:
        """Requests with a simpler page."""
        return [one for one in self.asked if one.degraded]

    @property
    def reconnected(self) -> list[Asked]:
        """Requests whose first connection was refused."""
        return [one for one in self.asked if one.connected > one.tries]

    @property
    def pages(self) -> list[dict[str, Any]]:
        """All pages."""
        return [one.page for one in self.asked if not one.lost]

    def since(self, moment: float) -> "Load":
        """Requests that began later."""
        return Load([one for one in list(self.asked) if one.began >= moment])

    def summary(self) -> str:
        """In one line."""
        again = sum(one.tries > 1 for one in self.asked)
        anew = f", {len(self.reconnected)} connected twice" if self.reconnected else ""
        return (
            f"{len(self.asked)} asked, {len(self.lost)} lost, {len(self.degraded)} degraded, "
            f"{again} asked twice{anew}"
        )


class Clients:
    """Half of them keep connections open, as gateways do; half open one for each request."""

    def __init__(self, address: str, *, retry_after: float | None, reconnect: bool) -> None:
        """Send to an address.

        Args:
            address: of the service.
            retry_after: seconds after which a client that got no page asks once more; None: never.
            reconnect: whether a client whose connection is refused connects once more, as gateways
                do: nobody has read its request yet.
        """
        self._url, self._retry_after = address + V1_PATH, retry_after
        self._reconnect = reconnect
        self._kept = httpx.Client(timeout=_SECONDS)

    def ask(self, number: int, into: Load) -> None:
        """Ask for one page, and note what came."""
        asked = Asked(time.time())
        body = {"instances": [{"user_id": number % USERS, "session_id": f"{uuid.uuid4()}"}]}
        for last in (self._retry_after is None, True):
            asked.tries += 1
            kept = number % 2 == 0 and asked.tries == 1
            try:
                try:
                    self._try(asked, body, kept=kept)
                except httpx.ConnectError:
                    if not self._reconnect:
                        raise
                    self._try(asked, body, kept=kept)
            except (httpx.HTTPError, ValueError, LookupError) as error:
                asked.status, asked.fault = 0, repr(error)
            if not asked.lost or last:
                break
            time.sleep(self._retry_after or 0)
        asked.ended = time.time()
        into.asked.append(asked)

    def _try(self, asked: Asked, body: dict[str, Any], *, kept: bool) -> None:
        asked.connected += 1
        if kept:
            answer = self._kept.post(self._url, json=body)
        else:
            answer = httpx.post(self._url, json=body, headers={"connection": "close"}, timeout=30)
        asked.status = answer.status_code
        if asked.lost:
            asked.fault = answer.text
        else:
            asked.page = answer.json()["predictions"][0]

    def close(self) -> None:
        """Close what was kept."""
        self._kept.close()


@contextlib.contextmanager
def load(
    address: str, rate: float, *, retry_after: float | None = None, reconnect: bool = False
) -> Iterator[Load]:
    """Pages are asked for meanwhile; at the end, whatever is under way is waited for.

    Args:
        address: of the service, on this machine.
        rate: requests a second.
        retry_after: as `Clients`.
        reconnect: likewise.
    """
    found, stop = Load(), threading.Event()
    clients = Clients(address, retry_after=retry_after, reconnect=reconnect)
    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def send() -> None:
            began, number = time.monotonic(), 0
            while not stop.wait(max(0.0, began + number / rate - time.monotonic())):
                pool.submit(clients.ask, number, found)
                number += 1

        sending = threading.Thread(target=send)
        sending.start()
        try:
            yield found
        finally:
            stop.set()
            sending.join()
    clients.close()
