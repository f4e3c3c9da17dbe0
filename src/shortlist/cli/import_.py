"""`shortlist import`: make a dataset of somebody's log, KuaiRand's or one's own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shortlist.cli.datasets_shown import facts_tables
from shortlist.cli.options import print_out, settings_in_force
from shortlist.errors import InputError

app = typer.Typer(add_completion=False)


@app.command()
def import_(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            help="kuairand:PATH, the directory of KuaiRand's files.", metavar="[kuairand:PATH]"
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="YAML file that says which columns of which CSV or Parquet files mean what; "
            "see docs/bring-your-own.md.",
            metavar="FILE",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the dataset. Default: kuairand, or as the mapping says."),
    ] = None,
) -> None:
    """Make a dataset of a log, and report what it holds."""
    settings = settings_in_force(ctx)
    if (source is None) == (mapping is None):
        raise InputError("nothing to import, or two things; write kuairand:PATH or --mapping FILE")
    from shortlist.datasets.named import datasets_directory, plain_name

    directory = datasets_directory(settings.paths.work)
    if mapping is not None:
        from shortlist.datasets.bring_your_own import import_mapped

        imported = import_mapped(mapping, directory, name)
    else:
        from shortlist.datasets.kuairand import import_kuairand

        imported = import_kuairand(
            _kuairand_path(str(source)), directory / plain_name(name or "kuairand")
        )
    from shortlist.datasets.report import REPORT

    files = Table("table", "file", "rows", title="read")
    files.columns[-1].justify = "right"
    for file in imported.report.files:
        files.add_row(file.table, file.path, f"{file.rows:,}")
    path = imported.dataset.path
    print_out(
        f"{path} is unchanged; nothing was read again" if imported.reused else f"made {path}",
        *([files] if imported.report.files else []),
        *facts_tables(imported.report.facts),
        f"the same as JSON: {path / REPORT}",
    )


def _kuairand_path(source: str) -> Path:
    kind, _, path = source.partition(":")
    if kind != "kuairand" or not path:
        raise InputError(
            f"{source!r} is no source; write kuairand:PATH with the directory of KuaiRand's "
            "files, or --mapping FILE for a log of your own"
        )
    return Path(path)
