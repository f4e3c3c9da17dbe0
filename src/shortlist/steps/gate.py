"""The gate step: the candidate against popularity and against what is published."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shortlist.bundle.opened import Bundle
from shortlist.datasets.interactions import Doubles
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.errors import CorruptError, NotFoundError, RefusedError
from shortlist.evaluation.gate import Verdict, decide
from shortlist.evaluation.judge import sealed_truth
from shortlist.recommender.contestant import NAME, Contestant
from shortlist.recommender.drawn import slate_of
from shortlist.recommender.parts import NAMES
from shortlist.steps.arena import bout
from shortlist.steps.encode import Content
from shortlist.steps.engine import Engine
from shortlist.steps.evaluate import SOURCES, best_popularity, read_figures
from shortlist.steps.output import Output
from shortlist.steps.step import Step

VERDICT: Final = "verdict.json"
_PUBLISHED: Final = "published"

GATE: Final = Step(
    "gate",
    sources=(*SOURCES, "steps/evaluate.py", "steps/gate.py"),
    settings=("seed", "datasets.test_days", "evaluation", "pipeline.gate_tolerance"),
    free=("evaluation.beside", "evaluation.ablation_users"),
)


def gate(
    engine: Engine,
    inputs: Mapping[str, str],
    dataset: Dataset,
    content: Content,
    cut: Split,
    evaluated: Path,
    published: Bundle | None,
    remark: str = "",
) -> Output:
    """Decide, or find the decision.

    What is published was mostly trained on an earlier state of this log. Its videos are found
    again by their ids, and new ones are placed by their content, as a server would; see
    `Contestant`. A bundle of later days, or of nothing but other videos, cannot be judged here. The
    verdict then says so, and rests on popularity alone: such a bundle must not keep every later
    ranker out.

    Args:
        engine: runs the step.
        inputs: digests of the data, the content vectors and the judgement.
        dataset: the log.
        content: vectors of its videos.
        cut: history and test days.
        evaluated: directory of the judgement.
        published: what is published; None where nothing is.
        remark: a sentence on it, or on why it is None; see `rival_of`.

    Raises:
        StorageError: the disk refused.
    """
    settings = engine.settings

    def figures_of(bundle: Bundle) -> Doubles:
        held = bout(
            dataset,
            content.vectors,
            cut,
            sealed_truth(dataset, settings.paths.truth),
            {_PUBLISHED: lambda: contestant(bundle, content.encoder)},
            settings,
            settings.paths.work / "runs" / dataset.path.name,
            engine.stages,
        )
        return held.figures(_PUBLISHED)

    def body(into: Path, _: Path) -> str:
        metric, figures = read_figures(evaluated)
        theirs, why_not = _theirs(published, figures_of)
        verdict = decide(
            metric,
            figures[NAME],
            best_popularity(figures)[1],
            theirs,
            tolerance=settings.pipeline.gate_tolerance,
            resamples=settings.evaluation.bootstrap,
            seed=settings.seed,
            remark=" ".join(sentence for sentence in (remark, why_not) if sentence),
        )
        (into / VERDICT).write_text(verdict.model_dump_json(indent=2) + "\n")
        return f"{'passed' if verdict.passed else 'REFUSED'}. {' '.join(verdict.reasons)}"

    standing = "none" if published is None else published.id
    return engine.run(GATE, {**inputs, "published": standing, "remark": remark}, body)


def contestant(bundle: Bundle, encoder: str) -> Contestant:
    """A bundle before the judge, its pages drawn as it draws them.

    Args:
        bundle: published.
        encoder: identity of the encoder of the content that it meets.

    Raises:
        NotFoundError, CorruptError: as `slate_of`.
    """
    return Contestant(
        {name: bundle.part(name) for name in NAMES},
        slate_of(bundle),
        digest=bundle.id,
        name=_PUBLISHED,
        # By another encoder's vectors a ranker would place videos at random.
        new_videos="projected" if bundle.manifest.encoder == encoder else "last",
    )


def read_verdict(gated: Path) -> Verdict:
    """What the gate said."""
    return Verdict.model_validate_json((gated / VERDICT).read_bytes())


def _theirs(
    published: Bundle | None, figures_of: Callable[[Bundle], Doubles]
) -> tuple[Doubles | None, str]:
    if published is None:
        return None, ""
    try:
        return figures_of(published), ""
    except (RefusedError, NotFoundError, CorruptError) as error:
        return None, f"The published bundle cannot be judged on this log: {error}."
