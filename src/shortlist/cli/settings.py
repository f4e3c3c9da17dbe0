"""`shortlist settings`: every setting, its value in force, and where that comes from."""

import json
from typing import Annotated

import typer
from rich.table import Table

from shortlist.cli.options import in_force, print_out
from shortlist.settings.loading import InForce
from shortlist.settings.reference import reference_page
from shortlist.settings.tree import shown

app = typer.Typer(add_completion=False)


@app.command()
def settings(
    ctx: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON object by dotted name.")
    ] = False,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference", help="Print docs/settings.md: descriptions, defaults, presets."
        ),
    ] = False,
) -> None:
    """Print every setting in force and where it comes from."""
    if reference:
        typer.echo(reference_page(), nl=False)
        return
    state = in_force(ctx)
    if as_json:
        typer.echo(json.dumps(as_rows(state), indent=2))
    else:
        print_out(as_table(state))


def as_rows(state: InForce) -> dict[str, dict[str, object]]:
    """By dotted name: ``value``, typed as JSON can, and ``source``."""
    plain = state.settings.model_dump(mode="json")
    rows: dict[str, dict[str, object]] = {}
    for name, origin in state.origins.items():
        value = plain
        for part in name.split("."):
            value = value[part]
        rows[name] = {"value": value, "source": origin}
    return rows


def as_table(state: InForce) -> Table:
    """The same for a terminal."""
    table = Table("setting", "value", "source")
    values = shown(state.settings)
    for name, origin in state.origins.items():
        table.add_row(name, values[name], origin, style=None if origin == "default" else "bold")
    return table
