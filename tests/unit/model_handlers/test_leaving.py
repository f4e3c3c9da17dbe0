"""A server that ends sends its callers away before it stops reading what they say."""

import asyncio
import http.client
import signal
import socket
import time
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from model_handlers.transformer.leaving import LameDuckServer

LONG_SECONDS = 600


@asynccontextmanager
async def serving(seconds, turnover=0.0):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            PlainTextResponse("here"), lifespan="off", log_config=None, http="httptools", ws="none"
        )
        server = LameDuckServer(config, seconds, turnover)
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield server, task, listening.getsockname()[1]
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 10)


@pytest.fixture(autouse=True)
def _ignored():
    """A server raises the signals that it caught once more at its end."""
    ends = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(one, lambda *_: None) for one in ends]
    yield
    for one, handler in zip(ends, before, strict=True):
        signal.signal(one, handler)


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.read() == b"here"
    return answer.getheader("connection")


def test_after_a_signal_all_are_answered_and_sent_away() -> None:
    async def story() -> None:
        async with serving(LONG_SECONDS) as (server, _, port):
            kept = http.client.HTTPConnection("127.0.0.1", port)
            assert await asyncio.to_thread(ask, kept) is None
            server.handle_exit(signal.SIGTERM, None)
            assert await asyncio.to_thread(ask, kept) == "close"
            new = http.client.HTTPConnection("127.0.0.1", port)
            assert await asyncio.to_thread(ask, new) == "close"
            assert not server.should_exit

    asyncio.run(story())


@pytest.mark.parametrize(
    ("seconds", "signals", "least"),
    [
        (0, [signal.SIGTERM], 0),
        (0.2, [signal.SIGTERM], 0.2),
        # Whoever stops containers may say it twice.
        (0.2, [signal.SIGTERM, signal.SIGTERM], 0.2),
        (LONG_SECONDS, [signal.SIGINT, signal.SIGINT], 0),
    ],
)
def test_it_ends_after_its_time_or_when_somebody_insists(seconds, signals, least) -> None:
    async def story() -> float:
        async with serving(seconds) as (server, task, port):
            began = time.monotonic()
            for one in signals:
                server.handle_exit(one, None)
            await asyncio.wait_for(task, 10)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.to_thread(ask, http.client.HTTPConnection("127.0.0.1", port))
            return time.monotonic() - began

    assert asyncio.run(story()) >= least


def test_now_and_then_a_caller_is_sent_for_a_new_connection() -> None:
    async def story() -> None:
        async with serving(LONG_SECONDS, turnover=0.3) as (_, _, port):
            kept = http.client.HTTPConnection("127.0.0.1", port)
            told = [await asyncio.to_thread(ask, kept) for _ in range(100)]
            assert set(told) == {None, "close"}
            assert 5 < told.count("close") < 70

    asyncio.run(story())
