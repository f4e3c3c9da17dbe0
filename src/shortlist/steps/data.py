"""The data step: the world's log is generated, or a real one imported, or found as it stands."""

import datetime as dt
from functools import partial
from pathlib import Path

from shortlist.datasets.kuairand import import_kuairand
from shortlist.datasets.named import datasets_directory
from shortlist.datasets.store import Dataset, DatasetWriter, finished
from shortlist.evaluation.stages import Stages
from shortlist.settings.tree import Settings
from shortlist.settings.world import WorldSettings
from shortlist.steps.shards import fan_out
from shortlist.world.generate import generate, world_key
from shortlist.world.world import make_world

NAME = "data"


def make_data(settings: Settings, stages: Stages) -> Dataset:
    """The dataset of ``datasets.source``; what stands and is unchanged is reused.

    A dataset is its own record, so nothing of it is kept a second time.

    Raises:
        NotFoundError, InputError: the real log is not where the setting says, or is no such log.
        StorageError: the disk refused.
    """
    directory = datasets_directory(settings.paths.work)
    kind, _, place = settings.datasets.source.partition(":")
    with stages.stage(NAME) as stage:
        if kind == "world":
            shards, world, seed = settings.pipeline.shards, settings.world, settings.seed
            if shards > 1 and finished(directory / world.name, world_key(world, seed)) is None:
                fan_out(partial(generate_share, world, seed, directory), shards)
            dataset, reused = generate(world, seed, directory, settings.paths.truth)
        else:
            imported = import_kuairand(Path(place), directory / kind)
            dataset, reused = imported.dataset, imported.reused
        record = dataset.record
        stage.done(
            f"{record.impressions:,} impressions of {record.videos:,} videos by "
            f"{record.users:,} users, {dataset.path}",
            reused=reused,
        )
    return dataset


def generate_share(
    settings: WorldSettings, seed: int, datasets: Path, shard: int, shards: int
) -> list[dt.date]:
    """Write every ``shards``-th day of a world; `generate` then finds them and makes it whole.

    Every draw is found by its day and its place in it, so it is the same whoever makes the day.

    Args:
        settings: of the world.
        seed: of every draw.
        datasets: directory of datasets.
        shard: which share, from 0.
        shards: how many shares there are.

    Returns:
        The days that were written here; those that stood already are not among them.

    Raises:
        StorageError: the disk refused, or somebody is finishing this dataset.
    """
    path, key = datasets / settings.name, world_key(settings, seed)
    if finished(path, key) is not None:
        return []
    world = make_world(settings, seed)
    # Whoever finishes the dataset says what it is.
    writer = DatasetWriter(path, source="", key=key, shared=True)
    written = []
    for day in range(shard, settings.days, shards):
        date = settings.first_day + dt.timedelta(days=day)
        if not writer.has_day(date):
            writer.write_day(date, world.impressions_table(day))
            written.append(date)
    writer.close()
    return written
