"""`shortlist simulate`: the world's users as clients of the live service."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from shortlist.cli.options import print_out, settings_in_force

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shortlist.evaluation.scorecard import Estimate
    from shortlist.evaluation.simulate import ArmFigures

app = typer.Typer(add_completion=False)

_HERE = "127.0.0.1"


@app.command()
def simulate(
    ctx: typer.Context,
    rate: Annotated[float, typer.Option(min=0.01, help="Sessions that begin each second.")] = 2.0,
    sessions: Annotated[int, typer.Option(min=1, help="Sessions at most.")] = 200,
    seconds: Annotated[
        float, typer.Option(min=1, help="Seconds during which sessions begin, at most.")
    ] = 300.0,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="Experiment key of an arm; repeated, users are divided.", metavar="KEY"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where the service is. Nobody else is asked unless named.")
    ] = _HERE,
    key: Annotated[
        str | None, typer.Option(help="Bearer key for events, as `shortlist up` prints it.")
    ] = None,
) -> None:
    """Send users of the served bundle's world to a service, and report how they fared."""
    settings = settings_in_force(ctx)
    from shortlist.bundle import BundleStore
    from shortlist.datasets.named import open_named
    from shortlist.errors import RefusedError, ShortlistError
    from shortlist.evaluation.judge import sealed_truth
    from shortlist.progress import counting

    try:
        from shortlist.evaluation.simulate import Traffic, by_arm
        from shortlist.evaluation.simulate import simulate as send
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise ShortlistError("aiohttp is not installed; install `shortlist[serve]`") from error

    bundles = BundleStore(settings.paths.bundles)
    data = bundles.serving(settings.serving.bundle, verify=False).manifest.data
    truth = sealed_truth(open_named(settings.paths.work, data.name), settings.paths.truth)
    if truth is None:
        raise RefusedError(f"{data.name} is no world of ours, so nobody knows what its users do")
    traffic = Traffic(
        address=f"http://{host}:{settings.serving.transformer_port}",
        key=key,
        rate=rate,
        sessions=sessions,
        seconds=seconds,
        arms=tuple(arm or ()),
        seed=settings.seed,
    )
    date = data.last_day + dt.timedelta(days=1)
    with counting("sessions") as progress:
        did = asyncio.run(send(truth, date, traffic, progress))
    print_out(_table(by_arm(did), traffic.address))


def _table(arms: "Mapping[str, ArmFigures]", address: str) -> Table:
    columns = ("arm", "users", "sessions", "videos", "true p(click)", "clicked", "skipped")
    made = Table(*columns, "seconds watched", "degraded", "failed", title=f"visitors of {address}")
    for column in made.columns[1:]:
        column.justify = "right"
    for name, one in arms.items():
        made.add_row(
            name or "all",
            f"{one.users:,}",
            f"{one.sessions:,}",
            f"{one.videos:,}",
            _estimate(one.value, 3),
            _estimate(one.click, 3),
            _estimate(one.skip, 3),
            _estimate(one.watched, 1),
            f"{one.degraded:,} of {one.pages:,} pages",
            f"{one.failed:,}",
        )
    return made


def _estimate(one: "Estimate", digits: int) -> str:
    return f"{one.value:.{digits}f} [{one.low:.{digits}f}, {one.high:.{digits}f}]"
