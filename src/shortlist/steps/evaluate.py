"""The evaluate step: the trained recommender and every baseline before the judge, and a report."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.datasets.interactions import Doubles
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.evaluation.ablations import without_each
from shortlist.evaluation.judge import judge, sealed_truth
from shortlist.evaluation.report.publish import REPORT, write_report
from shortlist.evaluation.report.store import SCORECARD
from shortlist.evaluation.study import Entry
from shortlist.evaluation.turns import contestants
from shortlist.ranker.artefacts import CURVES
from shortlist.ranker.curves import load_curves
from shortlist.recommender.contestant import NAME, Contestant
from shortlist.recommender.without import Without
from shortlist.settings.slate import MEASURED_BY, UNJUDGED
from shortlist.settings.tree import shown
from shortlist.slate.settled import PART, settle
from shortlist.steps.arena import bout
from shortlist.steps.earned import stage_facts
from shortlist.steps.encode import Content
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.precision import precision_facts
from shortlist.steps.step import Step

FIGURES: Final = "figures.npz"
HEADLINE: Final = "headline.json"
ROC: Final = "roc.json"
POPULARITY: Final = "popularity"

SOURCES: Final = (
    "baselines",
    "bundle/manifest.py",
    "bundle/opened.py",
    "bundle/run.py",
    "datasets",
    "encoders",
    "evaluation",
    "ranker",
    "recall",
    "recommender",
    "slate",
    "steps/arena.py",
    "steps/earned.py",
    "steps/encode.py",
    "steps/precision.py",
    "steps/shards.py",
    "world",
)
EVALUATE: Final = Step(
    "evaluate",
    sources=(*SOURCES, "steps/evaluate.py"),
    settings=("seed", "baselines", "evaluation", "datasets", "slate"),
    # Digests of the first four say more; pages are judged as drawn, unexplored and without reasons.
    free=(
        "datasets.live",
        "datasets.source",
        "evaluation.beside",
        *MEASURED_BY,
        *UNJUDGED,
    ),
    sidecars=(REPORT, SCORECARD),
)


@dataclass(frozen=True)
class Candidate:
    """A trained recommender that is no bundle yet.

    Attributes:
        directories: of its parts by name.
        digest: one hash over them.
    """

    directories: Mapping[str, Path]
    digest: str


def evaluate(
    engine: Engine,
    inputs: Mapping[str, str],
    dataset: Dataset,
    content: Content,
    cut: Split,
    candidate: Candidate,
) -> Output:
    """Judge the candidate beside the baselines, or find the judgement.

    Puts out the figures of every user that the gate compares, a curve, and beside them, since they
    tell of the run too, the scorecard and the report.

    Args:
        engine: runs the step.
        inputs: digests of the data, the content vectors and the candidate's parts.
        dataset: the log.
        content: vectors of its videos.
        cut: history and test days.
        candidate: who is judged.

    Raises:
        RefusedError: the candidate was trained on other data, or its page shows what it must not.
        StorageError: the disk refused.
    """
    settings, stages = engine.settings, engine.stages
    runs = settings.paths.work / "runs" / dataset.path.name
    beside = settings.paths.work / "datasets" / settings.evaluation.beside

    def body(into: Path, _: Path) -> str:
        truth = sealed_truth(dataset, settings.paths.truth)
        slate = settle(settings.slate, candidate.directories.get(PART))

        def make(without: Without) -> Contestant:
            return Contestant(
                candidate.directories, slate, digest=candidate.digest, without=without
            )

        entry = Entry(
            lambda: make(Without()),
            description="Four recalls, a history encoder, a pre-rank, a list ranker and a slate.",
            without=without_each(make),
            curves=load_curves(candidate.directories["ranker"] / CURVES),
            facts=[
                *stage_facts(candidate.directories["ranker"]),
                *precision_facts(candidate.directories["ranker"]),
            ],
        )
        card = judge(
            dataset,
            content.vectors,
            cut,
            truth,
            settings.baselines,
            settings.evaluation,
            runs=runs,
            other=beside,
            seed=settings.seed,
            stages=stages,
            models={NAME: entry},
            slate=slate,
        )
        card = card.model_copy(
            update={"stages": list(stages.finished), "settings": shown(settings)}
        )
        write_report(card, into)
        rivals = contestants(settings.baselines, truth)
        held = bout(
            dataset,
            content.vectors,
            cut,
            truth,
            {NAME: entry.make, **{name: rivals[name] for name in rivals if POPULARITY in name}},
            settings,
            runs,
            stages,
        )
        figures = {name: held.figures(name) for name in held.turns}
        np.savez(into / FIGURES, allow_pickle=False, **figures)
        (into / ROC).write_text(json.dumps(held.roc(NAME)) + "\n")
        means = {name: float(np.nanmean(values)) for name, values in figures.items()}
        told = {"metric": held.metric, "means": means}
        (into / HEADLINE).write_text(json.dumps(told, indent=2) + "\n")
        return f"{held.metric} {means[NAME]:.4f}, popularity {best_popularity(figures)[0]:.4f}"

    other = Dataset.open(beside).record.digest if beside.is_dir() else "none"
    return engine.run(EVALUATE, {**inputs, "beside": other}, body)


def best_popularity(figures: Mapping[str, Doubles]) -> tuple[float, Doubles]:
    """Mean and figures of the better of the popularities."""
    able = [values for name, values in figures.items() if POPULARITY in name]
    best = max(able, key=lambda values: float(np.nanmean(values)))
    return float(np.nanmean(best)), best


def read_figures(evaluated: Path) -> tuple[str, dict[str, Doubles]]:
    """The metric that decides, and each user's figures by model."""
    metric = json.loads((evaluated / HEADLINE).read_text())["metric"]
    with np.load(evaluated / FIGURES, allow_pickle=False) as stored:
        return str(metric), {name: stored[name] for name in stored.files}
