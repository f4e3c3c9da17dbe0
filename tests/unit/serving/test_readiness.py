"""Ready is what management says of the workers, never what the server says of itself."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shortlist.serving.readiness import why_not_ready


class Management(HTTPServer):
    """Answers every question with one status and body."""

    status, body = 200, b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Management)
        self.send_response(self.server.status if self.path == "/models/ranker" else 500)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def management() -> Iterator[Management]:
    with Management() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def described(*states: str, wanted: int = 1) -> bytes:
    workers = [{"id": str(9_000 + at), "status": state} for at, state in enumerate(states)]
    return json.dumps([{"minWorkers": wanted, "workers": workers}]).encode()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, described("READY"), None),
        (200, described("READY", "READY", wanted=2), None),
        (200, described("UNLOADING"), "worker 9000 is UNLOADING"),
        (200, described("READY", "UNLOADING", wanted=2), "worker 9001 is UNLOADING"),
        (200, described("READY", wanted=2), "1 of 2 workers are there"),
        (200, described(wanted=0), "0 of 1 workers are there"),
        (404, b"{}", "model ranker is not there (HTTP 404)"),
        (200, b"not json", "something else than a model"),
        (200, b"[]", "something else than a model"),
        (200, b'[{"minWorkers": 1}]', "something else than a model"),
    ],
)
def test_what_management_says_decides(management, status, body, why) -> None:
    management.status, management.body = status, body
    found = why_not_ready(management.server_address[1])
    assert found is None if why is None else why in str(found)


def test_nobody_there_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "does not answer" in str(why_not_ready(port))


def test_somebody_silent_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert "does not answer" in str(why_not_ready(listener.getsockname()[1], seconds=0.05))
