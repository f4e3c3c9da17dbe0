"""The judge: every model has its turn in one arena, and one scorecard says how good each is."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from shortlist.datasets.interactions import Floats
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.datasets.target import chosen_target
from shortlist.errors import InputError, NotFoundError
from shortlist.evaluation.arena import make_arena
from shortlist.evaluation.descriptions import DESCRIPTIONS, OBSERVER, ORACLE, RANDOM
from shortlist.evaluation.differences import differences
from shortlist.evaluation.figures import Figures, estimate_all
from shortlist.evaluation.marginals import beside, marginals
from shortlist.evaluation.probe import probe_accuracy
from shortlist.evaluation.protocol import protocol
from shortlist.evaluation.scorecard import Fact, ModelResult, Scorecard
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.study import Entry, study
from shortlist.evaluation.turns import Makers, Turn, arena_key, contestants, take_turns
from shortlist.evaluation.world_facts import DEMANDED_FROM, PROBE, fact_of, world_facts
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.slate import SlateSettings
from shortlist.spelling import nearest
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth

Family = Literal["reference", "baseline", "observer", "oracle", "model"]
_FAMILIES: dict[str, Family] = {
    RANDOM: "reference",
    "popularity": "reference",
    "popularity-rate": "reference",
    OBSERVER: "observer",
    ORACLE: "oracle",
}


_WORLD: Final = "synthetic world"  # As `shortlist.world.generate` names the source.


def is_world(dataset: Dataset) -> bool:
    """Whether a world of ours wrote a dataset, or what live traffic continues in it."""
    return dataset.log.source == _WORLD


def sealed_truth(dataset: Dataset, truths: Path) -> Truth | None:
    """The truth behind a dataset; None where it comes from no world of ours.

    Raises:
        NotFoundError: a world wrote the dataset, but its truth is gone.
        CorruptError: there is a truth of that name, but not of this dataset.
    """
    try:
        return Truth.load(truths / dataset.log.name, dataset.log.key)
    except NotFoundError:
        if is_world(dataset):
            raise
        return None


def judge(
    dataset: Dataset,
    content: Floats,
    cut: Split,
    truth: Truth | None,
    baselines: BaselinesSettings,
    settings: EvaluationSettings,
    *,
    runs: Path,
    other: Path,
    seed: int,
    stages: Stages,
    only: list[str] | None = None,
    models: Mapping[str, Entry] = MappingProxyType({}),
    slate: SlateSettings | None = None,
) -> Scorecard:
    """Judge every recommender on one dataset.

    Models of this system join the baselines, and the first of them is studied besides: its page,
    the frontier of value against diversity, its parts, its errors. A second run finds all turns of
    the first. To judge what was trained:

    .. code-block:: python

        slate = settle(settings.slate, directories.get(PART))
        make = lambda without: Contestant(directories, slate, digest=d, without=without)
        own = Entry(lambda: make(Without()), without=without_each(make),
                    curves=load_curves(ranker / CURVES))
        judge(..., models={"shortlist": own}, slate=slate)

    Args:
        dataset: the log.
        content: vectors of its videos, float32 [n_videos, width].
        cut: history and test days.
        truth: of the world that wrote the log; None for a real log.
        baselines: how models are fitted.
        settings: how they are judged.
        runs: directory where models' turns are kept, so that none is made twice.
        other: dataset whose distributions are laid beside this one's, where it exists.
        seed: of the sample, the models and the resamples.
        stages: told of every stage.
        only: names of the models to judge; all by default.
        models: trained models of this system, by name.
        slate: settings under which pages are served, settled; needed for models that make pages.

    Raises:
        NotFoundError: ``only`` names a model that does not exist.
        InputError: the history knows nothing of the target, or there is no truth and nobody did
            anything in the test days that could be judged.
        RefusedError: a model's page shows what it must not, or it was trained on other data.
        StorageError: the disk refused.
    """
    own = {name: entry.make for name, entry in models.items()}
    makers = _chosen({**contestants(baselines, truth), **own}, only)
    with stages.stage("load") as stage:
        arena = make_arena(
            dataset,
            cut,
            content,
            target=chosen_target(settings.target, dataset, cut),
            context=None if truth is None else standard_context(),
            sample=settings.users,
            seed=seed,
        )
        if truth is None and len(arena.watchers) == 0:
            raise InputError(
                f"{dataset.path}: nobody has a new {arena.view.target} in the test days "
                f"({cut.test}); nothing can be judged"
            )
        stage.done(f"{len(arena.view.log):,} rows of history, {len(arena.test):,} to judge on")
    directory = runs / arena_key(dataset, arena, settings)[:16]
    turns = take_turns(
        makers, arena, directory, baselines, share=settings.policy_share, stages=stages
    )
    with stages.stage("measure") as stage:
        figures, tally = estimate_all(turns, arena, truth, settings, seed)
        ours = [name for name in models if name in makers]
        compared = differences(tally, ours, settings.k, settings.bootstrap, seed)
        stage.done(f"{len(figures)} models")
    studied = None
    if ours:
        studied = study(
            ours[0],
            models[ours[0]],
            turns,
            tally,
            arena,
            truth,
            settings,
            slate or SlateSettings(),
            baselines,
            runs=directory,
            seed=seed,
            stages=stages,
        )
    with stages.stage("facts") as stage:
        real = _finished(other)
        facts: list[Fact] = []
        if truth is not None:
            of_world = Dataset.open(dataset.path.parent / dataset.log.name)
            facts = [*world_facts(of_world, truth, real), _probe(content, truth)]
        shown = marginals(dataset, dataset.path.name)
        if real is not None and real.path.resolve() != dataset.path.resolve():
            shown = beside(shown, marginals(real, real.path.name))
        stage.done(f"{len(facts)} facts, {len(shown)} distributions")
    return Scorecard(
        title=f"Recommenders on {dataset.path.name}",
        made_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
        dataset=dataset.path.name,
        dataset_digest=dataset.record.digest,
        protocol=protocol(arena, settings, has_truth=truth is not None, own=bool(ours)),
        users=dataset.record.users,
        videos=dataset.record.videos,
        impressions=dataset.record.impressions,
        target=arena.view.target,
        models=[_result(turn, figures[turn.name], models.get(turn.name)) for turn in turns],
        differences=compared,
        study=studied,
        facts=facts,
        marginals=shown,
    )


def _chosen(models: Makers, only: list[str] | None) -> Makers:
    """The models to judge; besides those asked for, the ideal and the floor of all figures."""
    if only is None:
        return models
    for name in only:
        if name not in models:
            raise NotFoundError(f"no model is called {name!r}{nearest(name, list(models))}")
    kept = {RANDOM, ORACLE, *only}
    return {name: make for name, make in models.items() if name in kept}


def _finished(path: Path) -> Dataset | None:
    try:
        return Dataset.open(path)
    except NotFoundError:
        return None


def _probe(content: Floats, truth: Truth) -> Fact:
    accuracy = probe_accuracy(content, truth.law.videos.tag)
    return fact_of(PROBE, accuracy, demanded=len(content) >= DEMANDED_FROM)


def _result(turn: Turn, figures: Figures, entry: Entry | None) -> ModelResult:
    done = turn.performance
    return ModelResult(
        name=turn.name,
        family=_FAMILIES.get(turn.name, "baseline") if entry is None else "model",
        description=DESCRIPTIONS.get(turn.name, "") if entry is None else entry.description,
        logged=figures.logged,
        truth=figures.truth,
        off_policy=figures.off_policy,
        calibration=figures.calibration,
        fit_seconds=done.fit_seconds,
        score_seconds=done.score_seconds,
        peak_memory_mb=done.peak_memory_mb,
        details=done.details,
    )
