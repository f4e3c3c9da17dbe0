"""The page in the browser: its files.

One line puts them on a server: ``app.include_router(feed_router())``. It must stand before any
other route for ``/``: KServe's own server has one, and the first that matches answers.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from shortlist.wire.refusals import UnknownError, encode_refusal

FILES: Final = Path(__file__).parent / "feed"
INDEX: Final = "index.html"

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


def feed_router() -> APIRouter:
    """Routes of the page: ``/`` and ``/feed/*``."""
    router = APIRouter()
    files = {path.name: _File.read(path) for path in sorted(FILES.iterdir()) if path.is_file()}

    @router.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return files[INDEX].answer(request)

    @router.get("/feed/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        found = files.get(name)
        if found is None:
            status, body = encode_refusal(UnknownError("the page has no such file"))
            return Response(body, status, media_type="application/json")
        return found.answer(request)

    return router
