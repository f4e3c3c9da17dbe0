"""`shortlist world`: make a synthetic world, look at one of its users, measure what it is like."""

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from shortlist.cli.options import print_out, settings_in_force
from shortlist.evaluation.report.numerals import significant

if TYPE_CHECKING:
    from shortlist.datasets.store import Dataset
    from shortlist.evaluation.scorecard import Fact
    from shortlist.settings import Settings
    from shortlist.world.preview import Glimpse
    from shortlist.world.truth import Truth

app = typer.Typer(add_completion=False)


@app.callback()
def world() -> None:
    """Make a synthetic world, look into it, measure it."""


@app.command()
def make(ctx: typer.Context) -> None:
    """Make the world of the settings, or find it made; an interrupted run goes on."""
    settings = settings_in_force(ctx)
    from shortlist.datasets.named import datasets_directory
    from shortlist.world.generate import generate

    start = time.perf_counter()
    dataset, stood = generate(
        settings.world,
        settings.seed,
        datasets_directory(settings.paths.work),
        settings.paths.truth,
    )
    record = dataset.record
    seconds = time.perf_counter() - start
    print_out(
        f"{record.impressions:,} impressions of {record.videos:,} videos by {record.users:,} "
        f"users, {record.first_day} to {record.last_day}",
        f"dataset: {dataset.path}",
        f"truth: {settings.paths.truth / settings.world.name}, for its owner alone",
        "stood already, reused" if stood else f"made in {seconds:.1f} s",
    )


@app.command()
def preview(
    ctx: typer.Context,
    user: Annotated[int, typer.Option(help="Id of the user.")],
    last: Annotated[int, typer.Option(min=1, help="How many of the latest impressions.")] = 20,
) -> None:
    """Show a user's true leanings, and the latest impressions with the truth beside each."""
    dataset, truth = _opened(settings_in_force(ctx))
    from shortlist.world.preview import glimpses, leanings

    seen = glimpses(dataset, truth, user, last)
    liked = leanings(dataset, truth, user, dataset.record.last_day)
    print_out(
        leanings_line(user, liked),
        glimpses_table(seen) if seen else f"user {user} has no impressions",
    )


@app.command()
def describe(ctx: typer.Context) -> None:
    """Measure the world: rates, popularity, what the oracle knows, what content vectors tell."""
    settings = settings_in_force(ctx)
    dataset, truth = _opened(settings)
    from shortlist.encoders.videos import encode_videos
    from shortlist.evaluation.probe import probe_accuracy
    from shortlist.evaluation.world_facts import DEMANDED_FROM, PROBE, fact_of, world_facts

    facts = world_facts(dataset, truth)
    content = encode_videos(dataset.videos(), settings.encoders, settings.paths.cache).vectors
    found = probe_accuracy(content, truth.law.videos.tag)
    demanded = dataset.record.videos >= DEMANDED_FROM
    print_out(facts_table([*facts, fact_of(PROBE, found, demanded)], dataset.path.name))


def leanings_line(user: int, liked: list[tuple[str, float]]) -> str:
    """What a user truly likes best.

    >>> leanings_line(7, [("cats", 1.234), ("space", 0.5)])
    'user 7 truly leans to cats (+1.23), space (+0.50), in logits of a click'
    """
    tags = ", ".join(f"{tag} ({logit:+.2f})" for tag, logit in liked)
    return f"user {user} truly leans to {tags}, in logits of a click"


def glimpses_table(seen: "list[Glimpse]") -> Table:
    """A row an impression; a line where a session begins."""
    table = Table(
        "day", "place", "title", "main tag", "tired", "p(click)", "click", "watched", "by"
    )
    for column in (1, 4, 5, 7):
        table.columns[column].justify = "right"
    for number, glimpse in enumerate(seen):
        if number and glimpse.position == 0:
            table.add_section()
        table.add_row(
            f"{glimpse.date}",
            f"{glimpse.position}",
            Text(glimpse.title),
            glimpse.main_tag,
            f"{glimpse.tired:.2f}",
            f"{glimpse.click_probability:.2f}",
            "click" if glimpse.click else "",
            f"{glimpse.watch_seconds:.1f} s",
            "chance" if glimpse.random_exposure else "policy",
        )
    return table


def facts_table(facts: "list[Fact]", title: str) -> Table:
    """A row a fact, with its range and whether it holds."""
    verdict = {None: "", True: "yes", False: "NO"}
    table = Table("fact", "measured", "expected", "holds", title=title)
    table.columns[1].justify = "right"
    for fact in facts:
        table.add_row(fact.name, significant(fact.value), fact.expected, verdict[fact.holds])
    return table


def _opened(settings: "Settings") -> "tuple[Dataset, Truth]":
    """The world of the settings as it stands on disk.

    Raises:
        NotFoundError: it was not made yet.
        CorruptError: the dataset or its truth is damaged, or they belong to different worlds.
    """
    from shortlist.datasets.named import datasets_directory
    from shortlist.datasets.store import Dataset
    from shortlist.world.truth import Truth

    name = settings.world.name
    dataset = Dataset.open(datasets_directory(settings.paths.work) / name)
    return dataset, Truth.load(settings.paths.truth / name, dataset.record.key)
