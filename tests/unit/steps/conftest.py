"""A world so small that its shards are made in a moment."""

from pathlib import Path

import pytest

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
