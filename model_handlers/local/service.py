"""Starts the parts in the order in which they lean on one another, and fills an empty Redis."""

import asyncio
import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from model_handlers.local.parts import Predictor, Redis, Transformer
from model_handlers.local.plan import Plan
from shortlist.datasets.store import Dataset
from shortlist.errors import RefusedError
from shortlist.files import make_directory, storage_errors
from shortlist.online.archive import Archive, archive_directory
from shortlist.online.refill import Standing, refill, standing
from shortlist.online.store import OnlineStore
from shortlist.progress import counting
from shortlist.serving.ports import check_free
from shortlist.serving.supervisor import Patience, Supervisor

Say = Callable[[str], None]

_GRACE_SECONDS: Final = 60.0
_DRAINED: Final = "online"


@contextlib.contextmanager
def running(plan: Plan, directory: Path, dataset: Dataset | None, say: Say) -> Iterator[Supervisor]:
    """Run the service while the block runs; it is entered when everything answers.

    Args:
        plan: what runs.
        directory: for data and logs of the parts; one service at a time has it.
        dataset: with which an empty Redis is filled; nothing is where None.
        say: is told in one sentence what becomes of the parts.

    Raises:
        SettingsError: a port is in use.
        NotFoundError: there is no Java, or no redis-server.
        RefusedError: a service that uses the directory runs already.
        UnavailableError: a part does not start.
        StorageError: the disk refused.
    """
    check_free(plan.ports())
    patience = Patience(
        start_seconds=plan.settings.serving.predictor_start_seconds + _GRACE_SECONDS
    )
    with _alone(directory), Supervisor(say, patience) as watching:
        if plan.redis:
            watching.start(Redis(plan, directory))
            watching.wait()
        if plan.predictor:  # It starts while users are loaded.
            watching.start(Predictor(plan, directory))
        if dataset is not None:
            asyncio.run(_filled(plan, dataset, say))
        watching.start(Transformer(plan, directory))
        watching.wait()
        yield watching


async def _filled(plan: Plan, dataset: Dataset, say: Say) -> None:
    """Load the dataset where nothing of it is there."""
    settings = plan.settings
    archive = Archive(archive_directory(settings.paths.work, _DRAINED))
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
            done = await refill(store, dataset, archive, progress=progress)
        say(f"{done.users:,} users of {dataset.path.name} are loaded ({done.seconds:.1f} s)")
    finally:
        await store.close()


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory against a second service."""
    make_directory(directory)
    path = directory / "lock"
    with contextlib.ExitStack() as stack:
        with storage_errors(path):
            lock = stack.enter_context(path.open("w", encoding="utf-8"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedError(
                f"another `shortlist up` uses {directory}; stop it, or take another directory "
                "with --set paths.work=DIR"
            ) from error
        yield
