"""`shortlist show`: what a dataset holds, or what it knows of one user."""

from typing import Annotated

import typer

from shortlist.cli.datasets_shown import facts_tables, profile_tables, record_table
from shortlist.cli.options import print_out, settings_in_force

app = typer.Typer(add_completion=False)


@app.command()
def show(
    ctx: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help="Name of a dataset, or path of its directory.", metavar="DATASET")
    ],
    user: Annotated[
        str | None, typer.Option(help="Id of a user, or the user's name in the source.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the user's impressions.")] = 20,
) -> None:
    """Show a dataset, or one of its users."""
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import open_named

    found = open_named(settings.paths.work, dataset)
    if user is not None:
        from shortlist.datasets.profiles import profile

        print_out(*profile_tables(profile(found, user, last)))
        return
    from shortlist.datasets.facts import measure

    print_out(record_table(found.record), *facts_tables(measure(found)))
