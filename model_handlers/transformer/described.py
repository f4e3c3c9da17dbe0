"""What the routes take and give, as OpenAPI: from the very types that they read and write."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import TypeAdapter

from shortlist.wire.events import (
    EVENTS_PATH,
    FORGET_PATH,
    HISTORY_PATH,
    TAKEDOWN_PATH,
    EventsAnswer,
    EventsRequest,
    ForgetAnswer,
    HistoryAnswer,
    TakedownAnswer,
)
from shortlist.wire.health import READY_PATH, Readiness
from shortlist.wire.recommend import V1_PATH, V1Answer, V1Request
from shortlist.wire.tensors import V2_PATH, V2Answer, V2Request
from shortlist.wire.videos import IDS_PATTERN, VIDEOS_PATH, VideosAnswer

_ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
}
_IDS: Final = {
    "name": "ids",
    "in": "query",
    "required": True,
    "description": "Ids of videos, with commas between.",
    "schema": {"type": "string", "pattern": IDS_PATTERN},
}
REFUSAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind", "message"],
            "additionalProperties": False,
            "properties": {name: {"type": "string"} for name in ("kind", "message", "field")},
        }
    },
}
_REFUSED: Final = {
    "400": "What was sent cannot be read; the field is named.",
    "413": "The body is too long.",
    "429": "The caller asks too often.",
    "503": "Not ready, or Redis is away.",
}
_UNKNOWN: Final = {"401": "The caller gave no key that somebody has."}

_METRICS_PATH: Final = "/metrics"
_METRICS: Final = {
    "summary": "Figures for Prometheus.",
    "operationId": f"get {_METRICS_PATH}",
    "responses": {
        "200": {
            "description": "In the format that is asked for.",
            "content": {
                kind: {"schema": {"type": "string"}}
                for kind in ("text/plain", "application/openmetrics-text")
            },
        }
    },
}

_ROUTES: Final[tuple[tuple[str, str, Any, Any, bool, str], ...]] = (
    (V1_PATH, "post", V1Request, V1Answer, False, "Pages for users, by V1 of KServe."),
    (V2_PATH, "post", V2Request, V2Answer, False, "Pages for users, by V2 of KServe."),
    (EVENTS_PATH, "post", EventsRequest, EventsAnswer, True, "Report what users did."),
    (TAKEDOWN_PATH, "post", None, TakedownAnswer, True, "Take a video down."),
    (TAKEDOWN_PATH, "delete", None, TakedownAnswer, True, "Show a video again."),
    (FORGET_PATH, "post", None, ForgetAnswer, True, "Delete all that is kept of a user."),
    (READY_PATH, "get", None, Readiness, False, "Whether pages can be made, from which bundle."),
    (HISTORY_PATH, "get", None, HistoryAnswer, True, "What is kept of a user."),
    (VIDEOS_PATH, "get", None, VideosAnswer, False, "What videos are: titles, tags and the like."),
)
"""Path, method, what is taken, what is given, whether it needs a key, and what it does."""


def described(app: FastAPI) -> None:
    """Add our routes to what the application says of itself."""
    own = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None or "x-shortlist" not in app.openapi_schema:
            app.openapi_schema = None
            described = own()
            paths, schemas = _ours()
            described["info"] |= {"title": "Shortlist"}
            described.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            described["components"]["securitySchemes"] = {
                "key": {"type": "http", "scheme": "bearer"}
            }
            paths[_METRICS_PATH] = {"get": _METRICS}
            for path, methods in paths.items():
                described["paths"].setdefault(path, {}).update(methods)
            described["x-shortlist"] = True
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _ours() -> tuple[dict[str, Any], dict[str, Any]]:
    """Paths and schemas."""
    types = {kind for route in _ROUTES for kind in route[2:4] if kind is not None}
    wanted = [
        (kind, "validation" if kind.__name__.endswith("Request") else "serialization")
        for kind in sorted(types, key=lambda kind: str(kind.__name__))
    ]
    references, shared = TypeAdapter.json_schemas(
        [(kind.__name__, mode, TypeAdapter(kind)) for kind, mode in wanted],  # type: ignore[misc]
        ref_template="#/components/schemas/{model}",
    )
    schema = {kind: references[kind.__name__, mode] for kind, mode in wanted}  # type: ignore[index]
    paths: dict[str, Any] = {}
    for path, method, taken, given, keyed, summary in _ROUTES:
        refused = _REFUSED | (_UNKNOWN if keyed else {})
        operation: dict[str, Any] = {
            "summary": summary,
            "operationId": f"{method} {path}",
            "responses": {
                "200": content("Done.", schema[given]),
                **{status: content(why, REFUSAL) for status, why in refused.items()},
            },
        }
        if taken is not None:
            operation["requestBody"] = content("", schema[taken]) | {"required": True}
            del operation["requestBody"]["description"]
        if "{id}" in path:
            operation["parameters"] = [_ID]
        elif path == VIDEOS_PATH:
            operation["parameters"] = [_IDS]
        if keyed:
            operation["security"] = [{"key": []}]
        paths.setdefault(path, {})[method] = operation
    return paths, dict(shared.get("$defs", {}))


def content(description: str, schema: Any) -> dict[str, Any]:
    """An answer or a body of JSON, as OpenAPI describes it."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}
