"""The page in the browser, and the route by which its cards learn what a video is.

One line puts both on a server: ``app.include_router(feed_router(catalogue))``. It must stand before
any other route for ``/``: KServe's own server has one, and the first that matches answers.
"""

import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from shortlist.datasets.catalogue import Catalogue
from shortlist.errors import ShortlistError
from shortlist.serving.cards import cards_of
from shortlist.wire.refusals import NotReadyError, encode_refusal
from shortlist.wire.videos import (
    IDS_PATTERN,
    VIDEOS_PATH,
    VideosAnswer,
    ids_from_query,
    videos_to_body,
)

FILES: Final = Path(__file__).parent / "feed"
INDEX: Final = "index.html"

_JSON: Final = "application/json"
_HEADERS: Final = {
    # `no-cache` asks whether a file changed; it does not forbid to keep it.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REFUSAL: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind", "message"],
            "properties": {name: {"type": "string"} for name in ("kind", "message", "field")},
        }
    },
}
_OPENAPI: Final = {
    "parameters": [
        {
            "name": "ids",
            "in": "query",
            "required": True,
            "description": "Ids of videos, with commas between.",
            "schema": {"type": "string", "pattern": IDS_PATTERN},
        }
    ],
    "responses": {
        str(status): {"description": why, "content": {_JSON: {"schema": _REFUSAL}}}
        for status, why in ((400, "Ids cannot be read"), (503, "No bundle is served yet"))
    },
}


@dataclass(frozen=True, slots=True)
class _File:
    """A static file, held in memory: they are few and small.

    Attributes:
        body: its bytes.
        kind: its media type.
        tag: its ETag: other bytes, another tag.
    """

    body: bytes
    kind: str
    tag: str

    @classmethod
    def read(cls, path: Path) -> "_File":
        """Read it."""
        body = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if path.suffix == ".js":
            kind = "text/javascript"  # Some systems' tables say otherwise, and modules are strict.
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        return cls(body, kind, f'"{hashlib.sha256(body).hexdigest()[:16]}"')

    def answer(self, request: Request) -> Response:
        """The file, or that the browser still has it."""
        headers = {**_HEADERS, "ETag": self.tag}
        known = request.headers.get("if-none-match", "")
        if self.tag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type=self.kind, headers=headers)


def feed_router(catalogue: Callable[[], Catalogue | None]) -> APIRouter:
    """Routes of the page: ``/``, ``/feed/*`` and ``/v1/videos``.

    Args:
        catalogue: gives the videos of the bundle that is served; None where none is yet.
    """
    router = APIRouter()
    files = {path.name: _File.read(path) for path in sorted(FILES.iterdir()) if path.is_file()}

    @router.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return files[INDEX].answer(request)

    @router.get("/feed/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        found = files.get(name)
        return found.answer(request) if found else Response(status_code=404)

    @router.get(VIDEOS_PATH, response_model=VideosAnswer, openapi_extra=_OPENAPI)
    async def videos(request: Request) -> Response:
        """Titles, tags, creators, durations and languages of videos."""
        try:
            ids = ids_from_query(request.query_params.get("ids"))
            known = catalogue()
            if known is None:
                raise NotReadyError("no bundle is served yet")
        except ShortlistError as error:
            status, body = encode_refusal(error)
            return Response(body, status, media_type=_JSON)
        return Response(videos_to_body(*cards_of(known, ids)), media_type=_JSON)

    return router
