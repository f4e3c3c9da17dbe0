"""Waiting for an answer for so long, and no shorter because this process was busy meanwhile."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

T = TypeVar("T")

_TURNS: Final = 4
"""Turns of the event loop from bytes in a socket to an answer in hand."""


async def within(seconds: float, asked: Awaitable[T]) -> T:
    """What is asked, if it answers in time.

    An answer that lay in the socket while other requests held the event loop came in time. So
    before giving up, the loop gets the turns that it needs to read it.

    Args:
        seconds: to wait.
        asked: cancelled where it does not answer.

    Raises:
        TimeoutError: it did not answer.
    """
    task = asyncio.ensure_future(asked)
    try:
        await asyncio.wait([task], timeout=max(seconds, 0))
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
