"""The transformer's side of the inner hop: asks the predictor within what is left of the time.

One client per process, its connections kept; KServe's own client costs a millisecond a call.
"""

from collections.abc import Callable, Mapping
from typing import Final

import aiohttp

from shortlist.online.waiting import within
from shortlist.serving.breaker import Breaker
from shortlist.serving.budget import Budget
from shortlist.telemetry.current import current
from shortlist.telemetry.traces import parse
from shortlist.wire.causes import Cause
from shortlist.wire.rank import PATH, RankAnswer, RankRequest, decode_answers, encode_requests
from shortlist.wire.refusals import UnknownBundleError, WireError, is_refusal

_HEADERS: Final = {"content-type": "application/json"}
_LAST: Final = {"connection": "close"}
"""Of a request, after whose answer its connection is not kept."""
_KEPT_SECONDS: Final = 30.0


class NoRankingError(Exception):
    """The predictor ranks nothing for this request.

    Attributes:
        cause: for the page and for counters.
    """

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


class PredictorClient:
    """Asks one predictor, or what stands for several."""

    def __init__(
        self,
        url: str,
        breaker: Breaker,
        *,
        connections: int = 64,
        retried: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask nothing yet.

        Args:
            url: ``http://HOST:PORT``.
            breaker: of the predictor.
            connections: at a time, at most.
            retried: told of every request that is sent once more.
        """
        self._url = url.rstrip("/") + PATH
        self._breaker = breaker
        self._connections, self._retried = connections, retried
        self._session: aiohttp.ClientSession | None = None
        self._last = Cause.PREDICTOR_DOWN
        # A connection that was opened while addresses were not settled leads to somebody else for
        # as long as it is kept.
        self._astray = False
        self.reached = False
        """Whether it ever answered."""

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def rank(self, request: RankRequest, budget: Budget, reserve_ms: float) -> RankAnswer:
        """Ask for a ranking.

        Args:
            request: whose budget is what is left.
            budget: of the whole request.
            reserve_ms: what must be left of it afterwards.

        Raises:
            NoRankingError: the predictor is down, slow or refuses.
            UnknownBundleError: it holds other bundles.
        """
        if not self._breaker.allows():
            raise NoRankingError(self._last, "the predictor failed of late; it is tried again soon")
        asked = self._breaker.now
        try:
            answer = await self._answered(request, budget, reserve_ms)
        except NoRankingError as error:
            if error.cause is Cause.PREDICTOR_REFUSED:
                self._breaker.succeeded()
            else:
                self._last = error.cause
                self._breaker.failed(asked)
            raise
        except UnknownBundleError:
            self.reached = True
            self._breaker.succeeded()
            raise
        self.reached = True
        self._breaker.succeeded()
        return answer

    async def _answered(
        self, request: RankRequest, budget: Budget, reserve_ms: float
    ) -> RankAnswer:
        body, headers = encode_requests([request]), _headers(request)
        if self._astray:
            headers = {**headers, **_LAST}
        for left in (1, 0):
            seconds = (budget.left_ms - reserve_ms) / 1e3
            try:
                status, told = await within(seconds, self._post(body, headers))
            except TimeoutError:
                raise NoRankingError(
                    Cause.PREDICTOR_SLOW, f"the predictor took more than {seconds * 1e3:.0f} ms"
                ) from None
            except (aiohttp.ClientConnectionError, ConnectionError) as error:
                # A connection that was closed while nobody looked, or a pod that went away.
                if left and budget.left_ms > reserve_ms:
                    self._retried()
                    continue
                raise NoRankingError(Cause.PREDICTOR_DOWN, str(error)) from error
            except (aiohttp.ClientError, OSError) as error:
                raise NoRankingError(Cause.PREDICTOR_DOWN, str(error)) from error
            self._astray = False
            try:
                return decode_answers(status, told, [request])[0]
            except UnknownBundleError:
                raise
            except WireError as error:
                self._astray = not is_refusal(told)
                raise NoRankingError(Cause.PREDICTOR_REFUSED, str(error)) from error
        raise AssertionError("a second failure is raised above")

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with self._connected().post(self._url, data=body, headers=headers) as answer:
            return answer.status, await answer.read()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=_KEPT_SECONDS, ttl_dns_cache=10
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session


def _headers(request: RankRequest) -> Mapping[str, str]:
    """What goes beside the body: the trace, which whatever stands between us reads there."""
    asked = current()
    trace = parse(request.trace) if asked is None else asked.trace
    return _HEADERS if trace is None else {**_HEADERS, **trace.headers}
