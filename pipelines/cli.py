"""`shortlist pipeline`: compile the Kubeflow pipeline, run it here, submit and schedule it.

The `shortlist` command finds this verb by its entry point, for it knows nothing of kfp itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from shortlist.cli.options import Given, print_out, settings_in_force
from shortlist.errors import InputError, ShortlistError

LINE = "Run the steps as a Kubeflow pipeline, here or on a server."

app = typer.Typer(add_completion=False)

Host = Annotated[str, typer.Option(help="Address of the Kubeflow Pipelines server.", metavar="URL")]
Experiment = Annotated[str, typer.Option(help="Experiment that the server lists it under.")]
Namespace = Annotated[
    str | None, typer.Option(help="Namespace, where the server has several users.")
]
Token = Annotated[
    str | None,
    typer.Option(help="Bearer token, where the server asks for one.", envvar="KF_PIPELINES_TOKEN"),
]
Image = Annotated[str | None, typer.Option(help="Image of the tasks, by a tag of its content.")]
Cpu = Annotated[str | None, typer.Option(help="Cores of a task.")]
Memory = Annotated[str | None, typer.Option(help="Memory of a task, as in 8Gi.")]
Volume = Annotated[str | None, typer.Option(help="Claim of the volume that the tasks share.")]
Nodes = Annotated[
    list[str] | None,
    typer.Option(
        "--node", help="Label that a node must bear; may be repeated.", metavar="KEY=VALUE"
    ),
]
Tolerations = Annotated[
    list[str] | None,
    typer.Option("--tolerate", help="Key of a taint to tolerate; may be repeated.", metavar="KEY"),
]


@app.callback()
def pipeline() -> None:
    """Run the steps as a Kubeflow pipeline, here or on a server."""


@app.command("compile")
def compile_(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option(help="File to write.", metavar="FILE")] = Path(
        "pipelines/shortlist.yaml"
    ),
    image: Image = None,
    cpu: Cpu = None,
    memory: Memory = None,
    volume: Volume = None,
    node: Nodes = None,
    tolerate: Tolerations = None,
) -> None:
    """Write the pipeline as the file that a Kubeflow Pipelines server takes.

    One file serves all settings: they are parameters of its runs.
    """
    given = ctx.ensure_object(Given)
    if given.preset is not None or given.config is not None or given.assignments:
        raise InputError(
            "compile takes no settings, for a compiled pipeline is told them by each run; leave "
            "out --preset, --config and --set here, and give them to `shortlist pipeline submit`"
        )
    with _kfp():
        from pipelines.compiling import compile_pipeline
        from pipelines.placement import Placement
    placement = Placement.told(image, cpu, memory, volume, node or (), tolerate or ())
    compile_pipeline(placement, output)
    print_out(f"pipeline: {output}")


@app.command()
def run(ctx: typer.Context) -> None:
    """Run the pipeline on this machine, every task a process."""
    settings = settings_in_force(ctx)
    with _kfp():
        from pipelines.local import run_here
    print_out(run_here(settings))


@app.command()
def submit(
    ctx: typer.Context,
    host: Host,
    experiment: Experiment = "shortlist",
    namespace: Namespace = None,
    token: Token = None,
    image: Image = None,
    cpu: Cpu = None,
    memory: Memory = None,
    volume: Volume = None,
    node: Nodes = None,
    tolerate: Tolerations = None,
) -> None:
    """Start a run of the pipeline on a server, under the settings in force."""
    settings = settings_in_force(ctx)
    with _kfp():
        from pipelines.placement import Placement
        from pipelines.server import Server
    placement = Placement.told(image, cpu, memory, volume, node or (), tolerate or ())
    server = Server(host, namespace, token)
    started = server.submit(settings, placement, experiment)
    print_out(f"run {started}: {server.page(started)}")


@app.command()
def schedule(
    ctx: typer.Context,
    host: Host,
    cron: Annotated[
        str, typer.Option(help="When: minute, hour, day, month and weekday.", metavar="CRON")
    ],
    experiment: Experiment = "shortlist",
    namespace: Namespace = None,
    token: Token = None,
    image: Image = None,
    cpu: Cpu = None,
    memory: Memory = None,
    volume: Volume = None,
    node: Nodes = None,
    tolerate: Tolerations = None,
) -> None:
    """Start runs of the pipeline on a server, again and again, under the settings in force."""
    settings = settings_in_force(ctx)
    with _kfp():
        from pipelines.placement import Placement
        from pipelines.server import Server
    placement = Placement.told(image, cpu, memory, volume, node or (), tolerate or ())
    made = Server(host, namespace, token).schedule(settings, placement, experiment, cron)
    print_out(f"schedule {made}: {cron}")


@contextmanager
def _kfp() -> Iterator[None]:
    """Say what to install where kfp is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("kfp", "kfp_server_api"):
            raise
        raise ShortlistError(
            "Kubeflow Pipelines' client is not installed here; install `shortlist[pipelines]`"
        ) from error
