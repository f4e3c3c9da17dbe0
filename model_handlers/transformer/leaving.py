"""The end of a server that callers keep connections to: a lame duck first, then no more.

An idle connection that the server closes may just be carrying a request that nobody reads any more.
So for some seconds after the signal everybody is still answered, and told with each answer to come
back by a new connection, which leads elsewhere once the cluster has forgotten this address.
"""

import asyncio
import logging
import random
import signal
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)
_CLOSE = (b"connection", b"close")


class LameDuckServer(uvicorn.Server):
    """Goes on answering for a while after the first signal; SIGINT once more ends that.

    SIGTERM once more does not: whoever stops containers may send it again.
    """

    def __init__(self, config: uvicorn.Config, seconds: float, turnover: float = 0.0) -> None:
        """Prepare it, in the event loop that it will serve in.

        Args:
            config: of the server; its application is wrapped.
            seconds: for which it goes on; 0 for an end at once.
            turnover: share of the answers after which a connection is closed, drawn by chance.
                Where several processes answer at one socket, whoever keeps a connection keeps to
                one of them, however busy it is; a new one goes to who has time.
        """
        super().__init__(config)
        config.app = self._told(config.app)  # type: ignore[arg-type]
        self._seconds, self._turnover = seconds, turnover
        self._loop = asyncio.get_running_loop()
        self._lame = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        end = super().handle_exit
        if self._seconds == 0 or (self._lame and sig == signal.SIGINT):
            end(sig, frame)
        elif not self._lame:
            self._lame = True
            _LOG.info("ending: everybody is still answered for %g s", self._seconds)
            # A signal may come while the loop sleeps; only this wakes it.
            self._loop.call_soon_threadsafe(self._loop.call_later, self._seconds, end, sig, None)

    def _told(self, app: ASGIApp) -> ASGIApp:
        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            last = self._lame or random.random() < self._turnover
            await app(scope, receive, closing(send) if last else send)

        return called


def closing(send: Send) -> Send:
    """What sends an answer after which the connection is closed."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await send(message)

    return sent
