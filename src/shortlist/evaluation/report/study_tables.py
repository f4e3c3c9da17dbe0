"""Tables of a study: goals, pages, the frontier, ablations, breakdowns, facts of the model."""

import math
from collections.abc import Iterable, Sequence

from shortlist.evaluation.report import numerals, wording
from shortlist.evaluation.report.blocks import Cell, Head, Table
from shortlist.evaluation.report.verdict import goal_name, goal_words
from shortlist.evaluation.report.wording import Metric
from shortlist.evaluation.scorecard import Ablation, Breakdown, Estimate, Study

PAGE = "page:"
_VERDICTS = {True: "yes", False: "no", None: ""}


def goal_table(study: Study) -> Table | None:
    """What is demanded of the model beside what was measured."""
    if not study.goals:
        return None
    rows = []
    for goal in study.goals:
        value, interval = goal_words(goal)
        rows.append(
            (
                Cell(goal_name(goal)),
                Cell(value, interval),
                Cell(goal.demanded),
                Cell(_VERDICTS[goal.holds]),
            )
        )
    head = (
        Head("Asked of the model", numeric=False),
        Head("Measured"),
        Head("Demanded"),
        Head("Holds", numeric=False),
    )
    return Table(f"What is asked of {study.model}", head, tuple(rows))


def page_table(study: Study) -> Table | None:
    """The page, the plain list and others' lists, and the change from list to page."""
    if not study.pages:
        return None
    names = list(dict.fromkeys(name for page in study.pages for name in page.figures))
    columns = [[page.figures.get(name) for page in study.pages] for name in names]
    cells = [
        _column(column, wording.metric(name)) for column, name in zip(columns, names, strict=True)
    ]
    rows = [
        (Cell(page.name), *(column[index] for column in cells))
        for index, page in enumerate(study.pages)
    ]
    if study.changes:
        change = [_change(study.changes.get(name)) for name in names]
        rows.insert(2, (Cell("change by the slate"), *change))
    head = (Head("Page", numeric=False), *(_head(name) for name in names))
    return Table("Pages and lists taken as pages", head, tuple(rows), notes=_users(columns))


def frontier_table(study: Study) -> Table | None:
    """Every setting of the slate that was tried."""
    if not study.frontier:
        return None
    names = list(dict.fromkeys(name for point in study.frontier for name in point.figures))
    columns = [[point.figures.get(name) for point in study.frontier] for name in names]
    cells = [
        _column(column, wording.metric(name)) for column, name in zip(columns, names, strict=True)
    ]
    rows = tuple(
        (
            Cell(f"{point.method}, {point.trade_off:g}" + (" (default)" if point.default else "")),
            *(column[index] for column in cells),
        )
        for index, point in enumerate(study.frontier)
    )
    head = (Head("Method, trade-off", numeric=False), *(_head(name) for name in names))
    return Table("Pages under each setting of the slate", head, rows, notes=_users(columns))


def ablation_table(study: Study) -> Table | None:
    """What each metric loses without a part."""
    if not study.ablations:
        return None
    names = list(dict.fromkeys(name for one in study.ablations for name in one.differences))
    # A difference that is none, to the digit, would read as if it had been measured.
    columns = [
        [None if _unmoved(one, name) else one.differences.get(name) for one in study.ablations]
        for name in names
    ]
    cells = [
        _column(column, wording.metric(name.removeprefix(PAGE)))
        for column, name in zip(columns, names, strict=True)
    ]
    rows = tuple(
        (Cell(f"without {one.part}{_unchanged(one)}"), *(column[index] for column in cells))
        for index, one in enumerate(study.ablations)
    )
    head = (
        Head("Model", numeric=False),
        *(
            _head(name.removeprefix(PAGE), "page: " if name.startswith(PAGE) else "")
            for name in names
        ),
    )
    notes = ("Differences from the whole model, user by user.", *_users(columns))
    return Table("The model without each of its parts", head, rows, notes)


def _unmoved(ablation: Ablation, name: str) -> bool:
    return ablation.same_pages if name.startswith(PAGE) else ablation.same_lists


def _unchanged(ablation: Ablation) -> str:
    """What stayed as it was without a part."""
    kept = {"list": ablation.same_lists, "page": ablation.same_pages}
    names = [f"no {name}" for name, same in kept.items() if same]
    return f" (changed {' and '.join(names)})" if names else ""


def breakdown_table(breakdown: Breakdown) -> Table:
    """One metric of each model in each group."""
    metric = wording.metric(breakdown.metric)
    columns = list(breakdown.models.values())
    decimals = numerals.decimals_for([e for column in columns for e in column], _factor(metric))
    rows = tuple(
        (Cell(group), *(_cell(column[index], metric, decimals) for column in columns))
        for index, group in enumerate(breakdown.groups)
    )
    label = breakdown.by[0].upper() + breakdown.by[1:]
    head = (Head(label, numeric=False), *(Head(name, metric.unit) for name in breakdown.models))
    return Table(f"{metric.label} by {breakdown.by}", head, rows)


def fact_table(study: Study) -> Table | None:
    """What was measured of the model elsewhere."""
    if not study.facts:
        return None
    rows = tuple(
        (
            Cell(fact.name),
            Cell(numerals.significant(fact.value)),
            Cell(fact.expected),
            Cell(_VERDICTS[fact.holds]),
        )
        for fact in study.facts
    )
    head = (
        Head("Property", numeric=False),
        Head("Measured"),
        Head("Expected"),
        Head("Holds", numeric=False),
    )
    return Table(f"Facts of {study.model}", head, rows)


def _head(name: str, before: str = "") -> Head:
    metric = wording.metric(name)
    return Head(before + metric.label, metric.unit, hint=metric.meaning)


def _factor(metric: Metric) -> float:
    return 100.0 if metric.percent else 1.0


def _column(column: Sequence[Estimate | None], metric: Metric) -> list[Cell]:
    known = [estimate for estimate in column if estimate is not None]
    decimals = numerals.decimals_for(known, _factor(metric))
    return [_cell(estimate, metric, decimals) for estimate in column]


def _cell(estimate: Estimate | None, metric: Metric, decimals: int) -> Cell:
    if estimate is None or not math.isfinite(estimate.value):
        return Cell(numerals.DASH)
    factor = _factor(metric)
    # What is counted, not sampled, has no interval to show.
    sampled = estimate.low < estimate.high
    return Cell(
        numerals.number(estimate.value * factor, decimals),
        numerals.interval(estimate, decimals, factor) if sampled else "",
    )


def _change(change: Estimate | None) -> Cell:
    if change is None or not math.isfinite(change.value):
        return Cell(numerals.DASH)
    decimals = numerals.decimals_for([change], 100)
    sign = "+" if change.value > 0 else ""
    return Cell(
        f"{sign}{numerals.number(100 * change.value, decimals)}\N{NO-BREAK SPACE}%",
        numerals.interval(change, decimals, 100) if change.low < change.high else "",
    )


def _users(columns: Iterable[Iterable[Estimate | None]]) -> tuple[str, ...]:
    counts = [e.n for column in columns for e in column if e is not None and e.n]
    return (f"Over {numerals.counted(max(counts), 'user')}.",) if counts else ()
