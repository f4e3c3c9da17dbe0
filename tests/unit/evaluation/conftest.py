"""A world so small that everything can be fitted to it, on disk with its truth, and its arena."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shortlist.datasets.interactions import Floats
from shortlist.datasets.split import Split, split
from shortlist.datasets.store import Dataset
from shortlist.encoders.hashing import HashingEncoder
from shortlist.encoders.text import video_texts
from shortlist.evaluation.arena import Arena, make_arena
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.world import WorldSettings
from shortlist.world.context import standard_context
from shortlist.world.generate import generate
from shortlist.world.truth import Truth


@dataclass(frozen=True)
class Micro:
    """A world on disk, encoded and cut."""

    dataset: Dataset
    truth: Truth
    sealed: Path
    """Directory of the truth."""
    content: Floats
    cut: Split
    arena: Arena


@pytest.fixture(scope="session")
def micro(tmp_path_factory: pytest.TempPathFactory) -> Micro:
    directory = tmp_path_factory.mktemp("micro")
    settings = WorldSettings(
        users=120, videos=240, creators=30, days=8, impressions=8_000, name="micro"
    )
    dataset, _ = generate(settings, 5, directory / "datasets", directory / "truth")
    content = HashingEncoder(48).encode(video_texts(dataset.videos()))
    cut = split(dataset, DatasetsSettings(test_days=2, validation_days=1))
    arena = make_arena(
        dataset, cut, content, target="click", context=standard_context(), sample=40, seed=0
    )
    sealed = directory / "truth" / "micro"
    truth = Truth.load(sealed, dataset.record.key)
    return Micro(dataset, truth, sealed, content, cut, arena)


@pytest.fixture(scope="session")
def quick() -> BaselinesSettings:
    """Baselines that learn something of the micro world in no time."""
    return BaselinesSettings(
        knn_neighbours=20,
        als_factors=8,
        als_iterations=4,
        als_l2=5.0,
        ease_l2=50.0,
        weighted_ease_l2=50.0,
        observer_dimensions=8,
        observer_sweeps=4,
        rerank_top=20,
        rerank_trials=2,
        rerank_trees=40,
        rerank_tail_days=2,
        rerank_threads=1,
    )
