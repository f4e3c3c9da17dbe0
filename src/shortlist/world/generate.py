"""Write a world's logs as a dataset, day by day, and seal its truth beside it."""

import datetime as dt
import hashlib
from pathlib import Path

from shortlist.datasets.schema import SCHEMA_VERSION
from shortlist.datasets.store import Dataset, DatasetWriter, finished
from shortlist.errors import CorruptError, NotFoundError
from shortlist.libraries import versions_for
from shortlist.progress import track
from shortlist.settings.world import WorldSettings
from shortlist.world.truth import Truth
from shortlist.world.world import make_world

_FREE = {"chunk_sessions", "name"}  # Settings that change no byte.


def world_key(settings: WorldSettings, seed: int) -> str:
    """Hash of all that a world depends on: its settings, its seed, its source and libraries."""
    digest = hashlib.sha256()
    digest.update(f"{SCHEMA_VERSION}/{seed}/".encode())
    digest.update(settings.model_dump_json(exclude=_FREE).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    digest.update(repr(versions_for(["world"])).encode())
    return digest.hexdigest()


def generate(
    settings: WorldSettings, seed: int, datasets: Path, truths: Path
) -> tuple[Dataset, bool]:
    """Make a world's dataset and its truth, or find them made.

    A run that was interrupted goes on after the last finished day.

    Args:
        settings: of the world.
        seed: of every draw.
        datasets: directory of datasets; the result lies at ``datasets / settings.name``.
        truths: directory of truths; the latents lie at ``truths / settings.name``.

    Returns:
        The dataset, and whether it was there already.

    Raises:
        StorageError: the disk refused.
    """
    key = world_key(settings, seed)
    path, sealed = datasets / settings.name, truths / settings.name
    standing = finished(path, key)
    if standing is not None and _has_truth(sealed, key):
        return standing, True
    world = make_world(settings, seed)
    # The truth first: a dataset of a world whose truth is missing could not be judged.
    Truth(world, key).save(sealed)
    if standing is not None:
        return standing, False
    writer = DatasetWriter(path, source="synthetic world", key=key)
    writer.write_users(world.users_table())
    writer.write_videos(world.videos_table())
    for day in track(range(settings.days), "simulating days"):
        date = settings.first_day + dt.timedelta(days=day)
        if not writer.has_day(date):
            writer.write_day(date, world.impressions_table(day))
    return writer.finish(), False


def _has_truth(path: Path, key: str) -> bool:
    try:
        Truth.load(path, key)
    except (NotFoundError, CorruptError):
        return False
    return True
