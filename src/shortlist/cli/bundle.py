"""`shortlist bundle`: look at what was published, verify it, go back, and clean up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from shortlist.cli.options import print_out, settings_in_force

if TYPE_CHECKING:
    from shortlist.bundle import Bundle, BundleStore
    from shortlist.bundle.shared import SharedStore
    from shortlist.settings import Settings

app = typer.Typer(add_completion=False)

_WHICH = "Id, the beginning of one, `current`, `previous`, or the path of a directory."
_IN_STORE = "Id, the beginning of one, `current` or `previous`."


@app.callback()
def bundle() -> None:
    """Look at bundles, verify them, go back to one, clean up."""


@app.command("list")
def list_bundles(ctx: typer.Context) -> None:
    """List the bundles, the newest first, and say which is published."""
    store = _store(ctx)
    from shortlist.cli.bundles_shown import bundles_table

    bundles = store.bundles()
    if not bundles:
        print_out(_none(store))
        return
    print_out(bundles_table(bundles, store.pointer()))


@app.command()
def show(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(help=_WHICH, metavar="[ID]")] = "current",
) -> None:
    """Show what a bundle holds and was made of, and where its model card lies."""
    store = _here(ctx)
    from shortlist.cli.bundles_shown import bundle_tables

    print_out(*bundle_tables(opened(store, which, verify=False), store.pointer()))


@app.command()
def verify(
    ctx: typer.Context,
    which: Annotated[str | None, typer.Argument(help=f"{_WHICH} Default: all.", metavar="[ID]")] = (
        None
    ),
) -> None:
    """Compare every file with its recorded hash; what is torn, edited or foreign is named."""
    store = _here(ctx)
    if which is not None:
        found = opened(store, which, verify=True)
        print_out(_whole(found))
        return
    from shortlist.errors import CorruptError

    bundles = store.bundles()
    if not bundles:
        print_out(_none(store))
    faults = []
    for one in bundles:
        try:
            found = store.open(one.id)
        except CorruptError as error:
            faults.append(str(error))
            print_out(f"{one.id} is REFUSED")
        else:
            print_out(_whole(found))
    current = store.pointer().current
    if current is not None and current not in {one.id for one in bundles}:
        faults.append(
            f"bundle {current} is published, but is not in {store.root}; make it again, or go "
            "back with `shortlist bundle rollback`"
        )
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise CorruptError(faults[0] + more)


@app.command()
def diff(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(help=_WHICH, metavar="A")],
    after: Annotated[str, typer.Argument(help=_WHICH, metavar="B")],
) -> None:
    """Show what differs between two bundles: settings, data, figures, files."""
    store = _here(ctx)
    from shortlist.bundle.diff import diff as differences
    from shortlist.cli.bundles_shown import diff_tables

    old, new = (opened(store, which, verify=False) for which in (before, after))
    found = differences(old.manifest, new.manifest)
    if found.empty:
        print_out(f"both are bundle {old.id}")
        return
    print_out(*diff_tables(found, old.id, new.id))


@app.command()
def rollback(
    ctx: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(help=f"{_IN_STORE} Default: the one before.", metavar="[ID]"),
    ] = None,
) -> None:
    """Publish a bundle again that was published before."""
    store = _store(ctx)
    move = store.rollback(None if which is None else store.find(which))
    if move.before == move.after:
        print_out(f"{move.after} is published already")
    else:
        print_out(f"rolled back from {move.before}", f"to {move.after}")


@app.command()
def pin(
    ctx: typer.Context, which: Annotated[str, typer.Argument(help=_IN_STORE, metavar="ID")]
) -> None:
    """Keep a bundle from being pruned, because somebody serves it by its id."""
    store = _store(ctx)
    found = store.find(which)
    store.pin(found)
    print_out(f"{found} is pinned")


@app.command()
def unpin(
    ctx: typer.Context, which: Annotated[str, typer.Argument(help=_IN_STORE, metavar="ID")]
) -> None:
    """Let a pinned bundle be pruned again."""
    store = _store(ctx)
    # A pin may outlive a bundle that somebody deleted by hand.
    found = which if which in store.pointer().pinned else store.find(which)
    store.unpin(found)
    print_out(f"{found} is not pinned")


@app.command()
def prune(
    ctx: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest to keep.")] = 5,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which would go.")] = False,
) -> None:
    """Delete old bundles; never the published one, its neighbours or a pinned one."""
    store = _store(ctx)
    from shortlist.cli.bundles_shown import pruned_table, size

    # Who serves may be held to one that was published long ago.
    wanted = settings_in_force(ctx).serving.bundle
    held_to = {one.id for one in store.bundles() if wanted and one.id.startswith(wanted)}
    doomed = store.prune(keep, dry_run=dry_run, spared=frozenset(held_to))
    if not doomed:
        print_out("nothing to prune")
        return
    held = size(sum(one.manifest.size for one in doomed if one.manifest is not None))
    done = "would go" if dry_run else "gone"
    print_out(pruned_table(doomed), f"{len(doomed)} of them, {held}: {done}")


@app.command()
def push(
    ctx: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(
            help=f"{_IN_STORE} Default: the published one, which is then published there too.",
            metavar="[ID]",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Send also what is there in the right size.")
    ] = False,
) -> None:
    """Send a bundle of this directory to the object store."""
    store = _shared(settings_in_force(ctx))
    from shortlist.cli.bundles_shown import size

    found = store.here.find("current" if which is None else which)
    sent = store.push(found, again=again)
    what = f"files sent: {sent.files}, {size(sent.size)}" if sent.files else "it was there"
    print_out(f"{found} is at {store.remote.url}, {what}")
    if which is None:
        move = store.share()
        print_out(f"{found} is published there" + (" already" * (move.before == move.after)))


@app.command()
def pull(
    ctx: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(
            help="Id, or the beginning of one; no pointer moves then. Default: `serving.bundle`, "
            "else what is published.",
            metavar="[ID]",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until SIGTERM, whatever happens.")
    ] = False,
    poll: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds between two looks. Default: `remote.poll_seconds`."),
    ] = None,
) -> None:
    """Bring what is published in the object store into this directory."""
    settings = settings_in_force(ctx)
    store = _shared(settings)
    wanted = settings.serving.bundle if which is None else which
    if not follow:
        pulled = store.pull(wanted)
        print_out(f"{pulled.bundle} is here, bundles downloaded: {len(pulled.fetched)}")
        return
    import signal
    import sys
    import threading

    from shortlist.bundle.follow import Follower

    # Whatever this interrupts is as safe as from a kill: nothing half-done is ever named.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Follower(
        store,
        pinned=wanted,
        poll_seconds=settings.remote.poll_seconds if poll is None else poll,
        say=lambda line: typer.echo(line, err=True),
    ).run(threading.Event())


def _store(ctx: typer.Context) -> "BundleStore":
    """What is published, and can be gone back to: the object store's where there is one."""
    settings = settings_in_force(ctx)
    return _here(ctx) if settings.remote.url is None else _shared(settings)


def _here(ctx: typer.Context) -> "BundleStore":
    """What lies in the directory."""
    settings = settings_in_force(ctx)
    from shortlist.bundle import BundleStore

    return BundleStore(settings.paths.bundles)


def _shared(settings: "Settings") -> "SharedStore":
    from shortlist.errors import SettingsError

    if settings.remote.url is None:
        raise SettingsError("there is no object store; name one in remote.url")
    from shortlist.bundle.shared import SharedStore

    return SharedStore.at(settings.paths.bundles, settings.remote)


def opened(store: "BundleStore", which: str, *, verify: bool) -> "Bundle":
    """The bundle that a word of the command line means; see `BundleStore.find`, and paths."""
    from shortlist.bundle import open_bundle

    if "/" in which:
        return open_bundle(Path(which), verify=verify)
    return store.open(store.find(which), verify=verify)


def _whole(found: "Bundle") -> str:
    return f"{found.id} is whole, files compared: {len(found.manifest.files)}"


def _none(store: "BundleStore") -> Text:
    return Text(f"no bundle in {store.root}; make one with `shortlist demo`")
