"""Tables of the page: metrics by model, facts of the world, stages, costs, settings."""

import math
from collections.abc import Iterable

from shortlist.evaluation.report import numerals, selection, wording
from shortlist.evaluation.report.blocks import Cell, Head, Table
from shortlist.evaluation.report.selection import Column
from shortlist.evaluation.report.wording import Topic
from shortlist.evaluation.scorecard import Scorecard

_MODEL = Head("Model", numeric=False)


def metric_tables(scorecard: Scorecard) -> list[Table]:
    """Every metric of every model, one table a topic, the best of each column marked."""
    groups = {topic: list[Column]() for topic in wording.TOPICS}
    for column in selection.columns(scorecard, "truth"):
        groups["truth"].append(column)
    for column in selection.columns(scorecard, "logged"):
        groups["other" if column.metric.topic == "truth" else column.metric.topic].append(column)
    return [
        _metric_table(scorecard, topic, columns) for topic, columns in groups.items() if columns
    ]


def metric_meanings(scorecard: Scorecard) -> tuple[tuple[str, str], ...]:
    """Each metric of the tables and what it means, once a base."""
    shown = [
        column.metric
        for group in selection.GROUPS
        for column in selection.columns(scorecard, group)
        if column.metric.meaning
    ]
    first = {metric.base: metric for metric in reversed(shown)}
    return tuple(
        (first[base].label.split("@")[0].split(",")[0], first[base].meaning)
        for base in dict.fromkeys(metric.base for metric in shown)
    )


def _metric_table(scorecard: Scorecard, topic: Topic, columns: list[Column]) -> Table:
    cells = [_column_cells(scorecard, column) for column in columns]
    models = [
        model
        for model in selection.ranked(scorecard.models, selection.headline(scorecard))
        if any(model.name in column.by_model for column in columns)
    ]
    return Table(
        caption=wording.TOPICS[topic],
        head=(_MODEL, *(_head(column) for column in columns)),
        rows=tuple(
            (Cell(model.name), *(column.get(model.name, Cell(numerals.DASH)) for column in cells))
            for model in models
        ),
        notes=_sample(columns, "the rows of " if topic == "prediction" else ""),
    )


def _head(column: Column) -> Head:
    better = {"higher": "higher is better", "lower": "lower is better"}
    hints = [column.metric.meaning, better.get(column.metric.better or "", "")]
    return Head(column.metric.label, column.metric.unit, hint=" ".join(filter(None, hints)))


def _sample(columns: list[Column], what: str) -> tuple[str, ...]:
    """Over how many users, or over ``what`` of them, the figures are means."""
    counts = sorted({e.n for column in columns for e in column.by_model.values() if e.n > 0})
    if not counts:
        return ()
    several = f"{numerals.count(counts[0])} to " if len(counts) > 1 else ""
    return (f"Over {what}{several}{numerals.counted(counts[-1], 'user')}.",)


def _column_cells(scorecard: Scorecard, column: Column) -> dict[str, Cell]:
    leader = selection.best(scorecard, column)
    tied = selection.tied(scorecard, column, leader)
    decimals = numerals.decimals_for(column.by_model.values(), column.factor)
    cells: dict[str, Cell] = {}
    for name, estimate in column.by_model.items():
        known = math.isfinite(estimate.value)
        cells[name] = Cell(
            numerals.number(estimate.value * column.factor, decimals),
            numerals.interval(estimate, decimals, column.factor) if known else "",
            "best" if name == leader else "tied" if name in tied else "",
        )
    return cells


def fact_table(scorecard: Scorecard) -> Table | None:
    """Measured properties beside where they should lie and what a real log has."""
    if not scorecard.facts:
        return None
    verdicts = {True: "yes", False: "no", None: ""}
    judged = any(fact.holds is not None for fact in scorecard.facts)
    real = any(fact.real_log is not None for fact in scorecard.facts)
    head = [Head("Property", numeric=False), Head("Here"), Head("Expected")]
    head += [Head("Holds", numeric=False)] * judged + [Head("Real log")] * real
    rows = []
    for fact in scorecard.facts:
        row = [Cell(fact.name), Cell(numerals.significant(fact.value)), Cell(fact.expected)]
        row += [Cell(verdicts[fact.holds])] * judged
        if real:
            row.append(
                Cell(
                    numerals.DASH if fact.real_log is None else numerals.significant(fact.real_log)
                )
            )
        rows.append(tuple(row))
    return Table("Facts of the data", tuple(head), tuple(rows))


def stage_table(scorecard: Scorecard) -> Table | None:
    """Each stage's time and peak memory."""
    if not scorecard.stages:
        return None
    longest = _largest(stage.seconds for stage in scorecard.stages)
    most = _largest(stage.peak_memory_mb for stage in scorecard.stages)
    rows = tuple(
        (
            Cell(stage.name + (" (reused)" if stage.reused else "")),
            Cell(numerals.duration(stage.seconds), bar=_share(stage.seconds, longest)),
            Cell(numerals.memory(stage.peak_memory_mb), bar=_share(stage.peak_memory_mb, most)),
        )
        for stage in scorecard.stages
    )
    head = (Head("Stage", numeric=False), Head("Time"), Head("Peak memory"))
    return Table("Stages of the run", head, rows)


def stage_finding(scorecard: Scorecard) -> str:
    """How long the run took, what took longest, and the most memory it held."""
    timed = [s for s in scorecard.stages if not s.reused and math.isfinite(s.seconds)]
    sized = [s for s in scorecard.stages if math.isfinite(s.peak_memory_mb)]
    sentences: list[str] = []
    if timed:
        longest = max(timed, key=lambda stage: stage.seconds)
        total = sum(stage.seconds for stage in timed)
        sentences.append(
            f"The run took {numerals.duration(total)}, of which {longest.name} "
            f"{numerals.duration(longest.seconds)}."
        )
    if sized:
        largest = max(sized, key=lambda stage: stage.peak_memory_mb)
        sentences.append(
            f"It held at most {numerals.memory(largest.peak_memory_mb)} of memory, in "
            f"{largest.name}."
        )
    return " ".join(sentences)


def cost_table(scorecard: Scorecard) -> Table:
    """What each model cost to fit and to score."""
    fit = _largest(model.fit_seconds for model in scorecard.models)
    score = _largest(model.score_seconds for model in scorecard.models)
    most = _largest(model.peak_memory_mb for model in scorecard.models)
    return Table(
        "What each model cost",
        (_MODEL, Head("Fit"), Head("Score all users"), Head("Peak memory")),
        tuple(
            (
                Cell(model.name),
                Cell(numerals.duration(model.fit_seconds), bar=_share(model.fit_seconds, fit)),
                Cell(
                    numerals.duration(model.score_seconds), bar=_share(model.score_seconds, score)
                ),
                Cell(numerals.memory(model.peak_memory_mb), bar=_share(model.peak_memory_mb, most)),
            )
            for model in scorecard.models
        ),
    )


def settings_table(scorecard: Scorecard) -> Table:
    """Every setting in force."""
    head = (Head("Setting", numeric=False), Head("Value", numeric=False))
    rows = tuple((Cell(name), Cell(value)) for name, value in scorecard.settings.items())
    return Table("Settings in force", head, rows)


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if math.isfinite(value)), default=0.0)


def _share(value: float, largest: float) -> float | None:
    return max(value, 0.0) / largest if math.isfinite(value) and largest > 0 else None
