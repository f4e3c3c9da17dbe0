"""The routes: bytes in, bytes out; a refusal is one JSON object whatever went wrong.

They are plain routes of Starlette in front of KServe's own: those look requests up among models,
decode CloudEvents and time every call, which costs more than a cached page does.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from model_handlers.transformer.model import ShortlistModel
from shortlist.errors import ShortlistError
from shortlist.serving.callers import TooManyError
from shortlist.serving.cards import cards_of
from shortlist.serving.reporting import history_answer
from shortlist.serving.service import Service
from shortlist.telemetry.current import bound, current
from shortlist.telemetry.logs import logger
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.telemetry.traces import Trace, continued
from shortlist.wire.events import (
    EVENTS_PATH,
    FORGET_PATH,
    HISTORY_PATH,
    TAKEDOWN_PATH,
    ForgetAnswer,
    TakedownAnswer,
    answer_to_body,
    events_from_body,
    id_from_path,
    receipts_to_body,
)
from shortlist.wire.health import READY_PATH, readiness_to_body
from shortlist.wire.reading import LARGEST_BODY, loads
from shortlist.wire.recommend import V1_PATH, Page, RecommendRequest, pages_to_v1, requests_from_v1
from shortlist.wire.refusals import (
    MalformedError,
    NotReadyError,
    TooLargeError,
    WireError,
    encode_refusal,
)
from shortlist.wire.tensors import V2_PATH, pages_to_v2, requests_from_v2
from shortlist.wire.videos import VIDEOS_PATH, ids_from_query, videos_to_body

_JSON: Final = "application/json"
_METRICS_PATH: Final = "/metrics"
_GONE: Final = 499
_PAGES: Final = "shortlist.pages"
"""Where a request's scope keeps the pages that were made for it."""
_LONGEST_ID: Final = 128
_SILENT_SECONDS: Final = 1.0
"""Between two lines of what is wrong behind us: every request of a second would say the same."""

Answer = Callable[[Request], Awaitable[bytes]]


class Routes:
    """What clients may ask."""

    def __init__(self, model: ShortlistModel, service: Service, metrics: ServingMetrics) -> None:
        self._model, self._service, self._metrics = model, service, metrics
        # Bound here, so that asking for the level costs a request no look-up.
        self._log = logger(__name__).bind()
        self._silent_until = 0.0

    def all(self) -> list[Route]:
        """The routes, for the front of a server's list."""
        return [
            Route(READY_PATH, self._ready, methods=["GET"], name=f"GET {READY_PATH}"),
            Route(_METRICS_PATH, self._figures, methods=["GET"]),
            self._route(V1_PATH, "POST", self._recommend_v1),
            self._route(V2_PATH, "POST", self._recommend_v2),
            self._route(EVENTS_PATH, "POST", self._events, writes=True),
            self._route(TAKEDOWN_PATH, "POST", self._take_down, writes=True),
            self._route(TAKEDOWN_PATH, "DELETE", self._restore, writes=True),
            self._route(FORGET_PATH, "POST", self._forget, writes=True),
            self._route(HISTORY_PATH, "GET", self._history, writes=True),
            self._route(VIDEOS_PATH, "GET", self._videos),
        ]

    def _route(self, path: str, method: str, answer: Answer, *, writes: bool = False) -> Route:
        name = f"{method} {path}"
        callers = self._service.callers

        async def endpoint(request: Request) -> Response:
            began = time.perf_counter()
            headers: dict[str, str] = {}
            asked = request.headers
            trace = continued(asked.get("traceparent"), ",".join(asked.getlist("tracestate")))
            with bound(_id_of(request, trace), trace):
                try:
                    authorization = asked.get("authorization")
                    callers.admit(authorization, request.client.host if request.client else "")
                    if writes:
                        callers.writer(authorization)
                    status, body = 200, await answer(request)
                except ClientDisconnect:
                    status, body = _GONE, b""
                except Exception as error:
                    status, body = self._refused(error, headers)
                seconds = time.perf_counter() - began
                self._metrics.request(name, status, seconds)
                if self._log.is_enabled_for(logging.INFO):
                    self._tell(request, name, status, seconds)
            return Response(body, status, headers, _JSON)

        return Route(path, endpoint, methods=[method], name=name)

    def _refused(self, error: Exception, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body for an error; headers are added to."""
        self._metrics.error(error.label if isinstance(error, ShortlistError) else "internal")
        if not isinstance(error, ShortlistError):
            self._log.error("a request failed", exc_info=error)
        elif not isinstance(error, WireError):
            self._warn(error)
        if isinstance(error, TooManyError):
            self._metrics.rate_limited()
            headers["retry-after"] = str(error.retry_after)
        status, body = encode_refusal(error)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        elif status == 503:
            headers["retry-after"] = "1"
        return status, body

    def _tell(self, request: Request, name: str, status: int, seconds: float) -> None:
        """Write the line of a request; the ids are added to it."""
        told: dict[str, object] = {"route": name, "status": status}
        told["milliseconds"] = round(seconds * 1e3, 3)
        pages = request.scope.get(_PAGES)
        if pages is not None:
            told["pages"] = [page.request_id for page in pages]
        self._log.info("a request was answered", **told)

    def _warn(self, error: ShortlistError) -> None:
        """Say what callers are not told: it names places of ours."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _SILENT_SECONDS
            self._log.warning("a request was refused", kind=error.label, reason=str(error))

    async def _ready(self, _: Request) -> Response:
        """For probes: no caller's rate is touched, and nothing is counted."""
        try:
            status, body = 200, readiness_to_body(self._service.readiness())
        except ShortlistError as error:
            status, body = encode_refusal(error)
        return Response(body, status, media_type=_JSON)

    async def _figures(self, request: Request) -> Response:
        """For Prometheus: nothing is counted but what goes wrong."""
        try:
            kind, body = self._metrics.exposition(request.headers.get("accept"))
        except Exception as error:
            headers: dict[str, str] = {}
            status, body = self._refused(error, headers)
            return Response(body, status, headers, _JSON)
        return Response(body, headers={"content-type": kind})

    async def _recommend_v1(self, request: Request) -> bytes:
        return pages_to_v1(await self._pages(request, requests_from_v1(await _body(request))))

    async def _recommend_v2(self, request: Request) -> bytes:
        body = loads(await _body(request))
        if not isinstance(body, dict):
            raise MalformedError("body", "must be an object")
        pages = await self._pages(request, requests_from_v2(body))
        return pages_to_v2(pages, body.get("id") or pages[0].request_id)

    async def _pages(self, request: Request, asked: Sequence[RecommendRequest]) -> Sequence[Page]:
        found = current()
        headers = {} if found is None else found.trace.headers
        pages = await self._model.predict(tuple(asked), headers)
        request.scope[_PAGES] = pages
        return pages

    async def _events(self, request: Request) -> bytes:
        events = events_from_body(await _body(request))
        return receipts_to_body(events, await self._service.reporter.report(events))

    async def _take_down(self, request: Request) -> bytes:
        video = id_from_path(request.path_params["id"], "video_id")
        await self._service.store.take_down(video)
        self._metrics.takedown(down=True)
        return answer_to_body(TakedownAnswer(video, taken_down=True))

    async def _restore(self, request: Request) -> bytes:
        video = id_from_path(request.path_params["id"], "video_id")
        await self._service.store.restore(video)
        self._metrics.takedown(down=False)
        return answer_to_body(TakedownAnswer(video, taken_down=False))

    async def _forget(self, request: Request) -> bytes:
        user = id_from_path(request.path_params["id"], "user_id")
        self._service.recorder.drop(user)
        await self._service.store.forget(user)
        return answer_to_body(ForgetAnswer(user, forgotten=True))

    async def _history(self, request: Request) -> bytes:
        user = id_from_path(request.path_params["id"], "user_id")
        return answer_to_body(history_answer(user, await self._service.store.history(user)))

    async def _videos(self, request: Request) -> bytes:
        ids = ids_from_query(request.query_params.get("ids"))
        held = self._service.bundles.current
        if held is None:
            raise NotReadyError("no bundle is served yet")
        return videos_to_body(*cards_of(held.parts.parts.catalogue, ids))


async def _body(request: Request) -> bytes:
    """The whole body, unless it is longer than anything that is read.

    Raises:
        TooLargeError: it is.
        MalformedError: its length is no number.
    """
    told = request.headers.get("content-length")
    if told is not None:
        if not told.isdecimal():
            raise MalformedError("body", "has a length that is no number")
        if int(told) > LARGEST_BODY:
            raise TooLargeError(f"the body has {told} bytes, at most {LARGEST_BODY} are read")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise TooLargeError(f"the body has more than {LARGEST_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _id_of(request: Request, trace: Trace) -> str:
    """What the caller, or a gateway before us, calls a request; else the id of our hop."""
    told = request.headers.get("x-request-id")
    if told and len(told) <= _LONGEST_ID and told.isascii() and told.isprintable():
        return told
    return trace.span_id
