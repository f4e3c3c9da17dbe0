"""A world so small that its shards are made in a moment, and bundles that hold nothing."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    write_bundle,
)
from shortlist.settings import Settings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.world import WorldSettings

WORLD = WorldSettings(
    users=40, videos=120, creators=20, days=3, impressions=900, session_length=5.0, name="small"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        seed=11,
        paths=PathsSettings(work=tmp_path),
        world=WORLD,
        datasets=DatasetsSettings(test_days=1, validation_days=1),
    )


@pytest.fixture
def store(settings: Settings) -> BundleStore:
    return BundleStore(settings.paths.bundles)


@pytest.fixture
def bundle_of(store: BundleStore, tmp_path: Path) -> Callable[[str], Bundle]:
    """Write a bundle of a text; nothing points to it."""

    def written(text: str) -> Bundle:
        parts = tmp_path / "parts" / text
        for name in ("recall", "ranker", "items"):
            (parts / name).mkdir(parents=True)
            (parts / name / "table").write_text(text)
        day = dt.date(2026, 1, 5)
        record = BundleRecord(
            data=DataFacts(
                name="small",
                digest="d" * 64,
                users=1,
                videos=1,
                impressions=1,
                first_day=day,
                last_day=day,
                fitted_to=day,
            ),
            encoder="hashing",
            seed=1,
            settings={},
        )
        card = CardFacts("", [], [], "", [], [])
        places = {path.name: path for path in parts.iterdir()}
        return write_bundle(store.root, places, record, card, RunRecord.here("run"))

    return written
