"""Redis, predictor and transformer as parts that a supervisor can start, ask and stop."""

import http.client
import json
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from model_handlers.environment import environment
from model_handlers.local.plan import Plan
from model_handlers.ranker.server import predictor_server
from shortlist.bundle import BundleStore
from shortlist.errors import CorruptError
from shortlist.files import make_directory
from shortlist.online.embedded import server_command
from shortlist.serving.child import Child
from shortlist.wire.health import READY_PATH
from shortlist.wire.refusals import UnservableError

if TYPE_CHECKING:
    from shortlist.serving.torchserve import TorchServe

_ASK_SECONDS: Final = 2.0
_BRANCHES: Final = ("paths", "serving", "online", "telemetry")
_LONGEST_HOME: Final = 70
"""Signs of a path below which sockets can still lie: theirs have 107 at most."""


class Redis(Child):
    """A Redis whose data lies in a directory."""

    name = "redis"

    def __init__(self, plan: Plan, directory: Path) -> None:
        """Prepare it.

        Raises:
            NotFoundError: there is no redis-server.
        """
        data = directory / "redis"
        make_directory(data)
        self._port = plan.settings.online.embedded_port
        password = plan.settings.online.password.get_secret_value() or None
        command = server_command(data, self._port, password=password)
        super().__init__(command, os.environ, directory / "redis.log", directory=data)

    def why_not_ready(self) -> str | None:
        """None where it answers, be it by asking for a password."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), _ASK_SECONDS) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(100)
        except OSError as error:
            return str(error)
        if answer.startswith((b"+PONG", b"-NOAUTH")):
            return None
        return answer.decode("utf-8", "replace").strip() or "it closed the connection"


class Predictor:
    """A TorchServe with the ranker."""

    name = "predictor"

    def __init__(self, plan: Plan, directory: Path) -> None:
        """Prepare it.

        Raises:
            StorageError: the disk refused.
        """
        home = directory / "predictor"
        short = len(str(home)) <= _LONGEST_HOME
        self._archive = directory / "archive"
        self._server: TorchServe = predictor_server(
            plan.settings, self._archive, home if short else None
        )
        self._home = home if short else None

    @property
    def log(self) -> Path:
        """Where it writes."""
        logs = self._server.logs
        home = self._home or (None if logs is None else logs.parent)
        return Path("output.log") if home is None else home / "output.log"

    @property
    def pid(self) -> int | None:
        """Of the Java process."""
        return self._server.pid

    @property
    def ending(self) -> str:
        """How it ended."""
        return self._server.ending

    def start(self) -> None:
        """Start it."""
        if self._home is not None:
            shutil.rmtree(self._home / "tmp", ignore_errors=True)
        self._server.start()

    def why_not_ready(self) -> str | None:
        """None where every worker is ready."""
        return self._server.why_not_ready()

    def stop(self) -> None:
        """End Java and its workers."""
        self._server.stop()

    def last_words(self) -> list[str]:
        """The end of its log."""
        return self._server.last_words()


class Transformer(Child):
    """The transformer's process."""

    name = "transformer"

    def __init__(self, plan: Plan, directory: Path) -> None:
        settings, serving = plan.settings, plan.settings.serving
        command = [sys.executable, "-m", "model_handlers.transformer"]
        environ = environment(settings, _BRANCHES, os.environ, secrets=True)
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        super().__init__(
            command,
            {**environ, **one_thread},
            directory / "transformer.log",
            stop_seconds=serving.lame_duck_seconds + serving.drain_seconds + 10,
        )
        self._address = urlsplit(plan.address)
        self._bundles, self._pinned = BundleStore(settings.paths.bundles), serving.bundle
        self._answered = False

    def why_not_ready(self) -> str | None:
        """None where pages can be made.

        Raises:
            CorruptError, NotFoundError: the bundle cannot be served, and none ever was: waiting
                helps nobody.
        """
        address = self._address
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_ASK_SECONDS
        )
        try:
            connection.request("GET", READY_PATH)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()
        if answer.status == 200:
            self._answered = True
            return None
        kind, reason = _refusal(answer.status, body)
        if kind == UnservableError.label and not self._answered:
            # Callers are told no path; here the file is named to whoever started this.
            self._bundles.serving(self._pinned)
            raise CorruptError(reason)
        return reason


def _refusal(status: int, body: bytes) -> tuple[str, str]:
    """Its kind, and its sentence."""
    try:
        error = json.loads(body)["error"]
        return str(error["kind"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return "", f"HTTP {status}"
