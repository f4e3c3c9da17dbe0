"""Two worlds small enough to look through: one whole in memory, one on disk with its truth."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.settings.world import WorldSettings
from shortlist.world.generate import generate
from shortlist.world.truth import Truth
from shortlist.world.world import World, make_world

SEED = 11


@dataclass(frozen=True)
class Made:
    """A world on disk."""

    dataset: Dataset
    truth: Truth
    sealed: Path
    log: Interactions


@pytest.fixture(scope="session")
def small() -> WorldSettings:
    # Short sessions: a day takes as many steps as its longest session.
    return WorldSettings(
        users=60,
        videos=240,
        creators=30,
        days=3,
        impressions=2_400,
        session_length=5.0,
        name="small",
    )


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


@pytest.fixture(scope="session")
def world(small: WorldSettings) -> World:
    return make_world(small, SEED)


@pytest.fixture(scope="session")
def made(small: WorldSettings, tmp_path_factory: pytest.TempPathFactory) -> Made:
    directory = tmp_path_factory.mktemp("made")
    dataset, _ = generate(small, SEED, directory / "datasets", directory / "truth")
    sealed = directory / "truth" / small.name
    log = Interactions.load(
        dataset,
        Users.from_table(dataset.users()),
        Catalogue.from_table(dataset.videos()),
        context=True,
    )
    return Made(dataset, Truth.load(sealed, dataset.record.key), sealed, log)
