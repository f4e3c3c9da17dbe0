"""A process that this one starts: it leads a group of its own, and ends with whoever started it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
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
        log: Path,
        *,
        directory: Path | None = None,
        stop_seconds: float = _STOP_SECONDS,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            command: what runs.
            environ: its whole environment.
            log: file to which it writes; what is there stays.
            directory: that it works in; this process's where None.
            stop_seconds: that it has to end by itself.
        """
        self._command, self._environ, self.log = list(command), dict(environ), log
        self._directory, self._stop_seconds = directory, stop_seconds
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
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                tied(self._command),
                cwd=self._directory,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it and its whole group, also what it left behind where it has ended itself."""
        process, self._process = self._process, None
        if process is not None:
            end_group(process, self._stop_seconds)

    def last_words(self, lines: int = 20) -> list[str]:
        """The end of its log."""
        if not self.log.is_file():
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
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
