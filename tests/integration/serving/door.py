"""A door between two processes on this machine: it can be made slow, or shut."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Self

from shortlist.online.embedded import free_port

_BYTES = 1 << 16


class Door:
    """Passes bytes on from its own port to another one, in a thread of its own."""

    def __init__(self, behind: int) -> None:
        """Take a free port.

        Args:
            behind: port of 127.0.0.1 that connections are passed on to.
        """
        self.port, self._behind = free_port(), behind
        self._delay, self._cuts = 0.0, 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._unlock())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._lock())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Whatever is answered takes so much longer."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    def cut(self, requests: int = 1) -> None:
        """Close the connection of so many of the next requests instead of passing them on."""
        self._cuts = requests

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Connections are refused, and those that were open are closed."""
        self._do(self._lock())
        try:
            yield
        finally:
            self._do(self._unlock())

    def _do(self, what) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _unlock(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _lock(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        writers = [writer]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, onward = await asyncio.open_connection("127.0.0.1", self._behind)
            writers.append(onward)
            ways = [
                asyncio.ensure_future(self._pass(reader, onward, answers=False)),
                asyncio.ensure_future(self._pass(there, writer, answers=True)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        for one in writers:
            one.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while data := await reader.read(_BYTES):
            if answers and self._delay:
                await asyncio.sleep(self._delay)
            if self._cuts and not answers:
                self._cuts -= 1
                return
            writer.write(data)
            await writer.drain()
