"""What goes on behind requests goes on for ever, whatever goes wrong with one turn of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 0.5


async def for_ever(
    name: str,
    turn: Callable[[], Awaitable[None]],
    failed: Callable[[str], None],
    *,
    pause_seconds: float = _PAUSE_SECONDS,
) -> None:
    """Do something again and again, until it is cancelled.

    A turn that fails with what nobody foresaw is logged and told; the next one comes after a pause.

    Args:
        name: of the task, one of `shortlist.telemetry.metrics.TASKS`.
        turn: done once; it waits for its work by itself.
        failed: told the name of a task whose turn failed.
        pause_seconds: after a turn that failed.
    """
    while True:
        try:
            await turn()
        except Exception:
            _LOG.exception("a turn of the %s failed; it goes on", name)
            failed(name)
            await asyncio.sleep(pause_seconds)
