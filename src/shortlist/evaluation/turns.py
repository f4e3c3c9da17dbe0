"""Who takes part, and one turn for each: a turn that was made before is found, not repeated."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.baselines.observer.model import InformedObserver
from shortlist.baselines.oracle import Oracle
from shortlist.baselines.protocol import Recommender
from shortlist.baselines.registry import CONSTRUCTORS, build
from shortlist.datasets.signals import smoothed_rate
from shortlist.datasets.store import Dataset
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.descriptions import OBSERVER, ORACLE
from shortlist.evaluation.entrants import PageMaker, Traceable
from shortlist.evaluation.performance import Performance, perform
from shortlist.evaluation.shown import Shown, show
from shortlist.evaluation.stages import Stages
from shortlist.files import sweep_staging
from shortlist.libraries import versions_for
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.source import source_digest
from shortlist.world.truth import Truth

_SOURCES: Final = (
    "baselines",
    "datasets",
    "encoders",
    "evaluation/arena.py",
    "evaluation/arrays.py",
    "evaluation/metrics/ranking.py",
    "evaluation/performance.py",
    "evaluation/top_share.py",
    "evaluation/turns.py",
)
_TRACEABLE_SOURCES: Final = (
    "evaluation/entrants.py",
    "evaluation/shown.py",
    "ranker",
    "recall",
    "recommender",
    "slate",
)
"""What the answers of a trained recommender depend on besides."""

Makers = dict[str, Callable[[], Recommender]]


@dataclass(frozen=True)
class Turn:
    """What a model did, now or in an earlier run.

    Attributes:
        name: of the model.
        performance: its scores and lists.
        shown: its pages; None for a model that makes none.
    """

    name: str
    performance: Performance
    shown: Shown | None = None


def contestants(settings: BaselinesSettings, truth: Truth | None) -> Makers:
    """Unfitted models by name, in the order of a report.

    The observer and the oracle take part only in a world: no real log follows its equations.
    """
    models: Makers = {name: partial(build, name, settings) for name in CONSTRUCTORS}
    if truth is not None:
        models[OBSERVER] = partial(
            InformedObserver, settings.observer_dimensions, settings.observer_sweeps
        )
        models[ORACLE] = partial(Oracle, truth)
    return models


def arena_key(dataset: Dataset, arena: Arena, settings: EvaluationSettings) -> str:
    """Hash of all that every turn depends on: data, vectors, sample, source and libraries."""
    digest = hashlib.sha256()
    view = arena.view
    for part in (
        dataset.record.key,
        dataset.record.digest,
        repr(arena.split),
        view.target,
        str(view.seed),
        settings.model_dump_json(include={"users", "policy_share"}),
        repr(sorted(versions_for(_SOURCES).items())),
    ):
        digest.update(f"{part}\n".encode())
    digest.update(np.ascontiguousarray(view.content).data)
    digest.update(view.context.tobytes())
    digest.update(source_digest(_SOURCES).encode())
    return digest.hexdigest()


def parameters_key(model: Recommender, settings: BaselinesSettings) -> str:
    """Hash of the settings that an unfitted model depends on.

    A trained model has a fingerprint. A model that holds nothing but plain values depends on
    these; any other might look up whatever setting it likes.
    """
    if isinstance(model, Traceable):
        text = f"{model.fingerprint}\n{source_digest(_TRACEABLE_SOURCES)}"
        return hashlib.sha256(text.encode()).hexdigest()
    own = vars(model)
    plain = all(isinstance(value, int | float | str) for value in own.values())
    text = repr(sorted(own.items())) if plain else settings.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()


def take_turns(
    models: Mapping[str, Callable[[], Recommender]],
    arena: Arena,
    runs: Path,
    baselines: BaselinesSettings,
    *,
    share: float,
    stages: Stages,
) -> list[Turn]:
    """Give every model its turn.

    Args:
        models: unfitted, by name.
        arena: for all of them.
        runs: directory of this arena's turns; one that is found there is not repeated.
        baselines: what the models were made from.
        share: of the catalogue, for the off-policy target.
        stages: told of each turn.

    Raises:
        RefusedError: a model's page shows what it must not.
        StorageError: the disk refused.
    """
    sweep_staging(runs)
    rates = smoothed_rate(arena.view, half_life_days=7.0, prior_impressions=20.0)
    turns = []
    for name, make in models.items():
        with stages.stage(name) as stage:
            model = make()
            path = runs / f"{name}-{parameters_key(model, baselines)[:16]}.npz"
            performance, shown = Performance.load(path), None
            reused = performance is not None
            if isinstance(model, PageMaker):
                shown = Shown.load(path.with_suffix(".pages.npz"))
                reused = reused and shown is not None
            if performance is None or not reused:
                performance = perform(model, arena, share=share, rates=rates)
                if isinstance(model, PageMaker):
                    shown = show(model, name, arena)
                    shown.save(path.with_suffix(".pages.npz"))
                performance.save(path)
            stage.done(
                f"fitted in {performance.fit_seconds:.1f} s, "
                f"scored in {performance.score_seconds:.1f} s",
                reused=reused,
            )
            turns.append(Turn(name, performance, shown))
    return turns
