"""KServe's server around the service: one process, one event loop, our routes in front."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI
from kserve import ModelServer, model_server
from kserve.protocol.rest.server import RESTServer

from model_handlers.transformer.feed import feed_router
from model_handlers.transformer.model import ShortlistModel
from model_handlers.transformer.routes import Routes
from shortlist.errors import ShortlistError, StorageError
from shortlist.serving.service import Service
from shortlist.settings import Settings, load
from shortlist.telemetry.logs import configure
from shortlist.telemetry.metrics import ServingMetrics

_APP: Final = "kserve.model_server:app"
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)
_BACKLOG: Final = 2_048
_OURS: Final = frozenset({"GET", "HEAD"})


class LeanServer(RESTServer):  # type: ignore[misc]
    """KServe's REST server without what costs more than it tells.

    Its timing middleware matches every request against every route twice and formats log lines that
    nobody reads; ours are histograms.
    """

    def _add_middlewares(self, app: FastAPI) -> None:
        """None."""


async def serve(settings: Settings, listening: socket.socket) -> None:
    """Serve until a signal ends it.

    Args:
        settings: in force.
        listening: bound, at the address to answer at.
    """
    metrics = ServingMetrics()
    service = Service.of(settings, metrics)
    model = ShortlistModel(service)
    await service.start()
    try:
        await _serving(settings, model, service, metrics).serve([listening])
    finally:
        await service.close()


def _serving(
    settings: Settings, model: ShortlistModel, service: Service, metrics: ServingMetrics
) -> uvicorn.Server:
    """The server with all routes, ours first."""
    server = ModelServer(enable_grpc=False, enable_latency_logging=False, workers=1)
    server.register_model(model)

    async def ready() -> bool:
        return service.why_not_ready() is None

    # The SDK's own is always ready.
    server.dataplane.ready = ready
    app = model_server.app
    app.router.routes[:0] = Routes(model, service, metrics).all()
    app.include_router(feed_router(lambda: _catalogue(service)))
    rest = LeanServer(
        _APP, server.dataplane, server.model_repository_extension, settings.serving.transformer_port
    )
    own = list(app.router.routes)
    rest.create_application()
    # Nobody may unload the model over HTTP, and what explains or decodes by itself is not offered.
    app.router.routes[:] = [
        route
        for route in app.router.routes
        if any(route is one for one in own) or getattr(route, "methods", _OURS) <= _OURS
    ]
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="none",
            http="httptools",
            ws="none",
            backlog=_BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.serving.drain_seconds),
            server_header=False,
            date_header=False,
        )
    )


def _catalogue(service: Service) -> Any:
    held = service.bundles.current
    return None if held is None else held.parts.parts.catalogue


def bound(settings: Settings) -> socket.socket:
    """A socket at the transformer's address.

    Raises:
        StorageError: the port is in use, or the address is not this machine's.
    """
    address, port = settings.serving.transformer_address, settings.serving.transformer_port
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        raise StorageError(
            f"cannot answer at {address}:{port} ({os.strerror(error.errno or 0).lower()}); set "
            "serving.transformer_port or serving.transformer_address"
        ) from error
    listening.set_inheritable(True)
    return listening


def in_force(arguments: Sequence[str]) -> Settings:
    """The settings of the environment, and what KServe tells on the command line.

    Args:
        arguments: of the command line; those of the SDK that mean nothing here are ignored.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--predictor_host")
    parser.add_argument("--predictor_use_ssl", default="false")
    parser.add_argument("--http_port", type=int)
    told, _ = parser.parse_known_args(arguments)
    settings = load(environ=os.environ).settings
    changes: dict[str, object] = {}
    if told.predictor_host:
        scheme = "https" if told.predictor_use_ssl.lower() == "true" else "http"
        changes["predictor_url"] = f"{scheme}://{told.predictor_host}"
    if told.http_port:
        changes["transformer_port"] = told.http_port
    if not changes:
        return settings
    serving = type(settings.serving).model_validate(settings.serving.model_dump() | changes)
    return settings.model_copy(update={"serving": serving})


def main(arguments: Sequence[str]) -> int:
    """Serve; the exit code says how it ended."""
    try:
        settings = in_force(arguments)
        configure(settings.telemetry)
        listening = bound(settings)
        for one in _ENDS:
            # The server has its own while it serves, and raises what came once more at its end.
            signal.signal(one, lambda *_: None)
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        asyncio.run(serve(settings, listening))
    except ShortlistError as error:
        sys.stderr.write(f"shortlist: {error}\n")
        return error.exit_code
    return 0
