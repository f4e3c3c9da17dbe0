"""Fills the online store when the service starts, and again where it comes back empty."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from model_handlers.local.plan import Plan
from shortlist.datasets.store import Dataset
from shortlist.errors import ShortlistError, UnavailableError
from shortlist.online.archive import Archive, archive_directory
from shortlist.online.load import Loaded
from shortlist.online.refill import Standing, refill, standing
from shortlist.online.store import OnlineStore
from shortlist.progress import counting

Find = Callable[[], Dataset | None]
Say = Callable[[str], None]

_DRAINED: Final = "online"
_LOOK_SECONDS: Final = 5.0


async def filled(plan: Plan, dataset: Dataset, say: Say) -> None:
    """Load the dataset where nothing of it is there.

    Raises:
        UnavailableError: Redis is down, slow or full.
        CorruptError: the dataset or the archive is torn.
    """
    settings = plan.settings
    store = OnlineStore.connect(settings.online)
    try:
        found = await standing(store, dataset)
        if found is Standing.WHOLE:
            return
        if found is Standing.OTHER and not plan.redis:
            say(
                f"{settings.online.url} is loaded with {found.value}; `shortlist online load` "
                f"replaces it with {dataset.path.name}"
            )
            return
        with counting("users") as progress:
            done = await refill(store, dataset, _archive(plan), progress=progress)
        say(f"{_what(done, dataset)} are loaded ({done.seconds:.1f} s)")
    finally:
        await store.close()


class Refilling:
    """A thread that looks whether the store came back empty, and fills it.

    A store that is loaded with something else is left alone: somebody has meant that.
    """

    def __init__(
        self, plan: Plan, find: Find, say: Say, *, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """Look at nothing yet.

        Args:
            plan: what runs.
            find: the dataset that should be loaded, as it is now; nothing is where None.
            say: is told in one sentence what was done, or why it was not.
            look_seconds: between two looks.
        """
        self._plan, self._find, self._say = plan, find, say
        self._pause = look_seconds
        self._fault: str | None = None
        self._begun = threading.Event()
        self._end: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on."""
        self._thread = threading.Thread(target=self._run, name="refilling")
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Ask it to end, without waiting for it; a load that is cut off goes on another time."""
        end, self._end = self._end, None
        if end is not None:
            end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._watch())

    async def _watch(self) -> None:
        loop, watching = asyncio.get_running_loop(), asyncio.current_task()
        assert watching is not None
        self._end = lambda: loop.call_soon_threadsafe(watching.cancel)
        self._begun.set()
        store = OnlineStore.connect(self._plan.settings.online)
        try:
            while True:
                await asyncio.sleep(self._pause)
                try:
                    await self._look(store)
                except Exception as error:  # Whatever is wrong with a dataset, pages are made.
                    self._complain(str(error) if isinstance(error, ShortlistError) else repr(error))
        finally:
            await store.close()

    async def _look(self, store: OnlineStore) -> None:
        dataset = self._find()
        if dataset is None:
            return
        try:
            found = await standing(store, dataset)
        except UnavailableError:
            return  # Whoever watches Redis says so.
        if found in (Standing.EMPTY, Standing.UNFINISHED):
            done = await refill(store, dataset, _archive(self._plan))
            self._say(
                f"redis came back with {found.value}; {_what(done, dataset)} are loaded again "
                f"({done.seconds:.1f} s)"
            )
        self._fault = None

    def _complain(self, reason: str) -> None:
        if reason != self._fault:
            self._say(f"redis cannot be kept loaded: {reason}")
        self._fault = reason


def _archive(plan: Plan) -> Archive:
    return Archive(archive_directory(plan.settings.paths.work, _DRAINED))


def _what(done: Loaded, dataset: Dataset) -> str:
    return f"{done.users:,} users of {dataset.path.name}"
