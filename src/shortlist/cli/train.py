"""`shortlist train`: the ranker, and whatever comes before it; alone, or by several processes."""

import typer

from shortlist.cli.options import settings_in_force

app = typer.Typer(add_completion=False)


@app.command()
def train(ctx: typer.Context) -> None:
    """Train the ranker, or find it trained. A killed training goes on at its last epoch.

    By several processes: torchrun --nproc-per-node N -m shortlist.cli.main train --set
    ranker.processes=N. Each of them takes ranker.threads threads.
    """
    settings = settings_in_force(ctx)
    from shortlist.evaluation.stages import Stages
    from shortlist.ranker.together import Processes, together
    from shortlist.steps.line import Line
    from shortlist.steps.logs import FOLDER
    from shortlist.steps.train import join

    processes = Processes.found()
    if processes.ranks > 1:
        # One alone may still find what several have trained.
        processes.expect(settings.ranker.processes)
    with together(processes):
        if processes.rank > 0:
            line = Line(settings, Stages(say=lambda _: None))
            join(settings, lambda: line.recalled.path, lambda: line.view)
            return
        ranker = Line(settings, Stages(say=typer.echo)).ranker
    typer.echo(f"ranker {ranker.digest[:12]} in {ranker.path}")
    typer.echo(f"curves: tensorboard --logdir {settings.paths.work / FOLDER}")
