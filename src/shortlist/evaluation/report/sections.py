"""The page as a list of sections; a section that has nothing to say leaves itself out."""

from collections.abc import Callable
from typing import Final

from shortlist.evaluation.report import numerals, tables, wording
from shortlist.evaluation.report.blocks import (
    Block,
    Fold,
    Paragraphs,
    Plot,
    Section,
    Terms,
)
from shortlist.evaluation.report.exhibits.calibration import calibration
from shortlist.evaluation.report.exhibits.differences import forests
from shortlist.evaluation.report.exhibits.diversity import diversity
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.marginals import marginals
from shortlist.evaluation.report.exhibits.off_policy import off_policy
from shortlist.evaluation.report.exhibits.reach import coverage, popularity
from shortlist.evaluation.report.exhibits.standing import headline, page_value
from shortlist.evaluation.scorecard import ModelResult, Scorecard


def sections(scorecard: Scorecard) -> list[Section]:
    """Every section that the scorecard has something for, in reading order."""
    return [section for build in SECTIONS if (section := build(scorecard)) is not None]


def judged(scorecard: Scorecard) -> Section | None:
    """What was judged, and how."""
    if not scorecard.protocol:
        return None
    return Section("judged", "What was judged", (Paragraphs(tuple(scorecard.protocol), True),))


def result(scorecard: Scorecard) -> Section | None:
    """The headline plot."""
    return _plots("result", "The result", [headline(scorecard)])


def metrics(scorecard: Scorecard) -> Section | None:
    """All metrics by model."""
    found = tables.metric_tables(scorecard)
    if not found:
        return None
    meanings = tables.metric_meanings(scorecard)
    blocks: list[Block] = list(found)
    if meanings:
        blocks.append(Fold("What the metrics mean", (Terms(meanings),)))
    return Section(
        "metrics",
        "All metrics",
        tuple(blocks),
        intro=(
            "95 % intervals below each figure. \N{BLACK STAR} marks the best model of a column, "
            "\N{ALMOST EQUAL TO} those whose difference from it may be chance; random lists, the "
            "informed observer and the oracle do not compete."
        ),
    )


def compared(scorecard: Scorecard) -> Section | None:
    """Paired differences."""
    return _plots("compared", "Model against model", list(forests(scorecard)))


def value(scorecard: Scorecard) -> Section | None:
    """Page value."""
    return _plots("page", "The value of a page", [page_value(scorecard)])


def variety(scorecard: Scorecard) -> Section | None:
    """Accuracy against diversity."""
    return _plots("variety", "Accuracy and diversity", [diversity(scorecard)])


def breadth(scorecard: Scorecard) -> Section | None:
    """Popularity share and coverage."""
    return _plots(
        "breadth", "Popular videos and the rest", [popularity(scorecard), coverage(scorecard)]
    )


def trust(scorecard: Scorecard) -> Section | None:
    """Calibration."""
    return _plots("trust", "Can predictions be taken at their word?", [calibration(scorecard)])


def without_experiment(scorecard: Scorecard) -> Section | None:
    """Off-policy estimates."""
    return _plots("off-policy", "What the log alone can tell", [off_policy(scorecard)])


def world(scorecard: Scorecard) -> Section | None:
    """Marginals and facts."""
    plot, table = marginals(scorecard), tables.fact_table(scorecard)
    blocks: list[Block] = [Plot(plot)] if plot else []
    blocks += [table] if table else []
    if not blocks:
        return None
    return Section("data", "The data", tuple(blocks), finding=plot.finding if plot else "")


def run(scorecard: Scorecard) -> Section | None:
    """Stages."""
    table = tables.stage_table(scorecard)
    if table is None:
        return None
    finding = tables.stage_finding(scorecard)
    return Section("run", "Time and memory", (table,), intro=finding)


def models(scorecard: Scorecard) -> Section | None:
    """Details of each model."""
    if not scorecard.models:
        return None
    folds = [_details(model) for model in scorecard.models]
    return Section("models", "The models", (*folds, tables.cost_table(scorecard)))


def settings(scorecard: Scorecard) -> Section | None:
    """All settings in force, folded away."""
    if not scorecard.settings:
        return None
    summary = f"All {numerals.counted(len(scorecard.settings), 'setting')} in force"
    return Section("settings", "Settings", (Fold(summary, (tables.settings_table(scorecard),)),))


SECTIONS: Final[tuple[Callable[[Scorecard], Section | None], ...]] = (
    judged,
    result,
    metrics,
    compared,
    value,
    variety,
    breadth,
    trust,
    without_experiment,
    world,
    run,
    models,
    settings,
)
"""The page, in reading order; a new section is one function and one line here."""


def _plots(key: str, title: str, exhibits: list[Exhibit | None]) -> Section | None:
    shown = [exhibit for exhibit in exhibits if exhibit is not None]
    if not shown:
        return None
    return Section(key, title, tuple(map(Plot, shown)), finding=shown[0].finding)


def _details(model: ModelResult) -> Fold:
    pairs = (
        ("kind", wording.family(model)),
        *model.details.items(),
    )
    return Fold(model.name, (Terms(pairs),), aside=model.description)
