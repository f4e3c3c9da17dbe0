"""Starts the parts in the order in which they lean on one another, and keeps Redis filled."""

import asyncio
import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from model_handlers.local.filling import Find, Refilling, Say, filled
from model_handlers.local.parts import Predictor, Redis, Transformer
from model_handlers.local.plan import Plan
from shortlist.errors import RefusedError
from shortlist.files import make_directory, storage_errors
from shortlist.serving.ports import check_free
from shortlist.serving.supervisor import Patience, Supervisor

_GRACE_SECONDS: Final = 60.0


@contextlib.contextmanager
def running(plan: Plan, directory: Path, find: Find, say: Say) -> Iterator[Supervisor]:
    """Run the service while the block runs; it is entered when everything answers.

    Args:
        plan: what runs.
        directory: for data and logs of the parts; one service at a time has it.
        find: the dataset with which an empty Redis is filled, whenever it is; nothing is where
            None.
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
    with (
        _alone(directory),
        Refilling(plan, find, say) as refilling,
        Supervisor(say, patience) as watching,
    ):
        begin_logs(directory)
        if plan.redis:
            watching.start(Redis(plan, directory))
            watching.wait()
        if plan.predictor:  # It starts while users are loaded.
            watching.start(Predictor(plan, directory))
        if (dataset := find()) is not None:
            asyncio.run(filled(plan, dataset, say))
        watching.start(Transformer(plan, directory))
        watching.wait()
        refilling.start()
        try:
            yield watching
        finally:
            refilling.stop()  # It ends while the parts do.


def begin_logs(directory: Path) -> None:
    """Begin logs anew; those of the run before are kept beside them, older ones are not.

    Raises:
        StorageError: the disk refused.
    """
    with storage_errors(directory):
        for log in [*directory.glob("*.log"), *directory.glob("*/output.log")]:
            log.replace(log.with_name(f"{log.name}.before"))


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
