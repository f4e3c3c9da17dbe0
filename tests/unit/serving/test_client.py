"""The client against a real server on a socket, which misbehaves."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from shortlist.datasets.events import Events
from shortlist.serving.breaker import Breaker, State
from shortlist.serving.budget import Budget
from shortlist.serving.client import NoRankingError, PredictorClient
from shortlist.telemetry.current import bound
from shortlist.telemetry.traces import Trace
from shortlist.wire.causes import Cause
from shortlist.wire.rank import RankAnswer, RankRequest, encode_answers
from shortlist.wire.refusals import (
    InternalError,
    MalformedError,
    NotReadyError,
    OverBudgetError,
    UnknownBundleError,
    encode_refusal,
)

REQUEST = RankRequest.of(
    bundle="b",
    budget_ms=50,
    day=1.0,
    candidates=np.arange(3),
    history=Events.none(),
    profile=np.zeros(2, np.float32),
    context=np.zeros(32, np.float32),
    session=np.zeros(0, np.int64),
)
ANSWER = RankAnswer(
    "b",
    np.array([2, 0], np.int32),
    np.array([0.5, 0.1], np.float32),
    np.zeros(2, np.float32),
    {"encode": 1.0, "prerank": 2.0, "rank": 3.0},
)

TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1, "vendor=1")


class Server:
    """Answers each request with the next of what it was given: a reply, or how to misbehave."""

    def __init__(self, *replies: object) -> None:
        self.replies = list(replies)
        self.connections = self.requests = 0
        self.heads: list[dict[str, str]] = []

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _talk(self, reader, writer) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().lower().split("\r\n")[1:-2]
                self.heads.append(dict(line.split(": ", 1) for line in lines))
                await reader.readexactly(int(self.heads[-1]["content-length"]))
                self.requests += 1
                reply = self.replies.pop(0) if self.replies else (200, encode_answers([ANSWER]))
                if reply == "hang up":
                    break
                if reply == "hang":
                    await asyncio.sleep(30)
                status, body = reply
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(body)))
                writer.write(body)
                await writer.drain()
                if self.heads[-1].get("connection") == "close":
                    break
        writer.close()


def asked(server: Server, times: int = 1, *, budget_ms: float = 5_000, failures: int = 3):
    """What becomes of asking so many times, and the client."""
    told: list[object] = []
    retries: list[None] = []
    breaker = Breaker(failures, 60)

    async def ask() -> None:
        async with server.up() as url:
            client = PredictorClient(url, breaker, retried=lambda: retries.append(None))
            try:
                for _ in range(times):
                    try:
                        told.append(await client.rank(REQUEST, Budget(budget_ms), 0.0))
                    except (NoRankingError, UnknownBundleError) as error:
                        told.append(error)
            finally:
                await client.close()

    asyncio.run(ask())
    return told, breaker, len(retries)


def test_answers_come_back_over_one_connection() -> None:
    server = Server()
    told, _, _ = asked(server, 4)
    assert [one.listed.tolist() for one in told] == [[2, 0]] * 4
    assert server.connections == 1


def test_the_trace_goes_as_headers_too() -> None:
    server = Server("hang up")
    with bound("r-1", TRACE):
        asked(server)
    sent = [(head.get("traceparent"), head.get("tracestate")) for head in server.heads]
    assert sent == [(TRACE.traceparent, "vendor=1")] * 2


def test_who_asks_for_nobody_sends_no_trace() -> None:
    server = Server()
    asked(server)
    assert "traceparent" not in server.heads[0]


def test_a_connection_that_was_closed_is_opened_once_more() -> None:
    server = Server((200, encode_answers([ANSWER])), "hang up")
    told, breaker, retries = asked(server, 2)
    assert [type(one) for one in told] == [RankAnswer] * 2
    assert (retries, server.connections, breaker.state) == (1, 2, State.CLOSED)


def test_a_second_failure_is_one_of_the_predictor() -> None:
    told, _, retries = asked(Server("hang up", "hang up"))
    assert (told[0].cause, retries) == (Cause.PREDICTOR_DOWN, 1)


def test_nobody_there_is_down_and_after_some_nobody_asks() -> None:
    async def ask() -> list[Cause]:
        async with Server().up() as url:
            pass
        client = PredictorClient(url, breaker)
        causes = []
        for _ in range(5):
            with pytest.raises(NoRankingError) as caught:
                await client.rank(REQUEST, Budget(5_000), 0.0)
            causes.append(caught.value.cause)
        await client.close()
        return causes

    breaker = Breaker(2, 60)
    assert asyncio.run(ask()) == [Cause.PREDICTOR_DOWN] * 5
    assert breaker.state is State.OPEN


def test_who_hangs_is_waited_for_no_longer_than_the_budget() -> None:
    began = time.perf_counter()
    told, _, _ = asked(Server("hang"), budget_ms=60)
    assert told[0].cause is Cause.PREDICTOR_SLOW
    assert 0.05 < time.perf_counter() - began < 10


@pytest.mark.parametrize(
    "error",
    [NotReadyError("x"), OverBudgetError("x"), InternalError("x"), MalformedError("day", "x")],
)
def test_a_refusal_is_no_reason_not_to_ask_again(error) -> None:
    told, breaker, _ = asked(Server(*[encode_refusal(error)] * 4), 4)
    assert {one.cause for one in told} == {Cause.PREDICTOR_REFUSED}
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", encode_answers([])])
def test_what_is_no_answer_is_refused(body) -> None:
    told, _, _ = asked(Server((200, body)))
    assert told[0].cause is Cause.PREDICTOR_REFUSED


@pytest.mark.parametrize("answer", [(403, b"<html>"), (503, b'{"code": 503}'), (200, b"{}")])
def test_who_is_no_predictor_keeps_no_connection(answer) -> None:
    server = Server(answer, answer)
    told, _, _ = asked(server, 4)
    assert [type(one) for one in told] == [NoRankingError, NoRankingError, RankAnswer, RankAnswer]
    assert server.connections == 3, "the stranger's is closed, and so is the next one's"


def test_a_predictor_that_refuses_keeps_its_connection() -> None:
    server = Server(*[encode_refusal(NotReadyError("x"))] * 3)
    asked(server, 4)
    assert server.connections == 1


def test_another_bundle_is_told_apart() -> None:
    told, breaker, _ = asked(Server(encode_refusal(UnknownBundleError("held are a, c"))))
    assert isinstance(told[0], UnknownBundleError)
    assert breaker.state is State.CLOSED
