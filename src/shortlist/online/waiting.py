"""Waiting for an answer for so long, and no shorter because this process was busy meanwhile."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

T = TypeVar("T")

_TURNS: Final = 4
"""Turns of the event loop from bytes in a socket to an answer in hand."""
_PROMPT_SECONDS: Final = 0.002
"""A loop that comes round so late is not busy."""
_MOST_EXTENSIONS: Final = 8


async def within(seconds: float, asked: Awaitable[T]) -> T:
    """What is asked, if it answers in time.

    An answer that lay in the socket while other requests held the event loop came in time. So the
    time by which the loop notices the deadline too late is added to it, again while it stays late;
    and before giving up, the loop gets the turns that it needs to read what came. Otherwise a busy
    process would take itself for a slow Redis, and make pages that cost it more.

    Args:
        seconds: to wait.
        asked: cancelled where it does not answer.

    Raises:
        TimeoutError: it did not answer.
    """
    task = asyncio.ensure_future(asked)
    try:
        loop = asyncio.get_running_loop()
        left = max(seconds, 0)
        for _ in range(_MOST_EXTENSIONS):
            due = loop.time() + left
            await asyncio.wait([task], timeout=left)
            left = loop.time() - due
            if task.done() or left < _PROMPT_SECONDS:
                break
        for _ in range(_TURNS):
            if task.done():
                break
            await asyncio.sleep(0)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        if not task.done():
            task.cancel()
