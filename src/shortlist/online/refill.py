"""Fills a store whose Redis came back empty: the dataset, and what only the archive still knows."""

import datetime as dt
from collections.abc import Callable
from enum import Enum

from shortlist.datasets.store import Dataset
from shortlist.online.archive import Archive
from shortlist.online.load import Loaded, load, source_of
from shortlist.online.store import OnlineStore


class Standing(Enum):
    """What a store has been loaded with."""

    EMPTY = "nothing"
    UNFINISHED = "some users"
    OTHER = "another dataset, or other days of it"
    WHOLE = "the dataset"


async def standing(store: OnlineStore, dataset: Dataset, last: dt.date | None = None) -> Standing:
    """What a store has been loaded with, seen from a dataset.

    Args:
        store: that is asked.
        dataset: that should be loaded.
        last: last day of its log that should be loaded; all of it where None.

    Raises:
        UnavailableError: Redis is down, slow or refuses.
    """
    (note,) = await store.client.run([("GET", store.keys.loaded)], slow=True)
    if note is None:
        return Standing.EMPTY
    source, done, users = (int(part) for part in note.split(b":"))
    if source != source_of(dataset, last):
        return Standing.OTHER
    return Standing.WHOLE if done == users else Standing.UNFINISHED


async def refill(
    store: OnlineStore,
    dataset: Dataset,
    archive: Archive,
    *,
    last: dt.date | None = None,
    progress: Callable[[int, int], None] = lambda _done, _users: None,
) -> Loaded:
    """Load a dataset, and the takedowns and tombstones that were drained to an archive.

    Args:
        store: into which.
        dataset: what is loaded.
        archive: of the store's event log.
        last: as in `load`.
        progress: as in `load`.

    Raises:
        UnavailableError: Redis is down, slow or full; the next run goes on.
        CorruptError: the dataset or the archive is torn.
    """
    notes = archive.notes()
    return await load(
        dataset,
        store,
        last=last,
        forgotten={user: at for user, (_, at) in notes.forgotten.items()},
        blocked=notes.blocked,
        progress=progress,
    )
