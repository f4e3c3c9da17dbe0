"""The page as a list of sections; a section that has nothing to say leaves itself out."""

from collections.abc import Callable
from typing import Final

from shortlist.evaluation.report import numerals, study_tables, tables, wording
from shortlist.evaluation.report.blocks import (
    Block,
    Fold,
    Paragraphs,
    Plot,
    Section,
    Terms,
)
from shortlist.evaluation.report.exhibits.ablations import ablations
from shortlist.evaluation.report.exhibits.calibration import calibration
from shortlist.evaluation.report.exhibits.differences import forests
from shortlist.evaluation.report.exhibits.diversity import diversity
from shortlist.evaluation.report.exhibits.errors import errors
from shortlist.evaluation.report.exhibits.exhibit import Exhibit
from shortlist.evaluation.report.exhibits.frontier import frontier
from shortlist.evaluation.report.exhibits.marginals import marginals
from shortlist.evaluation.report.exhibits.off_policy import off_policy
from shortlist.evaluation.report.exhibits.reach import coverage, popularity
from shortlist.evaluation.report.exhibits.standing import headline, page_value
from shortlist.evaluation.report.exhibits.training import training
from shortlist.evaluation.report.verdict import verdict
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


def goals(scorecard: Scorecard) -> Section | None:
    """What is asked of the model of this system, and whether it holds."""
    study = scorecard.study
    table = study_tables.goal_table(study) if study else None
    if study is None or table is None:
        return None
    sentences = verdict(study)
    return Section(
        "goals",
        f"The verdict on {study.model}",
        (Paragraphs(sentences[1:]), table),
        intro=sentences[0] if sentences else "",
        finding=sentences[0] if sentences else "",
    )


def slate(scorecard: Scorecard) -> Section | None:
    """The page beside the plain list, and what other settings of the slate would give."""
    study = scorecard.study
    if study is None or not study.pages:
        return None
    plot, table = frontier(scorecard), study_tables.frontier_table(study)
    blocks: list[Block | None] = [study_tables.page_table(study), Plot(plot) if plot else None]
    if table is not None:
        blocks.append(Fold(f"All {len(study.frontier)} settings of the slate", (table,)))
    return Section(
        "slate",
        "The page and its slate",
        tuple(block for block in blocks if block is not None),
        finding=plot.finding if plot else "",
    )


def parts(scorecard: Scorecard) -> Section | None:
    """Ablations."""
    plot = ablations(scorecard)
    table = study_tables.ablation_table(scorecard.study) if scorecard.study else None
    if table is None:
        return None
    blocks: tuple[Block, ...] = (table,) if plot is None else (Plot(plot), table)
    finding = "" if plot is None else plot.finding
    return Section("parts", "What each part is worth", blocks, finding=finding)


def weak_spots(scorecard: Scorecard) -> Section | None:
    """Breakdowns by user activity and video age."""
    shown = errors(scorecard)
    if scorecard.study is None or not shown:
        return None
    found = tuple(map(study_tables.breakdown_table, scorecard.study.breakdowns))
    return Section(
        "errors",
        "Where it errs",
        (*map(Plot, shown), Fold("These figures as tables", found)),
        finding=shown[0].finding,
    )


def learning(scorecard: Scorecard) -> Section | None:
    """Training curves, and what was measured of the model elsewhere."""
    plot = training(scorecard)
    table = study_tables.fact_table(scorecard.study) if scorecard.study else None
    blocks: list[Block] = [Plot(plot)] if plot else []
    blocks += [table] if table else []
    if not blocks:
        return None
    return Section(
        "training", "How it learned", tuple(blocks), finding=plot.finding if plot else ""
    )


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
    goals,
    result,
    metrics,
    compared,
    value,
    slate,
    parts,
    weak_spots,
    learning,
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
