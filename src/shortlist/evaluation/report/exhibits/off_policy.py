"""Off-policy estimates: a model's value read from logs that another policy made, and the truth."""

import math

from shortlist.evaluation.report import numerals, selection, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import Mark
from shortlist.evaluation.report.exhibits.rows import Row, paint_rows
from shortlist.evaluation.report.exhibits.words import enumeration, sentence
from shortlist.evaluation.scorecard import Estimate, ModelResult, Scorecard

_MARKS = (
    Mark("blue", "circle"),
    Mark("amber", "triangle"),
    Mark("red", "square"),
    Mark("green", "diamond"),
)


def off_policy(scorecard: Scorecard) -> Exhibit | None:
    """Estimates of each model's value beside its true one; refusals as sentences."""
    models = [model for model in scorecard.models if model.off_policy]
    if not models:
        return None
    names = list(dict.fromkeys(name for model in models for name in model.off_policy))
    marks = {name: _MARKS[index % len(_MARKS)] for index, name in enumerate(names)}
    truth = selection.find(scorecard, "policy_value", ["truth"])
    outcomes = wording.OUTCOMES[scorecard.target]
    rows: list[Row] = []
    for model in models:
        figures = _figures(model)
        if figures:
            rows.append(Row(model.name))
            target = selection.value_of(truth, model.name)
            rows += [Row(name, figures[name], marks[name], target, inset=True) for name in figures]
    refusals = tuple(_refusals(models))

    def paint(canvas: Canvas) -> None:
        paint_rows(canvas, rows, f"Policy value ({outcomes} per impression)")

    reading = (
        f"Each mark estimates, from the log alone, how many {outcomes} an impression brings if "
        "videos are drawn from those that the model puts first; bars are 95 % intervals"
    )
    if truth is not None:
        reading += ", and the upright stroke is the truth that only the world knows"
    return Exhibit(
        key="off-policy",
        finding=_finding(scorecard, models, len(refusals)),
        reading=sentence(reading),
        alternative=_spoken(models, outcomes),
        drawing=draw("off-policy", paint) if rows else None,
        legend=tuple((marks[name], name) for name in names)
        + (((Mark("ink", "tick"), "truth"),) if truth is not None else ()),
        notes=refusals,
    )


def _figures(model: ModelResult) -> dict[str, Estimate]:
    return {
        name: answer for name, answer in model.off_policy.items() if isinstance(answer, Estimate)
    }


def _refusals(models: list[ModelResult]) -> list[str]:
    """Refusals in the models' words; equal ones of several estimators are told once."""
    told: list[str] = []
    for model in models:
        by_text: dict[str, list[str]] = {}
        for name, answer in model.off_policy.items():
            if isinstance(answer, str):
                by_text.setdefault(answer, []).append(name)
        told += [
            f"{model.name} ({enumeration(names)}): {sentence(text)}"
            for text, names in by_text.items()
        ]
    return told


def _finding(scorecard: Scorecard, models: list[ModelResult], refusals: int) -> str:
    truth = selection.find(scorecard, "policy_value", ["truth"])
    asked = held = figures = 0
    for model in models:
        target = selection.value_of(truth, model.name)
        for estimate in _figures(model).values():
            figures += 1
            if math.isfinite(target):
                asked += 1
                held += estimate.low <= target <= estimate.high
    if not figures:
        return "The log allows no verdict on any model."
    if asked:
        finding = (
            f"{held} of {numerals.counted(asked, 'interval')} from the log "
            f"{'holds' if held == 1 else 'hold'} the true value"
        )
    else:
        finding = f"The log allows {numerals.counted(figures, 'estimate')} of what a model is worth"
    if refusals:
        refused = [m.name for m in models if any(isinstance(a, str) for a in m.off_policy.values())]
        finding += f"; for {numerals.counted(len(refused), 'model')} a verdict was refused"
    return sentence(finding)


def _spoken(models: list[ModelResult], outcomes: str) -> str:
    parts = []
    for model in models:
        for name, estimate in _figures(model).items():
            decimals = numerals.decimals_for([estimate])
            value = numerals.number(estimate.value, decimals)
            parts.append(f"{model.name} by {name} {value} {numerals.interval(estimate, decimals)}")
    return f"Estimated {outcomes} per impression: {'; '.join(parts)}."
