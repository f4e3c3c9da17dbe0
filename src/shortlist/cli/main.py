"""`shortlist ...`: finds the verb, runs it, and turns each failure into one line and an exit code.

Verbs are rows of a table; a verb's file is imported when it is called, so that
``shortlist --help`` loads no model library. `shortlist.cli.options` says how to write one. Packages
that Shortlist does not know bring verbs too, by an entry point of the group `shortlist.verbs`.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from shortlist import __version__
from shortlist.cli.options import add_shared_options, shared_parameters
from shortlist.errors import ShortlistError
from shortlist.files import reach_refusal, storage_refusal

INTERRUPTED = 130
USAGE = 2


class Verb(NamedTuple):
    """One verb: its name, the module whose ``app`` it is, and its line in ``--help``."""

    name: str
    module: str
    line: str


VERBS = (
    Verb("demo", "shortlist.cli.demo", "From nothing to judged recommenders and their report."),
    Verb("evaluate", "shortlist.cli.evaluate", "Judge the recommenders on a dataset."),
    Verb("settings", "shortlist.cli.settings", "Print every setting in force and where from."),
    Verb("world", "shortlist.cli.world", "Make a synthetic world, look into it, measure it."),
    Verb("import", "shortlist.cli.import_", "Make a dataset of a log, and report what it holds."),
    Verb("show", "shortlist.cli.show", "Show a dataset, or one of its users."),
    Verb("encode", "shortlist.cli.encode", "Turn the videos of a dataset into vectors."),
    Verb("train", "shortlist.cli.train", "Train the ranker, alone or by several processes."),
    Verb("recommend", "shortlist.cli.recommend", "Recommend a page to a user, and say why."),
    Verb("simulate", "shortlist.cli.simulate", "Send the world's users to the live service."),
    Verb("bundle", "shortlist.cli.bundle", "Look at bundles, verify them, go back, clean up."),
    Verb("steps", "shortlist.cli.steps", "Clean up what the steps of earlier runs put out."),
    Verb("online", "shortlist.cli.online", "Fill the online store, drain its event log."),
)


ENTRY_POINTS = "shortlist.verbs"


def verbs() -> tuple[Verb, ...]:
    """The verbs of the table, and those that installed packages bring."""
    return (*VERBS, *brought())


@cache
def brought() -> tuple[Verb, ...]:
    """The verbs of other packages, by name.

    The module behind an entry point has, beside ``app``, its line in ``--help``: ``LINE``.
    """
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return tuple(
        Verb(one.name, one.module, importlib.import_module(one.module).LINE) for one in found
    )


class Verbs(TyperGroup):
    """The verbs, listed from the table and imported only when called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for verb in verbs():
            self.add_command(TyperCommand(verb.name, help=verb.line))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer does, with the listed command replaced by the verb itself."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if listed is not None and name else listed, rest


def loaded(name: str) -> Any:
    """Import a verb; its command, or group of commands, with the shared options."""
    verb = next(verb for verb in verbs() if verb.name == name)
    command = typer.main.get_command(importlib.import_module(verb.module).app)
    command.name = name
    add_shared_options(command)
    return command


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; only our own bugs escape as exceptions."""
    try:
        code = _application().main(list(arguments), prog_name="shortlist", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _complain(_usage(error), USAGE)
    except typer.Abort:
        code = INTERRUPTED
    except ShortlistError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        written = Path(error.filename or "the output")
        refusal = storage_refusal(error, written) or reach_refusal(error)
        if refusal is None:
            raise
        return _complain(str(refusal), refusal.exit_code)
    if code == INTERRUPTED:
        return _complain("interrupted; the next run goes on from what was finished", INTERRUPTED)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


def _application() -> Any:
    application = typer.Typer(
        cls=Verbs,
        help="A short-video recommender, judged against a world whose truth is known.",
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    application.callback()(_root)
    command = typer.main.get_command(application)
    command.params.extend(shared_parameters())
    return command


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"shortlist {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    message = error.format_message().rstrip(".")
    if context is None:
        return message
    return f"{message}{'' if message.endswith('?') else ';'} see `{context.command_path} --help`"


def _complain(message: str, code: int) -> int:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
