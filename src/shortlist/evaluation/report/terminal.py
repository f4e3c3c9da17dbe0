"""The judgement in the terminal: the key columns of each model, as many as the window is wide."""

import math
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shortlist.evaluation.report import numerals, selection, wording
from shortlist.evaluation.report.cleaning import cleaned
from shortlist.evaluation.report.exhibits.words import percent
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.report.verdict import verdict
from shortlist.evaluation.scorecard import Scorecard, Study

_GUTTER: Final = 2
_LONGEST_NAME: Final = 24
_KEYS: Final = (
    "page_value",
    "ndcg",
    "distinct_tags",
    "coverage",
    "auc",
)
"""Bases of the columns beside the headline, the most wanted first."""


@dataclass(frozen=True)
class _Shown:
    """A column as text: its head, and each model's figure without and with its interval."""

    head: str
    short: dict[str, str]
    full: dict[str, str]
    leader: str | None
    tied: tuple[str, ...] = ()

    def width(self, intervals: bool) -> int:
        cells = self.full if intervals else self.short
        # One more for the mark of the best.
        body = max((len(cell) + 1 for cell in cells.values()), default=0)
        return max(body, *(len(line) for line in self.head.split("\n"))) + _GUTTER


def print_table(scorecard: Scorecard, console: Console) -> None:
    """Print the models, the best first, with the headline metric and what else finds room.

    Columns are added in the order of their weight while the console is wide enough; then intervals
    are added to them in the same order. The HTML page has them all.
    """
    shown = cleaned(scorecard)
    headline = selection.headline(shown)
    models = selection.ranked(shown.models, headline)
    names = {model.name: numerals.shortened(model.name, _LONGEST_NAME) for model in models}
    columns = _columns(shown, headline)
    room = console.width - max([len("Model"), *map(len, names.values())]) - _GUTTER
    kept, full = _fit(columns, room)

    table = Table(box=None, padding=(0, _GUTTER, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Model", no_wrap=True, vertical="bottom")
    for column in kept:
        table.add_column(Text(column.head, justify="right"), justify="right", no_wrap=True)
    for model in models:
        cells = [_cell(column, model.name, column in full) for column in kept]
        style = "dim" if model.family in ("observer", "oracle") else ""
        table.add_row(Text(names[model.name]), *cells, style=style)

    sizes = (
        f"{numerals.counted(shown.users, 'user')}, {numerals.counted(shown.videos, 'video')}, "
        f"{numerals.counted(shown.impressions, 'impression')}, judged on "
        f"{wording.OUTCOMES[shown.target]}"
    )
    console.print(Text(shown.title, style="bold"))
    console.print(Text(f"{shown.dataset}: {sizes}", style="dim"))
    console.print()
    console.print(table)
    console.print()
    console.print(Text(_note(kept, full), style="dim"))
    if shown.study is not None:
        _print_study(shown, shown.study, headline, console)


def _print_study(
    scorecard: Scorecard, study: Study, headline: Column | None, console: Console
) -> None:
    """The verdict on the model of this system, and its lead over everybody else."""
    sentences = verdict(study)
    if sentences:
        console.print()
        console.print(Text(" ".join(sentences)))
    pairs = [
        pair
        for pair in scorecard.differences
        if headline is not None
        and pair.first == study.model
        and pair.metric == headline.metric.name
    ]
    if headline is None or not pairs:
        return
    decimals = numerals.decimals_for([pair.difference for pair in pairs], headline.factor)
    table = Table(box=None, padding=(0, _GUTTER, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(f"{study.model} less", no_wrap=True, vertical="bottom")
    table.add_column(headline.metric.label, justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for pair in sorted(pairs, key=lambda pair: pair.difference.value):
        table.add_row(
            Text(numerals.shortened(pair.second, _LONGEST_NAME)),
            numerals.number(pair.difference.value * headline.factor, decimals),
            Text(numerals.interval(pair.difference, decimals, headline.factor)),
        )
    console.print()
    console.print(table)


def _note(kept: list[_Shown], full: list[_Shown]) -> str:
    parts = ["* best of its column (random lists, observer and oracle apart)"]
    if any(column.tied for column in kept):
        parts.append("~ lead of the best may be chance")
    if full:
        parts.append("[ ] 95 % interval")
    return "; ".join(parts)


def _columns(scorecard: Scorecard, headline: Column | None) -> list[_Shown]:
    columns: list[_Shown] = []
    if headline is not None:
        columns.append(_metric(scorecard, headline))
        if headline.group == "truth" and (way := _way(scorecard, headline)) is not None:
            columns.append(way)
    for base in _KEYS:
        column = selection.find(scorecard, base)
        if column is not None and column != headline:
            columns.append(_metric(scorecard, column))
    return [*columns, _fit_time(scorecard)]


def _metric(scorecard: Scorecard, column: Column) -> _Shown:
    leader = selection.best(scorecard, column)
    decimals = numerals.decimals_for(column.by_model.values(), column.factor)
    short: dict[str, str] = {}
    full: dict[str, str] = {}
    for name, estimate in column.by_model.items():
        short[name] = numerals.number(estimate.value * column.factor, decimals)
        bounds = numerals.interval(estimate, decimals, column.factor)
        known = math.isfinite(estimate.value)
        full[name] = f"{short[name]} {bounds}" if bounds and known else short[name]
    head = column.metric.label.replace(", ", "\n").replace(" ", "\n", 1)
    if column.metric.percent:
        head += " %"
    return _Shown(head, short, full, leader, tuple(selection.tied(scorecard, column, leader)))


def _way(scorecard: Scorecard, headline: Column) -> _Shown | None:
    """Share of the way from random lists to the oracle's."""
    floor = selection.value_of(headline, selection.RANDOM)
    ceiling = selection.value_of(headline, selection.of_family(scorecard, "oracle"))
    ways = {
        name: selection.lift(estimate.value, floor, ceiling)
        for name, estimate in headline.by_model.items()
    }
    if not any(map(math.isfinite, ways.values())):
        return None
    cells = {name: percent(way) for name, way in ways.items()}
    return _Shown("Way to\noracle", cells, cells, None)


def _fit_time(scorecard: Scorecard) -> _Shown:
    cells = {model.name: numerals.duration(model.fit_seconds) for model in scorecard.models}
    return _Shown("Fit\ntime", cells, cells, None)


def _fit(columns: list[_Shown], room: int) -> tuple[list[_Shown], list[_Shown]]:
    """Which columns find room, and which of them with their intervals.

    The headline, the first, keeps its interval before any other column is added.
    """
    kept: list[_Shown] = []
    full: list[_Shown] = []
    for column in columns:
        width = column.width(intervals=not kept)
        if kept and width > room:
            continue
        if not kept:
            full.append(column)
        kept.append(column)
        room -= width
    for column in kept[1:]:
        more = column.width(intervals=True) - column.width(intervals=False)
        if 0 < more <= room:
            full.append(column)
            room -= more
    return kept, full


def _cell(column: _Shown, name: str, interval: bool) -> Text:
    text = (column.full if interval else column.short).get(name, numerals.DASH)
    if name == column.leader:
        return Text(f"{text}*", style="bold")
    return Text(f"{text}~" if name in column.tied else f"{text} ")
