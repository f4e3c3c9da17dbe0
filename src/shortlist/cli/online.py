"""`shortlist online`: fill the online store, take its event log back, see whether it is well."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from shortlist.cli.options import print_out, settings_in_force

if TYPE_CHECKING:
    from shortlist.datasets.store import Dataset
    from shortlist.online.health import Health
    from shortlist.online.load import Loaded
    from shortlist.online.making import Made
    from shortlist.settings import Settings

app = typer.Typer(add_completion=False)

_DATASET = "Name of a dataset, or path of its directory. Default: that of the served bundle."
_INTO = "Name of the dataset that the event log becomes."
_LOG = "online"


@app.callback()
def online() -> None:
    """Fill the online store, take its event log back, see whether it is well."""


@app.command()
def load(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Argument(help=_DATASET, metavar="[DATASET]")] = None,
    last: Annotated[
        dt.datetime | None,
        typer.Option(
            help="Last day of the log that is loaded. Default: all of it.",
            formats=["%Y-%m-%d"],
            metavar="DAY",
        ),
    ] = None,
    log: Annotated[str, typer.Option(help="Name under which the event log is drained.")] = _LOG,
    if_empty: Annotated[
        bool,
        typer.Option(
            "--if-empty", help="Do nothing where something is loaded, unless that was cut off."
        ),
    ] = False,
) -> None:
    """Load histories and declared features of all users; a killed load goes on.

    Takedowns and tombstones that were drained are entered again, so that a Redis that came back
    empty knows them.
    """
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import plain_name
    from shortlist.online.archive import Archive, archive_directory
    from shortlist.online.refill import Standing, refill, standing
    from shortlist.online.store import OnlineStore
    from shortlist.progress import counting

    found = _dataset(settings, dataset)
    archive = Archive(archive_directory(settings.paths.work, plain_name(log)))
    day = None if last is None else last.date()

    async def run() -> "Loaded | None":
        store = OnlineStore.connect(settings.online)
        try:
            if if_empty and await standing(store, found, day) in (Standing.WHOLE, Standing.OTHER):
                return None
            with counting("users") as progress:
                return await refill(store, found, archive, last=day, progress=progress)
        finally:
            await store.close()

    done = asyncio.run(run())
    print_out("nothing to do: Redis is loaded" if done is None else _loaded(done, found))


@app.command()
def drain(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Argument(help=_DATASET, metavar="[DATASET]")] = None,
    into: Annotated[str, typer.Option(help=_INTO, metavar="NAME")] = _LOG,
) -> None:
    """Take what the event log has, and make it a dataset; a killed drain goes on.

    The dataset has the users and videos of DATASET, and one impression for all that was reported
    of it.
    """
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import datasets_directory, plain_name
    from shortlist.online.archive import Archive, archive_directory
    from shortlist.online.drain import drain as drain_log
    from shortlist.online.store import OnlineStore

    base = _without_live(_dataset(settings, dataset))
    archive = Archive(archive_directory(settings.paths.work, plain_name(into)))
    target = datasets_directory(settings.paths.work) / plain_name(into)

    async def run() -> "tuple[int, Made]":
        store = OnlineStore.connect(settings.online)
        try:
            return await drain_log(store, base, archive, target)
        finally:
            await store.close()

    print_out(_drained(*asyncio.run(run())))


@app.command()
def ping(ctx: typer.Context) -> None:
    """See whether Redis answers, what is loaded, how full the event log is, and what is amiss.

    It fails where Redis does not answer, and where something is amiss.
    """
    settings = settings_in_force(ctx)
    from shortlist.errors import UnavailableError
    from shortlist.online.health import health
    from shortlist.online.store import OnlineStore

    async def run() -> "Health":
        store = OnlineStore.connect(settings.online)
        try:
            return await health(store)
        finally:
            await store.close()

    found = asyncio.run(run())
    faults = found.faults()
    print_out(_health(found, settings.online.url), *faults)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise UnavailableError(f"Redis is not as it should be: {faults[0]}{more}")


def _dataset(settings: "Settings", name: str | None) -> "Dataset":
    from shortlist.datasets.named import open_named

    if name is None:
        from shortlist.bundle import BundleStore

        store = BundleStore(settings.paths.bundles)
        name = store.serving(settings.serving.bundle, verify=False).manifest.data.name
    return open_named(settings.paths.work, name)


def _without_live(dataset: "Dataset") -> "Dataset":
    """The log before live traffic went it on, beside which that is drained."""
    from shortlist.datasets.store import Dataset

    if dataset.record.live is None:
        return dataset
    return Dataset.open(dataset.path.parent / dataset.origin.name)


def _loaded(done: "Loaded", dataset: "Dataset") -> Table:
    table = _table(f"loaded {dataset.path.name}")
    table.add_row("users", f"{done.users:,}")
    if done.resumed_from:
        table.add_row("done by an earlier run", f"{done.resumed_from:,}")
    table.add_row("histories entered", f"{done.entered:,}")
    table.add_row("there already", f"{done.unchanged:,}")
    table.add_row("left out: forgotten", f"{done.forgotten:,}")
    table.add_row("takedowns entered again", f"{done.blocked:,}")
    table.add_row("seconds", f"{done.seconds:.1f}")
    return table


def _drained(taken: int, done: "Made") -> Table:
    name = "nothing yet" if done.dataset is None else str(done.dataset.path)
    table = _table(f"drained into {name}")
    table.add_row("entries taken", f"{taken:,}")
    table.add_row("days made", f"{len(done.days_made):,}")
    if done.dataset is not None:
        record = done.dataset.record
        table.add_row("impressions", f"{record.impressions:,}")
        table.add_row("days", f"{record.first_day} to {record.last_day}")
    table.add_row("impressions that wait for outcomes", f"{done.waiting:,}")
    for name, count in (
        ("outcomes too late for their page", done.late),
        ("entries sent again", done.duplicates),
        ("entries of forgotten users deleted", done.purged),
        ("impressions of unknown videos", done.unknown_videos),
        ("unreadable entries", done.unreadable),
    ):
        if count:
            table.add_row(name, f"{count:,}")
    return table


def _health(found: "Health", url: str) -> Table:
    table = _table(f"Redis {found.version} at {url}")
    table.add_row("round trip", f"{found.milliseconds:.2f} ms")
    limit = f" of {found.memory_limit_bytes / 2**20:,.1f}" if found.memory_limit_bytes else ""
    table.add_row("memory", f"{found.memory_bytes / 2**20:,.1f}{limit} MiB")
    if found.loaded is not None:
        table.add_row("users loaded", f"{found.loaded[0]:,} of {found.loaded[1]:,}")
    table.add_row("log entries to drain", f"{found.waiting:,}")
    table.add_row("videos taken down", f"{found.blocked:,}")
    return table


def _table(title: str) -> Table:
    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    return table
