"""`shortlist evaluate`: every recommender judged on one dataset, in a table and a report."""

from typing import TYPE_CHECKING, Annotated

import typer

from shortlist.cli.options import print_out, settings_in_force

if TYPE_CHECKING:
    from shortlist.datasets.store import Dataset
    from shortlist.evaluation.stages import Stages
    from shortlist.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    ctx: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help="Name of a dataset, or path of its directory.", metavar="DATASET")
    ],
    models: Annotated[
        str | None,
        typer.Option(
            help="Names of the models to judge, with commas. Default: all.", metavar="A,B"
        ),
    ] = None,
) -> None:
    """Judge the recommenders on a dataset and write the report."""
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import open_named
    from shortlist.evaluation.stages import Stages

    found = open_named(settings.paths.work, dataset)
    wanted = [name.strip() for name in models.split(",")] if models is not None else None
    judged(found, settings, Stages(say=typer.echo), wanted)


def judged(
    dataset: "Dataset", settings: "Settings", stages: "Stages", models: list[str] | None = None
) -> None:
    """Encode, judge and report one dataset; what is unchanged is reused, and says so."""
    from rich.console import Console

    from shortlist.datasets.split import split
    from shortlist.encoders.videos import encode_videos
    from shortlist.evaluation.judge import judge, sealed_truth
    from shortlist.evaluation.report.publish import write_report
    from shortlist.evaluation.report.terminal import print_table
    from shortlist.settings.tree import shown

    name = dataset.path.name
    with stages.stage("encode") as stage:
        encoded = encode_videos(dataset.videos(), settings.encoders, settings.paths.cache)
        fresh = encoded.distinct - encoded.reused
        stage.done(
            f"{len(encoded.vectors):,} videos, {fresh:,} encoded, {encoded.reused:,} reused",
            reused=fresh == 0,
        )
    card = judge(
        dataset,
        encoded.vectors,
        split(dataset, settings.datasets),
        sealed_truth(dataset, settings.paths.truth),
        settings.baselines,
        settings.evaluation,
        runs=settings.paths.work / "runs" / name,
        other=settings.paths.work / "datasets" / settings.evaluation.beside,
        seed=settings.seed,
        stages=stages,
        only=models,
    )
    card = card.model_copy(update={"stages": stages.finished, "settings": shown(settings)})
    with stages.stage("report") as stage:
        page = write_report(card, settings.paths.work / "reports" / name)
        stage.done(str(page))
    print_table(card, Console())
    print_out(f"report: {page}")
