"""Every predictor is asked before a bundle is served."""

import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shortlist.bundle import BundleStore
from shortlist.serving.bundles import Bundles
from shortlist.serving.endpoints import Endpoints, predictor_url
from shortlist.serving.predictor import Predictor, RankingParts
from shortlist.settings.serving import ServingSettings


@contextmanager
def serving(reply) -> Iterator[str]:
    """A server that answers every body with what ``reply`` makes of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = reply(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def predictor(trained) -> Predictor:
    bundles = Bundles(BundleStore(trained.settings.paths.bundles), RankingParts.of_bundle)
    bundles.look()
    return Predictor(bundles)


def real(predictor: Predictor):
    def reply(body: bytes) -> tuple[int, bytes]:
        answer = predictor.reply(body)
        return answer.status, answer.body

    return reply


def test_a_predictor_that_ranks_from_the_bundle_has_it(live, predictor) -> None:
    with serving(real(predictor)) as place:
        asked = Endpoints(ServingSettings(predictor_url=f"http://{place}"))
        assert asked.have(live)
        assert not asked.have(dataclasses.replace(live, id="e" * 32))


@pytest.mark.parametrize("reply", [(503, b"{}"), (200, b"{}"), (200, b"nonsense"), (404, b"")])
def test_whoever_answers_something_else_has_not(live, reply) -> None:
    with serving(lambda _: reply) as place:
        assert not Endpoints(ServingSettings(predictor_url=f"http://{place}")).have(live)


def test_nobody_there_has_nothing_and_neither_has_a_name_without_address(live) -> None:
    with serving(lambda _: (200, b"")) as place:
        pass
    assert not Endpoints(ServingSettings(predictor_url=f"http://{place}")).have(live)
    nowhere = ServingSettings(predictor_endpoints="nowhere.invalid:80")
    assert not Endpoints(nowhere).have(live)


def test_all_addresses_of_a_name_are_asked(live, predictor, monkeypatch) -> None:
    with serving(real(predictor)) as place:
        port = int(place.rpartition(":")[2])
        settings = ServingSettings(predictor_endpoints=f"rankers:{port}")
        found, real_one = ["127.0.0.1"], socket.getaddrinfo

        def addresses(host: str, port: int, *more: object, **named: object) -> list:
            if host != "rankers":
                return real_one(host, port, *more, **named)
            return [(2, 1, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", addresses)
        assert Endpoints(settings).have(live)
        found.append("127.0.0.2")  # where nobody listens
        assert not Endpoints(settings, seconds=1).have(live)


def test_without_a_url_the_predictor_is_on_this_machine() -> None:
    assert predictor_url(ServingSettings(predictor_port=9_085)) == "http://127.0.0.1:9085"
