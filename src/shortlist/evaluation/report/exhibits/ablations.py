"""What each part of a model is worth: the difference that blanking it makes."""

import math

from shortlist.evaluation.report import numerals, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import Mark
from shortlist.evaluation.report.exhibits.rows import Line, Row, paint_rows
from shortlist.evaluation.report.exhibits.words import INTERVALS, enumeration, sentence
from shortlist.evaluation.scorecard import Estimate, Scorecard

_DECIDED = Mark("red", "diamond")
_OPEN = Mark("grey", "ring")
BLANKED = (
    "A part is blanked when the model is asked; nothing is trained anew, so a part that others "
    "could have learned to replace looks worth more than it is."
)


def ablations(scorecard: Scorecard) -> Exhibit | None:
    """One row a part, by the metric that decides."""
    study = scorecard.study
    if study is None or not study.ablations:
        return None
    name = next((name for name in study.ablations[0].differences if ":" not in name), None)
    if name is None:
        return None
    idle = [one.part for one in study.ablations if one.same_lists]
    found = {
        one.part: one.differences[name]
        for one in study.ablations
        if not one.same_lists
        and name in one.differences
        and math.isfinite(one.differences[name].value)
    }
    if not found:
        return None
    parts = sorted(found, key=lambda part: found[part].value)
    metric = wording.metric(name)
    rows = [
        Row(f"without {part}", found[part], _DECIDED if _beyond(found[part]) else _OPEN)
        for part in parts
    ]

    def paint(canvas: Canvas) -> None:
        paint_rows(canvas, rows, f"Change in {metric.label}", 1.0, [Line(0.0, "whole model")])

    decimals = numerals.decimals_for(found.values())
    spoken = "; ".join(
        f"without {part} {numerals.number(found[part].value, decimals)} "
        f"{numerals.interval(found[part], decimals)}".rstrip()
        for part in parts
    )
    return Exhibit(
        key="ablations",
        finding=_finding(study.model, metric.label, {part: found[part] for part in parts}),
        reading=(
            "Each row is the model without one part, less the whole model, user by user; the "
            f"further left, the more the part is worth; {INTERVALS}."
        ),
        alternative=f"Change in {metric.label}: {spoken}.",
        drawing=draw("ablations", paint),
        legend=((_DECIDED, "beyond chance"), (_OPEN, "may be chance")),
        notes=(BLANKED, *_unchanged(idle)),
    )


def _unchanged(idle: list[str]) -> tuple[str, ...]:
    return (sentence(f"Without {enumeration(idle)} no list changed"),) if idle else ()


def _beyond(estimate: Estimate) -> bool:
    return estimate.low > 0 or estimate.high < 0


def _finding(model: str, label: str, found: dict[str, Estimate]) -> str:
    """The part that is worth most, and those whose worth does not show; worst first."""
    if not found:
        return sentence(f"What the parts of {model} are worth is unknown")
    most = next(iter(found))
    level = [part for part, estimate in found.items() if not _beyond(estimate)]
    better = [part for part, estimate in found.items() if estimate.low > 0]
    if found[most].high < 0:
        lost = numerals.number(-found[most].value, numerals.decimals_for([found[most]], spare=0))
        text = f"{model} loses most without {most}: {lost} of {label}"
    else:
        text = f"No part of {model} is missed beyond chance in {label}"
        level = []
    if level:
        text += f"; without {enumeration(level)} the difference may be chance"
    if better:
        text += f"; it is better without {enumeration(better)}"
    return sentence(text)
