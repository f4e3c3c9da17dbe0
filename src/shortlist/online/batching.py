"""Commands of requests that run at the same time, sent together.

A system call costs more than what Redis does, so requests of one process that wait at the same time
share one: what arrives while two batches are under way leaves with the next. A lone request waits
for nobody. What nobody waits for waits a little itself, for a batch that leaves anyway.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from shortlist.online.waiting import within

C = TypeVar("C")

_UNDER_WAY: Final = 2
_PATIENCE_SECONDS: Final = 0.003
"""A busy process asks more often than that; an idle one may as well ask once more."""


@dataclass(eq=False)
class Batches(Generic[C]):
    """Batches of commands.

    Attributes:
        send: sends commands together; an answer for each, in their order.
        seconds: that a batch may take.
        sent: how many there were.
    """

    send: Callable[[Sequence[C]], Awaitable[list[Any]]]
    seconds: float
    sent: int = 0
    _waiting: deque[tuple[Sequence[C], asyncio.Future[list[Any]]]] = field(default_factory=deque)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _hurried: bool = False
    _patience: asyncio.TimerHandle | None = None

    async def ask(self, commands: Sequence[C], *, patient: bool = False) -> list[Any]:
        """Send commands with those of others, and wait for their answers.

        Whoever gives up waiting spoils nothing for the others.

        Args:
            commands: in their order.
            patient: whether they may wait some milliseconds for others to leave with.

        Raises:
            Exception: as ``send`` does; a `TimeoutError` where the batch took too long.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((commands, future))
        if not patient:
            self._hurry()
        elif self._patience is None:
            self._patience = loop.call_later(_PATIENCE_SECONDS, self._hurry)
        return await future

    def _hurry(self) -> None:
        """Whoever waits leaves as soon as there is room."""
        self._calm()
        if not self._waiting:
            return
        self._hurried = True
        if len(self._tasks) < _UNDER_WAY:
            self._start()

    def _calm(self) -> None:
        """Nobody waits who must not."""
        self._hurried = False
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _start(self) -> None:
        # A task begins when those who are ready now had their turn: they share it.
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._waiting and self._hurried:
            self._start()

    async def _run(self) -> None:
        batch = [one for one in self._waiting if not one[1].done()]
        self._waiting.clear()
        self._calm()
        if not batch:
            return
        self.sent += 1
        try:
            together = [command for commands, _ in batch for command in commands]
            answers = await within(self.seconds, self.send(together))
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(
                        error
                        if isinstance(error, Exception)
                        else ConnectionError("the batch was given up")
                    )
            if not isinstance(error, Exception):
                raise
            return
        start = 0
        for commands, future in batch:
            if not future.done():
                future.set_result(answers[start : start + len(commands)])
            start += len(commands)
