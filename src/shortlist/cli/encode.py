"""`shortlist encode`: turn what the videos of a dataset say of themselves into vectors."""

import time
from typing import Annotated

import typer

from shortlist.cli.options import print_out, settings_in_force

app = typer.Typer(add_completion=False)


@app.command()
def encode(
    ctx: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help="Name of a dataset, or path of its directory.", metavar="DATASET")
    ],
) -> None:
    """Encode the videos of a dataset and keep their vectors in the cache."""
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import open_named
    from shortlist.encoders.videos import encode_videos

    videos = open_named(settings.paths.work, dataset).videos()
    start = time.perf_counter()
    encoded = encode_videos(videos, settings.encoders, settings.paths.cache)
    seconds = time.perf_counter() - start
    number, width = encoded.vectors.shape
    print_out(
        f"{number:,} videos, {encoded.distinct:,} distinct texts: "
        f"{encoded.distinct - encoded.reused:,} encoded, {encoded.reused:,} reused "
        f"in {seconds:.1f} s",
        f"vectors of width {width} by {encoded.encoder_key}, kept in {encoded.directory}",
    )
