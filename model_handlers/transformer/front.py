"""What is asked most goes past the application: its layers cost as much as half a cached page.

FastAPI wraps every request in seven callables that have nothing to do for a route that takes bytes,
gives bytes and refuses in its own words. So paths without a parameter are looked up here; whatever
is not found goes to the application, which knows the same routes and describes them.
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """An ASGI application before another one."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        """Take the routes out of whose paths nothing must be read.

        Args:
            app: that answers everything else.
            routes: whose endpoints raise nothing.
        """
        self._app = app
        self._endpoints = {
            (method, route.path): route.endpoint
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
            if endpoint is not None:
                response = await endpoint(Request(scope, receive))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
