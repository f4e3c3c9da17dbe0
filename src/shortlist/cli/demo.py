"""`shortlist demo`: from nothing to a judged log and its report, in one command."""

from pathlib import Path

import typer

from shortlist.cli.evaluate import judged
from shortlist.cli.options import settings_in_force

app = typer.Typer(add_completion=False)


@app.command()
def demo(ctx: typer.Context) -> None:
    """Make or import a log, judge the recommenders on it, and write the report."""
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import datasets_directory
    from shortlist.evaluation.stages import Stages

    stages = Stages(say=typer.echo)
    directory = datasets_directory(settings.paths.work)
    kind, _, path = settings.datasets.source.partition(":")
    with stages.stage("data") as stage:
        if kind == "world":
            from shortlist.world.generate import generate

            dataset, reused = generate(
                settings.world, settings.seed, directory, settings.paths.truth
            )
        else:
            from shortlist.datasets.kuairand import import_kuairand

            imported = import_kuairand(Path(path), directory / "kuairand")
            dataset, reused = imported.dataset, imported.reused
        record = dataset.record
        stage.done(
            f"{record.impressions:,} impressions of {record.videos:,} videos by "
            f"{record.users:,} users, {dataset.path}",
            reused=reused,
        )
    judged(dataset, settings, stages)
