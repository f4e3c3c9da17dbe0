"""Value against diversity: what each setting of the slate gives, and what it costs."""

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

from shortlist.evaluation.report import numerals, selection, wording
from shortlist.evaluation.report.exhibits.canvas import Canvas, draw
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.palette import Mark, colour
from shortlist.evaluation.report.exhibits.panels import Frame, panels
from shortlist.evaluation.report.exhibits.scales import ticks
from shortlist.evaluation.report.exhibits.words import sentence
from shortlist.evaluation.scorecard import Estimate, FrontierPoint, PageResult, Scorecard, Study

_MARKS: Final = {"dpp": Mark("blue", "line"), "mmr": Mark("red", "dashes")}
_POINTS: Final = {"dpp": Mark("blue", "circle"), "mmr": Mark("red", "square")}
_PLAIN: Final = Mark("ink", "cross")
_DEFAULT: Final = Mark("ink", "ring")
_STATIC: Final = Mark("grey", "dots")
_VALUES: Final = ("page_value", "ndcg")
_SPREADS: Final = ("distinct_tags", "content_distance")


def frontier(scorecard: Scorecard) -> Exhibit | None:
    """One panel for each measure of diversity; value, against the plain list, on the other axis."""
    study = scorecard.study
    if study is None or not study.frontier:
        return None
    value = _metric(study.frontier, _VALUES)
    spreads = [name for base in _SPREADS if (name := _metric(study.frontier, (base,)))]
    plain = next((page for page in study.pages if page.kind == "plain"), None)
    if value is None or not spreads or plain is None or value not in plain.figures:
        return None
    static = _metric(study.frontier, ("static_value",))
    random = next((page for page in study.pages if page.name == selection.RANDOM), None)

    def paint(canvas: Canvas) -> None:
        titles = [wording.metric(name).label for name in spreads]
        frame = Frame(left=60.0, right=20.0, height=260.0)
        for name, axes in zip(spreads, panels(canvas, titles, frame), strict=True):
            _panel(axes, study.frontier, plain, random, name, value, static)

    label = wording.metric(value).label
    reading = (
        "Each mark is a setting of the slate, joined by method in order of its trade-off; further "
        "right is more varied, further up is worth more; the plain list, without a slate, lies at "
        "zero, the ring is the default, and the dashed line is how varied random lists are. "
        "A default that the slate step found has the tags that were aimed at, as far as they can "
        "be reached, counted on users of the history, who may be the judged ones"
    )
    legend = [
        *((_POINTS[method], method) for method in _POINTS if _of(study.frontier, method)),
        (_DEFAULT, "default"),
        (_PLAIN, "plain list"),
    ]
    if static is not None:
        reading += ". The dotted lines are the value without fatigue: all of what variety costs"
        legend.append((_STATIC, "without fatigue"))
    return Exhibit(
        key="frontier",
        finding=_finding(study, plain, value, spreads[0], static),
        reading=sentence(reading),
        alternative=_spoken(study.frontier, plain, value, spreads[0]),
        drawing=draw("frontier", paint),
        legend=tuple(legend),
        notes=() if value.startswith("page_value") else (
            f"There is no truth behind a real log; {label} stands for the value of a page.",
        ),
    )  # fmt: skip


def _metric(points: Sequence[FrontierPoint], bases: Sequence[str]) -> str | None:
    """The first metric of one of some bases that has a figure under every setting."""
    for base in bases:
        for name in points[0].figures:
            known = all(name in p.figures and math.isfinite(p.figures[name].value) for p in points)
            if wording.metric(name).base == base and known:
                return name
    return None


def _of(points: Sequence[FrontierPoint], method: str) -> list[FrontierPoint]:
    return sorted((p for p in points if p.method == method), key=lambda p: p.trade_off)


def _change(figure: Estimate, plain: Estimate) -> float:
    return 100 * (figure.value / plain.value - 1) if plain.value else math.nan


def _panel(
    axes: Axes,
    points: Sequence[FrontierPoint],
    plain: PageResult,
    random: PageResult | None,
    spread: str,
    value: str,
    static: str | None,
) -> None:
    xs, ys = [plain.figures[spread].value], [0.0]
    for method, mark in _MARKS.items():
        line = _of(points, method)
        x = [point.figures[spread].value for point in line]
        y = [_change(point.figures[value], plain.figures[value]) for point in line]
        axes.plot(x, y, color=mark.shade, ls=mark.pattern, lw=1.8)
        axes.plot(x, y, color=mark.shade, ls="", marker=_POINTS[method].marker, ms=6)
        xs, ys = xs + x, ys + y
        if static is not None and line:
            y = [_change(point.figures[static], plain.figures[static]) for point in line]
            axes.plot(x, y, color=_STATIC.shade, ls=_STATIC.pattern, lw=1.4)
            ys += y
    axes.plot(
        [plain.figures[spread].value], [0], ls="", marker=_PLAIN.marker, ms=9, color=_PLAIN.shade
    )
    for point in points:
        if point.default:
            x = [point.figures[spread].value]
            y = [_change(point.figures[value], plain.figures[value])]
            axes.plot(x, y, ls="", marker="o", ms=14, mfc="none", mec=_DEFAULT.shade, mew=1.8)
    if random is not None and spread in random.figures:
        at = random.figures[spread].value
        axes.axvline(at, color=colour("muted"), lw=1.2, ls=(0, (4, 3)))
        xs.append(at)
    known = [y for y in ys if math.isfinite(y)]
    low, high = min(known), max(known)
    room = 0.08 * ((high - low) or 1.0)
    wide = 0.05 * ((max(xs) - min(xs)) or 1.0)
    axes.set_xlim(min(xs) - wide, max(xs) + wide)
    axes.set_ylim(low - room, high + room)
    axes.axhline(0, color=colour("rule"), lw=1.0)
    ticks(axes.xaxis, *axes.get_xlim(), 5)
    ticks(axes.yaxis, *axes.get_ylim(), 5)
    axes.grid()
    axes.set_xlabel(wording.metric(spread).axis, labelpad=8)
    axes.set_ylabel(f"{wording.metric(value).label}, change in %", labelpad=8)


def _finding(study: Study, plain: PageResult, value: str, spread: str, static: str | None) -> str:
    label = wording.metric(value).label
    words = wording.metric(spread).label.lower().partition("@")[0]
    default = next((point for point in study.frontier if point.default), None)
    if default is None:
        best = max(study.frontier, key=lambda point: point.figures[value].value)
        return sentence(
            f"{label} is highest at {best.method} with trade-off {best.trade_off:g}; pages are "
            "served under none of these settings"
        )
    gained = 100 * (default.figures[spread].value / plain.figures[spread].value - 1)
    text = (
        f"At the default ({default.method}, {default.trade_off:g}) the page has "
        f"{_signed(gained, 0)} {words} against the plain list, and {label} changes by "
        f"{_signed(_change(default.figures[value], plain.figures[value]), 1)}"
    )
    if static is not None:
        lost = _change(default.figures[static], plain.figures[static])
        text += f" ({_signed(lost, 1)} if nobody tired)"
    return sentence(text)


def _signed(percent: float, decimals: int) -> str:
    sign = "+" if percent > 0 else ""
    return f"{sign}{numerals.number(percent, decimals)}\N{NO-BREAK SPACE}%"


def _spoken(points: Sequence[FrontierPoint], plain: PageResult, value: str, spread: str) -> str:
    parts = [
        f"{point.method} {point.trade_off:g}, "
        f"{numerals.significant(point.figures[spread].value)} and "
        f"{_signed(_change(point.figures[value], plain.figures[value]), 1)}"
        for point in points
    ]
    heads = f"{wording.metric(spread).label} and change in {wording.metric(value).label}"
    return f"{heads} by setting: {'; '.join(parts)}."
