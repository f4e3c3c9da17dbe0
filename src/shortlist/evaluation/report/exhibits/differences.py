"""Forest plots: who differs from whom on the same users, and by how much."""

import math

from shortlist.evaluation.report import numerals, selection, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import Mark
from shortlist.evaluation.report.exhibits.rows import Line, Row, paint_rows
from shortlist.evaluation.report.exhibits.words import INTERVALS, enumeration, sentence
from shortlist.evaluation.report.wording import Metric
from shortlist.evaluation.scorecard import PairedDifference, Scorecard

_DECIDED = Mark("blue", "circle")
_OPEN = Mark("grey", "ring")


def forests(scorecard: Scorecard) -> list[Exhibit]:
    """One forest plot for each metric that has paired differences, in their order.

    What a model of this system was compared with has a plot of its own.
    """
    own = {model.name for model in scorecard.models if model.family == "model"}
    groups: dict[tuple[str, str], list[PairedDifference]] = {}
    for pair in scorecard.differences:
        groups.setdefault((pair.metric, pair.first if pair.first in own else ""), []).append(pair)
    return [
        _forest(scorecard, wording.metric(name), pairs, subject, f"differences-{index}")
        for index, ((name, subject), pairs) in enumerate(groups.items(), start=1)
    ]


def _forest(
    scorecard: Scorecard, metric: Metric, pairs: list[PairedDifference], subject: str, key: str
) -> Exhibit:
    factor = 100.0 if metric.percent else 1.0
    ordered = sorted(pairs, key=lambda pair: (math.isnan(_size(pair)), -_size(pair)))
    rows = [
        Row(
            f"{pair.first} \N{MINUS SIGN} {pair.second}",
            pair.difference,
            _DECIDED if selection.decided(pair) else _OPEN,
        )
        for pair in ordered
    ]
    unit = "percentage points" if metric.percent else ""
    axis = f"Difference in {metric.label}" + (f" ({unit})" if unit else "")

    def paint(canvas: Canvas) -> None:
        paint_rows(canvas, rows, axis, factor, [Line(0.0, "no difference")])

    side = "left" if metric.better == "lower" else "right"
    return Exhibit(
        key=key,
        finding=(
            _finding_of(subject, metric, pairs) if subject else _finding(scorecard, metric, pairs)
        ),
        reading=(
            "Each row subtracts the second model from the first, user by user; marks "
            f"{side} of the dashed line favour the first; where the bar (95 % interval) crosses "
            "the line, the difference may be chance."
            if metric.better
            else f"Each row subtracts the second model from the first, user by user; {INTERVALS}."
        ),
        alternative=f"Differences in {metric.label}: {_spoken(ordered, factor)}.",
        drawing=draw(key, paint),
        legend=((_DECIDED, "beyond chance"), (_OPEN, "may be chance")),
    )


def _finding_of(subject: str, metric: Metric, pairs: list[PairedDifference]) -> str:
    """Whom one model is ahead of, behind, and level with."""
    sign = -1 if metric.better == "lower" else 1
    sides: dict[str, list[str]] = {"ahead of": [], "behind": [], "level with": []}
    for pair in pairs:
        lead = sign * pair.difference.value
        side = "level with" if not selection.decided(pair) else "ahead of" if lead > 0 else "behind"
        sides[side].append(pair.second)
    clauses = [
        f"{side} {enumeration(names)}{'' if side == 'level with' else ' beyond chance'}"
        for side, names in sides.items()
        if names
    ]
    return sentence(f"In {metric.label}, {subject} is {', '.join(clauses)}")


def _finding(scorecard: Scorecard, metric: Metric, pairs: list[PairedDifference]) -> str:
    """What the comparisons say of the leader; their count where it was compared with none."""
    column = selection.find(scorecard, metric.base)
    leader = selection.best(scorecard, column)
    able = {model.name for model in selection.contenders(scorecard)}
    ahead: list[str] = []
    for pair in pairs:
        names = {pair.first, pair.second} - {leader}
        if leader in (pair.first, pair.second) and names <= able and selection.decided(pair):
            ahead += names
    level = selection.tied(scorecard, column, leader) if column else []
    if ahead or level:
        clauses = [f"{leader} is ahead of {enumeration(ahead)} beyond chance"] if ahead else []
        if level:
            whose = "its lead" if ahead else f"the lead of {leader}"
            clauses.append(f"{whose} over {enumeration(level)} may be chance")
        return sentence(f"In {metric.label}, {'; '.join(clauses)}")
    beyond = sum(map(selection.decided, pairs))
    return sentence(
        f"{beyond} of {numerals.counted(len(pairs), 'comparison')} in {metric.label} "
        f"{'is' if beyond == 1 else 'are'} beyond chance"
    )


def _spoken(pairs: list[PairedDifference], factor: float) -> str:
    decimals = numerals.decimals_for([pair.difference for pair in pairs], factor)
    return "; ".join(
        f"{pair.first} minus {pair.second} "
        f"{numerals.number(pair.difference.value * factor, decimals)} "
        f"{numerals.interval(pair.difference, decimals, factor)}".rstrip()
        for pair in pairs
    )


def _size(pair: PairedDifference) -> float:
    return pair.difference.value
