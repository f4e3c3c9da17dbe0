"""`shortlist up`: the whole service on this machine, until Ctrl-C, or for one request.

The `shortlist` command finds this verb by its entry point, for it knows nothing of the servers.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shortlist.cli.options import in_force, print_out
from shortlist.errors import NotFoundError, ShortlistError

if TYPE_CHECKING:
    from shortlist.bundle import Bundle
    from shortlist.datasets.store import Dataset
    from shortlist.settings import Settings

LINE = "Run the whole service on this machine."

app = typer.Typer(add_completion=False)

_NEWCOMER = 7
_DIRECTORY = "up"


@app.command()
def up(
    ctx: typer.Context,
    once: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Ask for one page, click, ask again, show what changed, and stop. Free ports are "
            "taken and nothing is kept.",
        ),
    ] = False,
    user: Annotated[
        int | None,
        typer.Option(help="Whose page is asked for. Default: the first user of the dataset."),
    ] = None,
) -> None:
    """Run the whole service on this machine: Redis, predictor, transformer and the browser's page.

    Redis is our own where `online.url` is not given, and is filled where it is empty.
    """
    known = in_force(ctx)
    with _installed():
        from model_handlers.local.plan import plan
        from model_handlers.local.service import running
        from model_handlers.local.told import examples, table
        from model_handlers.local.trying import try_it
        from shortlist.serving.signals import ended_by_signals
    chosen = plan(known, once=once)
    bundle = _served(chosen.settings)
    dataset = _dataset(chosen.settings, bundle)
    if dataset is None:
        _say(f"there is no dataset {bundle.manifest.data.name} to load: everybody is new")
    whose, video = _example(dataset)
    whose = whose if user is None else user

    def find() -> "Dataset | None":
        # A bundle that was published meanwhile may be made of another one.
        return _dataset(chosen.settings, _served(chosen.settings))

    ended = False
    with ended_by_signals(), contextlib.ExitStack() as stack:
        directory = stack.enter_context(_directory(chosen.settings.paths.work, once))
        watching = stack.enter_context(running(chosen, directory, find, _say))
        if once:
            try_it(chosen, whose, print_out)
            return
        print_out(table(chosen, bundle.id, directory, watching.parts, whose))
        for line in examples(chosen, whose, video):
            typer.echo(line)
        try:
            watching.watch()
        except KeyboardInterrupt:
            _say("stopping")
            ended = True
    if ended:
        _say("stopped")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _served(settings: "Settings") -> "Bundle":
    from shortlist.bundle import BundleStore
    from shortlist.datasets.declared import Vocabulary

    bundle = BundleStore(settings.paths.bundles).serving(settings.serving.bundle, verify=False)
    # Bundles of early days have none: said here, before anything is started.
    Vocabulary.load(bundle.part("items"))
    return bundle


def _dataset(settings: "Settings", bundle: "Bundle") -> "Dataset | None":
    """Of which a bundle was made; None where it is not here."""
    from shortlist.datasets.named import open_named

    with contextlib.suppress(NotFoundError):
        return open_named(settings.paths.work, bundle.manifest.data.name)
    return None


def _example(dataset: "Dataset | None") -> tuple[int, int]:
    """A user, and a video."""
    if dataset is None:
        return _NEWCOMER, 1
    user = dataset.users().column("user_id")[0].as_py()
    return int(user), int(dataset.videos().column("video_id")[0].as_py())


@contextlib.contextmanager
def _directory(work: Path, once: bool) -> Iterator[Path]:
    """Where data and logs lie: to be found again, or gone after one request."""
    if not once:
        yield (work / _DIRECTORY).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="shortlist-", ignore_cleanup_errors=True) as scratch:
        yield Path(scratch)


@contextlib.contextmanager
def _installed() -> Iterator[None]:
    """Say what to install where a server is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("shortlist", "model_handlers"):
            raise
        raise ShortlistError(
            f"{error.name} is not installed here; install `shortlist[local]`"
        ) from error
