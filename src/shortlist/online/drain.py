"""From the event log to Parquet: every event once, whatever is killed when.

Three steps, each of which may be cut off anywhere and done again: `shortlist.online.taking` moves
entries into the archive, `shortlist.online.noting` adds the tombstones and takedowns that the log
dropped before, and `shortlist.online.making` turns the archive into a dataset.
"""

import time
from pathlib import Path
from typing import Final

from shortlist.bundle.durable import exclusive
from shortlist.datasets.store import Dataset
from shortlist.online.archive import Archive
from shortlist.online.making import Made, make
from shortlist.online.noting import note_what_is_missing
from shortlist.online.store import OnlineStore
from shortlist.online.taking import Reached, take, unheard

_LOCK_SECONDS: Final = 1.0


async def drain(
    store: OnlineStore,
    base: Dataset,
    archive: Archive,
    into: Path,
    *,
    now: float | None = None,
    reached: Reached = unheard,
) -> tuple[int, Made]:
    """Take what the log has, and make the dataset anew.

    Args:
        store: whose log.
        base: whose users and videos the dataset has; users whom it lacks are added.
        archive: of this log alone.
        into: directory of the dataset.
        now: seconds since 1970-01-01; by the clock where None.
        reached: told of each stage.

    Returns:
        How many entries were taken, and what was made of all that were ever taken.

    Raises:
        UnavailableError: Redis is down, slow or refuses; the next run goes on.
        StorageError: the disk refuses, or another drain is running.
        CorruptError: the archive or a dataset is torn.
    """
    archive.prepare()
    with exclusive(archive.directory, _LOCK_SECONDS):
        archive.prepare()
        taken = await take(store, archive, reached)
        await note_what_is_missing(store, archive)
        clock = time.time() if now is None else now
        return taken, make(archive, base, into, store.settings, clock, reached=reached)
