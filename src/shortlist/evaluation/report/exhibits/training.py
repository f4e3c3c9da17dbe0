"""Training curves: each loss by epoch, as learned from and as held out, the best epoch marked."""

import math
from typing import Final

from matplotlib.axes import Axes

from shortlist.evaluation.report import numerals
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import Mark, colour
from shortlist.evaluation.report.exhibits.panels import Frame, panels
from shortlist.evaluation.report.exhibits.scales import ticks
from shortlist.evaluation.report.exhibits.words import sentence
from shortlist.evaluation.scorecard import Curve, Scorecard

_MARKS: Final = {"train": Mark("blue", "line"), "validation": Mark("red", "dashes")}
_OTHER: Final = Mark("green", "dots")
_BEST: Final = Mark("muted", "dashes")


def training(scorecard: Scorecard) -> Exhibit | None:
    """One panel a loss; losses of one name that were learned from and held out share a panel."""
    study = scorecard.study
    if study is None:
        return None
    losses: dict[str, dict[str, Curve]] = {}
    for curve in study.training:
        stage, _, loss = curve.label.rpartition("/")
        if any(map(math.isfinite, curve.y)):
            losses.setdefault(loss, {})[stage] = curve
    # Losses that were also held out tell most.
    names = sorted(losses, key=lambda loss: "validation" not in losses[loss])
    if not names:
        return None
    stages = list(dict.fromkeys(stage for loss in names for stage in losses[loss]))

    def paint(canvas: Canvas) -> None:
        frame = Frame(left=60.0, height=160.0)
        for name, axes in zip(names, panels(canvas, names, frame), strict=True):
            _panel(axes, losses[name], study.best_epoch)

    legend = [(_mark(stage), stage or "loss") for stage in stages]
    if study.best_epoch is not None:
        legend.append((_BEST, "best epoch"))
    return Exhibit(
        key="training",
        finding=_finding(study.model, losses[names[0]], study.best_epoch),
        reading=(
            "Each panel is one quantity by epoch; of a loss less is better, and where the held-out "
            "line turns up, the model begins to learn by heart."
        ),
        alternative=" ".join(_spoken(name, losses[name]) for name in names),
        drawing=draw("training", paint),
        legend=tuple(legend),
    )


def _mark(stage: str) -> Mark:
    return _MARKS.get(stage, _OTHER)


def _panel(axes: Axes, curves: dict[str, Curve], best: int | None) -> None:
    xs: list[float] = []
    ys: list[float] = []
    for stage, curve in curves.items():
        mark = _mark(stage)
        known = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if math.isfinite(y)]
        x, y = [x for x, _ in known], [y for _, y in known]
        axes.plot(x, y, color=mark.shade, ls=mark.pattern, lw=1.8, marker=mark.marker, ms=4)
        xs, ys = xs + x, ys + y
    if best is not None:
        axes.axvline(best, color=colour("muted"), lw=1.2, ls=(0, (4, 3)))
        xs.append(best)
    room = 0.06 * ((max(ys) - min(ys)) or abs(max(ys)) or 1.0)
    axes.set_xlim(min(xs) - 0.3, max(xs) + 0.3)
    axes.set_ylim(min(ys) - room, max(ys) + room)
    # Epochs are whole.
    step = max(1, math.ceil((max(xs) - min(xs)) / 6))
    axes.set_xticks([float(at) for at in range(int(min(xs)), int(max(xs)) + 1, step)])
    ticks(axes.yaxis, *axes.get_ylim(), 5)
    axes.grid(axis="y")
    axes.set_xlabel("epoch", labelpad=8)


def _finding(model: str, curves: dict[str, Curve], best: int | None) -> str:
    held = curves.get("validation")
    if held is None or best is None:
        return sentence(f"How the losses of {model} fell, epoch by epoch")
    last = int(max(held.x))
    value = dict(zip(held.x, held.y, strict=True)).get(float(best), math.nan)
    tail = "" if last == best else f"; training went on to epoch {last}"
    return sentence(
        f"{model} did best on what it was not shown in epoch {best}, with a loss of "
        f"{numerals.number(value, 4)}{tail}"
    )


def _spoken(name: str, curves: dict[str, Curve]) -> str:
    parts = [
        f"{stage} from {numerals.significant(curve.y[0])} to {numerals.significant(curve.y[-1])}"
        for stage, curve in curves.items()
    ]
    return f"{name}: {'; '.join(parts)}."
