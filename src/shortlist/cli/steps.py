"""`shortlist steps`: clean up what the steps of earlier runs put out."""

from typing import Annotated

import typer

from shortlist.cli.options import print_out, settings_in_force

app = typer.Typer(add_completion=False)


@app.callback()
def steps() -> None:
    """Clean up what the steps of earlier runs put out."""


@app.command()
def prune(
    ctx: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="How many of each step to keep.")] = 3,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which would go.")] = False,
) -> None:
    """Delete the outputs of each step but those that were used last.

    Bundles hold copies, so none is hurt. A run that wants a deleted output makes it again.
    """
    settings = settings_in_force(ctx)
    from rich.table import Table

    from shortlist.cli.bundles_shown import size
    from shortlist.steps import prune as pruning

    doomed = pruning.prune(settings.paths.work / pruning.FOLDER, keep, dry_run=dry_run)
    if not doomed:
        print_out("nothing to prune")
        return
    table = Table("step", "output", "size")
    table.columns[2].justify = "right"
    for old in doomed:
        table.add_row(old.step, old.path.name, size(old.size))
    freed = size(sum(old.size for old in doomed))
    print_out(table, f"{'would free' if dry_run else 'freed'} {freed}")
