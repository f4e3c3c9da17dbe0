"""Keeps several processes of the transformer that answer at one address, by one socket.

The socket is open here as long as this process lives: who connects while one of them dies or starts
waits for another, and is not turned away. Each takes what it has time for.
"""

import contextlib
import logging
import math
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shortlist.serving.child import Child
from shortlist.serving.company import answers
from shortlist.serving.signals import ended_by_signals
from shortlist.serving.supervisor import Patience, Supervisor
from shortlist.settings import Settings
from shortlist.telemetry.shared import forget

_LOG = logging.getLogger(__name__)
_GRACE_SECONDS: Final = 10.0
_PATIENCE: Final = Patience(start_seconds=math.inf)
"""One that loads long does no harm: others answer, or nobody could."""


class Worker(Child):
    """One process of the transformer."""

    def __init__(
        self,
        place: int,
        settings: Settings,
        listening: socket.socket,
        directory: Path,
        arguments: Sequence[str],
    ) -> None:
        """Prepare it.

        Args:
            place: among all, from 1.
            settings: in force.
            listening: at the address to answer at.
            directory: that all share.
            arguments: of the transformer.
        """
        self.name = f"process {place} of the transformer"
        self._place, self._together = place, directory
        descriptor, serving = listening.fileno(), settings.serving
        super().__init__(
            [
                *(sys.executable, "-m", "model_handlers.transformer.worker"),
                *(str(place), str(descriptor), str(directory), *arguments),
            ],
            os.environ,
            None,
            # Callers are sent away, requests finish, then what waits is written.
            stop_seconds=serving.lame_duck_seconds + 2 * serving.drain_seconds + _GRACE_SECONDS,
            leads=False,
            inherited=[descriptor],
        )

    def why_not_ready(self) -> str | None:
        """None where it answers."""
        pid = self.pid
        return None if pid is not None and answers(self._together, pid) else "it starts"

    def stop(self) -> None:
        """End it, and forget its state."""
        super().stop()
        forget(self._together, self._place)


def keep(settings: Settings, listening: socket.socket, arguments: Sequence[str]) -> None:
    """Keep the processes running until a signal comes, then let all of them finish.

    Args:
        settings: in force; they must find the same.
        listening: bound, at the address to answer at; it is closed.
        arguments: of the transformer.

    Raises:
        UnavailableError: one ended before it ever answered, or again and again.
    """
    with (
        contextlib.suppress(KeyboardInterrupt),
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="shortlist-") as directory,
        Supervisor(_LOG.warning, _PATIENCE) as watching,
    ):
        workers = [
            Worker(place, settings, listening, Path(directory), arguments)
            for place in range(1, settings.serving.transformer_workers + 1)
        ]
        try:
            for one in workers:
                watching.start(one)
            watching.watch()
        finally:
            listening.close()
            for one in workers:
                one.terminate()
