"""KServe's server around the service: one process, one event loop, our routes in front."""

import asyncio
import gc
import os
import signal
import socket
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI
from fastapi.routing import APIRoute
from kserve import ModelServer, errors, model_server
from kserve.protocol.rest.server import RESTServer
from kserve.protocol.rest.v1_endpoints import V1Endpoints
from kserve.protocol.rest.v2_datamodels import (
    ListModelsResponse,
    ModelMetadataResponse,
    ModelReadyResponse,
    ServerLiveResponse,
    ServerMetadataResponse,
    ServerReadyResponse,
)
from kserve.protocol.rest.v2_endpoints import V2Endpoints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from model_handlers.transformer.described import REFUSAL, content, described
from model_handlers.transformer.feed import feed_router
from model_handlers.transformer.front import Front
from model_handlers.transformer.leaving import LameDuckServer
from model_handlers.transformer.model import ShortlistModel
from model_handlers.transformer.routes import Routes
from model_handlers.transformer.starting import BACKLOG
from shortlist.errors import ShortlistError
from shortlist.serving.company import Company
from shortlist.serving.service import Service
from shortlist.settings import Settings
from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.refusals import (
    InternalError,
    MalformedError,
    NotReadyError,
    UnknownError,
    WrongMethodError,
    encode_refusal,
)

_APP: Final = "kserve.model_server:app"
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)
_KEPT_SECONDS: Final = 75
_TURNOVER: Final = 0.01
"""Of connections, where several processes answer: a new one costs less than a tenth of a page."""
_FAILED: Final = "the server failed; its log says why"
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    404: content("No model is called so.", REFUSAL),
    503: content("Not ready.", REFUSAL),
}


class LeanServer(RESTServer):  # type: ignore[misc]
    """KServe's REST server without what nobody may do, and what costs more than it tells.

    Left out are its timing middleware, which matches every request against all routes twice; the
    routes that load and unload models, which need no key; and those that predict or explain by any
    name, since ours stand in their place.
    """

    def _add_middlewares(self, app: FastAPI) -> None:
        """None."""

    def _register_endpoints(self, app: FastAPI) -> None:
        v1 = V1Endpoints(self.dataplane, self.model_repository_extension)
        v2 = V2Endpoints(self.dataplane, self.model_repository_extension)
        for path, endpoint, given in (
            ("/v1/models", v1.models, ListModelsResponse),
            ("/v1/models/{model_name}", v1.model_ready, ModelReadyResponse),
            ("/v2", v2.metadata, ServerMetadataResponse),
            ("/v2/health/live", v2.live, ServerLiveResponse),
            ("/v2/health/ready", v2.ready, ServerReadyResponse),
            ("/v2/models", v2.models, ListModelsResponse),
            ("/v2/models/{model_name}", v2.model_metadata, ModelMetadataResponse),
            ("/v2/models/{model_name}/ready", v2.model_ready, ModelReadyResponse),
        ):
            app.add_api_route(path, endpoint, response_model=given, responses=_REFUSED)

    def _add_exception_handlers(self, app: FastAPI) -> None:
        known = (errors.ModelNotFound, errors.ModelNotReady, errors.ServerNotReady)
        for kind in (*known, NotImplementedError, HTTPException, Exception):
            app.add_exception_handler(kind, refuse)


async def refuse(request: Request, error: Exception) -> Response:
    """What is answered outside of our routes: where KServe's own fail, or where there is none."""
    told: Exception = error
    if isinstance(error, errors.ModelNotFound):
        told = UnknownError(str(error))
    elif isinstance(error, NotImplementedError):
        told = UnknownError("models have no versions here; leave model_version out")
    elif isinstance(error, errors.ModelNotReady | errors.ServerNotReady):
        told = NotReadyError(str(error))
    elif isinstance(error, HTTPException):
        told = _unrouted(error, request)
    elif isinstance(error, errors.InvalidInput):
        told = MalformedError("body", str(error))
    elif not isinstance(error, ShortlistError):
        told = InternalError(_FAILED)
    status, body = encode_refusal(told)
    headers = error.headers if isinstance(error, HTTPException) else None
    return Response(body, status, headers, "application/json")


def _unrouted(error: HTTPException, request: Request) -> Exception:
    """What Starlette says of a request that no route takes, in our words."""
    if error.status_code == 404:
        return UnknownError("no route has this path; /openapi.json has those there are")
    if error.status_code == 405:
        return WrongMethodError(f"{request.method} is no method of this path")
    if error.status_code < 500:
        return MalformedError("request", f"cannot be read: {error.detail}")
    return InternalError(_FAILED)


def run(settings: Settings, listening: socket.socket, shared: Path | None = None) -> None:
    """Serve until a signal ends it.

    Args:
        settings: in force.
        listening: bound, at the address to answer at.
        shared: directory of all workers of the server, where there are several; this process must
            have joined it by `shortlist.telemetry.shared.share`.

    Raises:
        SettingsError: the keys of callers cannot be read.
    """
    for one in _ENDS:
        # Nothing is served yet, so nothing must be finished.
        signal.signal(one, lambda *_: os._exit(0))
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(settings, listening, shared))


async def _serve(settings: Settings, listening: socket.socket, shared: Path | None) -> None:
    metrics = ServingMetrics(shared=shared)
    company = None if shared is None else Company(shared)
    service = Service.of(settings, metrics, company)
    config = _config(application(service, metrics), settings)
    turnover = 0.0 if shared is None else _TURNOVER
    server = LameDuckServer(config, settings.serving.lame_duck_seconds, turnover)
    await service.start()
    for one in _ENDS:
        # The server has its own while it serves, and raises what came once more at its end.
        signal.signal(one, lambda *_: None)
    # What is loaded stays; looking through it for garbage again and again finds none.
    gc.collect()
    gc.freeze()
    try:
        await server.serve([listening])
    finally:
        await service.close()


def application(service: Service, metrics: ServingMetrics) -> Front:
    """KServe's application with the model and all routes, ours first."""
    model = ShortlistModel(service)
    server = ModelServer(enable_grpc=False, enable_latency_logging=False, workers=1)
    server.register_model(model)

    async def ready() -> bool:
        return service.why_not_ready() is None

    # The SDK's own is always ready.
    server.dataplane.ready = ready
    app: FastAPI = model_server.app
    routes = Routes(model, service, metrics).all()
    app.router.routes[:] = [
        *routes,
        *(one for one in app.router.routes if not isinstance(one, APIRoute)),
    ]
    app.include_router(feed_router())
    LeanServer(_APP, server.dataplane, server.model_repository_extension, 0).create_application()
    described(app)
    return Front(app, routes)


def _config(app: Front, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        # A caller's rate goes by where he calls from, never by what he says of it.
        proxy_headers=False,
        lifespan="off",
        http="httptools",
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=_KEPT_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.serving.drain_seconds)),
        server_header=False,
        date_header=False,
    )
