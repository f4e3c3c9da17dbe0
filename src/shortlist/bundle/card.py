"""The model card: what a bundle is for, what it was made of, how good it is and where it ends.

Sections after Mitchell et al., "Model cards for model reporting", FAT* 2019.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shortlist.bundle.manifest import Contents


@dataclass(frozen=True)
class CardMetric:
    """One row of the card's table of figures.

    Attributes:
        metric: what was measured, with its unit where it has one.
        subject: whose figure it is: this bundle, or what it is laid beside.
        value: the figure.
        low: lower end of its 95 % interval; None where it has none.
        high: upper end.
    """

    metric: str
    subject: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CardFacts:
    """What a card says that the manifest does not know.

    Attributes:
        summary: what the model is, in a sentence or two.
        intended_use: what it is meant for, a sentence each.
        not_for: what it must not be used for, a sentence each.
        judged: how it was judged: protocol, users, days, resamples.
        metrics: the figures, in the order in which they are read.
        limits: what is known to be weak or unknown, a sentence each.
    """

    summary: str
    intended_use: Sequence[str]
    not_for: Sequence[str]
    judged: str
    metrics: Sequence[CardMetric]
    limits: Sequence[str]


def render_card(contents: Contents, facts: CardFacts) -> str:
    """The card in Markdown; the same text for the same bundle and facts."""
    return "\n".join(_lines(contents, facts)) + "\n"


def _lines(contents: Contents, facts: CardFacts) -> Iterator[str]:
    data = contents.data
    yield from (f"# Bundle {contents.content_id}", "", facts.summary)
    yield from ("", "## Intended use", *_bullets(facts.intended_use))
    yield from ("", "## Not for", *_bullets(facts.not_for))
    yield from ("", "## Data", "", "| | |", "| --- | --- |")
    yield _row("dataset", data.name)
    yield _row("digest", data.digest)
    yield _row("users", f"{data.users:,}")
    yield _row("videos", f"{data.videos:,}")
    yield _row("impressions", f"{data.impressions:,}")
    yield _row("days", f"{data.first_day} to {data.last_day}")
    yield _row("fitted to", f"{data.fitted_to}")
    yield _row("tuned from", f"{data.tuned_from or 'no day of its own'}")
    yield _row("judged from", f"{data.judged_from or 'nothing was held out'}")
    yield _row("encoder", contents.encoder)
    yield from ("", "## Training", "", f"Seed {contents.seeds}.")
    yield from ("", "## How it was judged", "", facts.judged)
    yield from ("", "## Figures")
    if facts.metrics:
        yield from ("", "| metric | of | value | 95 % interval |", "| --- | --- | --- | --- |")
        for metric in facts.metrics:
            yield _row(metric.metric, metric.subject, _figure(metric.value), _interval(metric))
    if contents.measured:
        yield from ("", "| measured of the bundle itself | |", "| --- | --- |")
        for name, value in contents.measured.items():
            yield _row(name, _figure(value))
    if not facts.metrics and not contents.measured:
        yield from ("", "None.")
    yield from ("", "## Limits", *_bullets(facts.limits))
    yield from ("", "## Settings", "", "| setting | value |", "| --- | --- |")
    for name, text in contents.settings.items():
        yield _row(name, text)


def _bullets(sentences: Sequence[str]) -> list[str]:
    return ["", *(f"- {sentence}" for sentence in sentences)] if sentences else ["", "None told."]


def _row(*cells: str) -> str:
    r"""A row of a table; a bar or a line break inside a cell would end it.

    >>> _row("a|b", "1")
    '| a\\|b | 1 |'
    """
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _figure(value: float) -> str:
    """A figure with four digits that matter.

    >>> _figure(0.98765), _figure(1000.0), _figure(float("nan"))
    ('0.9877', '1000', 'unknown')
    """
    return f"{value:.4g}" if math.isfinite(value) else "unknown"


def _interval(metric: CardMetric) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"{_figure(metric.low)} to {_figure(metric.high)}"
