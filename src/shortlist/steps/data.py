"""The data step: the world's log is generated, or a real one imported, or found as it stands."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Final

from shortlist.datasets.going_on import go_on
from shortlist.datasets.kuairand import import_kuairand
from shortlist.datasets.named import datasets_directory
from shortlist.datasets.store import Dataset, DatasetWriter, finished
from shortlist.errors import NotFoundError
from shortlist.evaluation.stages import Stages
from shortlist.online.archive import Archive, archive_directory
from shortlist.settings.tree import Settings
from shortlist.settings.world import WorldSettings
from shortlist.steps.shards import fan_out
from shortlist.world.generate import generate, world_key
from shortlist.world.world import make_world

NAME: Final = "data"
LIVE: Final = "live"


def make_data(settings: Settings, stages: Stages) -> Dataset:
    """The dataset of ``datasets.source``, continued by ``datasets.live``; what stands is reused.

    A dataset is its own record, so nothing of it is kept a second time.

    Raises:
        NotFoundError, InputError: the real log is not where the setting says, or is no such log.
        CorruptError: what was drained is torn.
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
    return continued(dataset, settings, stages) if settings.datasets.live else dataset


def continued(base: Dataset, settings: Settings, stages: Stages) -> Dataset:
    """A log with the live traffic of ``datasets.live``.

    The log itself where none is drained yet, or was drained beside another log, which is told.

    Raises:
        CorruptError: what was drained is torn.
        StorageError: the disk refused.
    """
    work, name = settings.paths.work, settings.datasets.live
    directory = datasets_directory(work)
    with stages.stage(LIVE) as stage:
        try:
            drained = Dataset.open(directory / name)
        except NotFoundError:
            stage.done(f"nothing is drained into {name!r} yet")
            return base
        if drained.record.base != base.origin:
            # Another preset, or the same log made anew: what comes next heals it, and may go on.
            stage.done(
                f"LEFT OUT: {drained.path} was not drained beside {base.path} as it is now; "
                f"`shortlist online drain {base.path.name}` mends that"
            )
            return base
        notes = Archive(archive_directory(work, name)).notes()
        dataset, reused = go_on(
            base,
            drained,
            directory / f"{base.path.name}-{LIVE}",
            forgotten=notes.forgotten,
            # Served as if they went on: a world always, other logs of the past if it is set.
            follow=settings.datasets.source == "world" or settings.serving.clock == "bundle",
        )
        live, record = dataset.record.live, dataset.record
        since = "" if live is None else f" since {live.first}"
        stage.done(
            f"{record.impressions - base.record.impressions:,} impressions more{since}, "
            f"{record.users - base.record.users:,} newcomers, {dataset.path}",
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
