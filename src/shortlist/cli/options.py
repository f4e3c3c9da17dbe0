"""The options every verb has: `--preset`, `--config`, `--set`, before the verb or after it.

How to write a verb
-------------------
A verb is one file in this package and one row in `shortlist.cli.main.VERBS`. The file exposes
``app``, a `typer.Typer`: with one command it is the verb itself, with several they are its
sub-verbs (``shortlist world make``). The shared options are added to each command when it is
loaded; a command takes the context and asks for what is in force::

    app = typer.Typer(add_completion=False)

    @app.command()
    def encode(ctx: typer.Context, dataset: Path) -> None:
        '''Turn the videos of a dataset into vectors.'''
        settings = settings_in_force(ctx)
        from shortlist.encoders import ...       # heavy: only when the verb runs
        print_out(encode_dataset(dataset, settings.encoders))

A verb parses and prints; the room does the work and raises `shortlist.errors`. Results go to
stdout through `print_out`, progress to stderr through `shortlist.progress`. A single-command
``app`` must have no callback; one with sub-verbs has one, so that it stays a group when a single
sub-verb is left.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console, RenderableType

if TYPE_CHECKING:
    from shortlist.settings import InForce, Settings

DEFAULT_PRESET: Final = "demo"
_PANEL = "Settings"
_WIDE = 200


@dataclass
class Given:
    """What the shared options of one command line say."""

    preset: str | None = None
    config: Path | None = None
    assignments: list[str] = field(default_factory=list)


def settings_in_force(ctx: typer.Context) -> "Settings":
    """The settings for this command line.

    Raises:
        NotFoundError: the file behind `--config` does not exist.
        SettingsError: a name is misspelt, or a value has the wrong type or is out of range.
    """
    return in_force(ctx).settings


def in_force(ctx: typer.Context) -> "InForce":
    """The settings for this command line, each with its origin; raises as `settings_in_force`."""
    from shortlist.settings import load

    given = ctx.ensure_object(Given)
    return load(
        preset=given.preset,
        config=given.config,
        assignments=given.assignments,
        default_preset=DEFAULT_PRESET,
    )


def print_out(*renderables: RenderableType) -> None:
    """Print to stdout: coloured and fitted on a terminal, plain and unclipped elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(*renderables, sep="\n")


def _preset(ctx: typer.Context, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Given).preset = value


def _config(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Given).config = value


def _assignments(ctx: typer.Context, value: list[str] | None) -> None:
    ctx.ensure_object(Given).assignments.extend(value or [])


def shared_options(
    preset: Annotated[
        str | None,
        typer.Option(
            callback=_preset,
            expose_value=False,
            help=f"tiny (a demo in 2 minutes), demo (in 10) or full. Default: {DEFAULT_PRESET}.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            callback=_config,
            expose_value=False,
            help="YAML file of settings. Default: shortlist.yaml where there is one.",
            metavar="FILE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            callback=_assignments,
            expose_value=False,
            help="One setting, as in world.users=500; may be repeated.",
            metavar="NAME=VALUE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
) -> None:
    """Never called: typer reads the shared options from this signature."""


def shared_parameters() -> list[Any]:
    """The shared options, made anew, as a command's parameters."""
    app = typer.Typer(add_completion=False)
    app.command()(shared_options)
    parameters: list[Any] = typer.main.get_command(app).params
    return parameters


def add_shared_options(command: Any) -> None:
    """Give ``command``, or every command below it, the shared options.

    Args:
        command: a command as `typer.main.get_command` makes it.
    """
    below = getattr(command, "commands", None)
    if below is None:
        command.params.extend(shared_parameters())
        return
    for child in below.values():
        add_shared_options(child)
