"""A process that this one starts, and that ends with whoever started it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from shortlist.serving.tied import tied

_STOP_SECONDS: Final = 10.0
_TAIL_BYTES: Final = 64 * 1024


class Child:
    """One process, which may be started again after its end.

    It must be started by the thread that lives longest: Linux ties a child to the thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Path | None,
        *,
        directory: Path | None = None,
        stop_seconds: float = _STOP_SECONDS,
        leads: bool = True,
        inherited: Collection[int] = (),
    ) -> None:
        """Prepare; nothing is started.

        Args:
            command: what runs.
            environ: its whole environment.
            log: file to which it writes, and what is there stays; where None it writes to what this
                process writes to.
            directory: that it works in; this process's where None.
            stop_seconds: that it has to end by itself.
            leads: whether it leads a group of its own; else it is of this process's.
            inherited: open files that it has as well, by the same numbers.
        """
        self._command, self._environ, self.log = list(command), dict(environ), log
        self._directory, self._stop_seconds = directory, stop_seconds
        self._leads, self._inherited = leads, tuple(inherited)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """None where it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def ending(self) -> str:
        """How it ended, in words that follow its name."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return "does not run" if self._process is None else "runs"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"

    def start(self) -> None:
        """Start it, without waiting for it."""
        with contextlib.ExitStack() as opened:
            output = None if self.log is None else opened.enter_context(self.log.open("ab"))
            self._process = subprocess.Popen(
                tied(self._command),
                cwd=self._directory,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                start_new_session=self._leads,
                pass_fds=self._inherited,
            )

    def terminate(self) -> None:
        """Ask it to end, without waiting until it has."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """End it; and where it leads a group, that too, also what it left where it has ended."""
        process, self._process = self._process, None
        if process is not None:
            (end_group if self._leads else end)(process, self._stop_seconds)

    def last_words(self, lines: int = 20) -> list[str]:
        """The end of its log."""
        if self.log is None or not self.log.is_file():
            return []
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]


def end_group(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End a process that leads a group, and the whole group with it.

    Args:
        process: started with a session of its own.
        seconds: that it has to end by itself.
    """
    _ended(process, seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End a process alone.

    Args:
        process: of this process's group.
        seconds: that it has to end by itself.
    """
    _ended(process, seconds)
    process.kill()
    process.wait()


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Let it end by itself, as long as it has."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
