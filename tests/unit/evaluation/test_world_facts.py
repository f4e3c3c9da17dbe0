"""What the world is calibrated to, measured on the preset `demo` with the tolerances below."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.encoders.videos import encode_videos
from shortlist.evaluation.metrics.discrimination import area_under_curve
from shortlist.evaluation.probe import probe_accuracy
from shortlist.evaluation.scorecard import Fact
from shortlist.evaluation.world_facts import (
    EVENNESS,
    EXPECTED,
    PROBE,
    fact_of,
    oracle_name,
    world_facts,
)
from shortlist.settings.loading import preset_settings
from shortlist.settings.world import WorldSettings
from shortlist.world.generate import generate
from shortlist.world.truth import Truth

# Figure: what is demanded of `full`, and how far `demo` may lie from it. A smaller catalogue is
# less unequal; the rest is calibration, and noise of a tenth of these tolerances.
DEMANDED = {
    "click rate, policy traffic": (0.44, 0.02),
    "click rate, random traffic": (0.18, 0.02),
    "long-view rate, policy traffic": (0.31, 0.02),
    "long-view rate, random traffic": (0.085, 0.015),
    "median watch seconds, policy traffic": (5.0, 1.0),
    EVENNESS: (1.0, 0.2),
    "popularity Gini over the catalogue": (0.75, 0.04),
    "oracle AUC of clicks, all traffic": (0.79, 0.01),
}


@dataclass(frozen=True)
class Demo:
    dataset: Dataset
    truth: Truth
    facts: dict[str, Fact]


def made(settings: WorldSettings, seed: int, directory: Path) -> Demo:
    dataset, _ = generate(settings, seed, directory / "datasets", directory / "truth")
    truth = Truth.load(directory / "truth" / settings.name, dataset.record.key)
    return Demo(dataset, truth, {fact.name: fact for fact in world_facts(dataset, truth)})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    settings = preset_settings("demo")
    return made(settings.world, settings.seed, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    settings = WorldSettings(
        users=60,
        videos=240,
        creators=30,
        days=3,
        impressions=2_400,
        session_length=5.0,
        name="small",
    )
    return made(settings, 5, tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("name", DEMANDED)
def test_the_demo_world_is_as_realistic_as_demanded(demo: Demo, name: str) -> None:
    target, tolerance = DEMANDED[name]
    assert demo.facts[name].value == pytest.approx(target, abs=tolerance)
    assert demo.facts[name].holds is True


def test_a_linear_probe_finds_the_main_tag(demo: Demo, tmp_path: Path) -> None:
    settings = preset_settings("demo").encoders
    content = encode_videos(demo.dataset.videos(), settings, tmp_path).vectors
    assert 0.80 <= probe_accuracy(content, demo.truth.law.videos.tag) <= 0.90


def test_the_demo_world_is_as_large_as_demanded(demo: Demo) -> None:
    record = demo.dataset.record
    assert record.users >= 3_000
    assert record.videos >= 10_000
    assert record.impressions >= 300_000


def test_videos_come_and_go(demo: Demo) -> None:
    """New ones arrive through the days, and what is shown is mostly young."""
    dataset = demo.dataset
    log = Interactions.load(
        dataset, Users.from_table(dataset.users()), Catalogue.from_table(dataset.videos())
    )
    first, last = log.day == log.day[0], log.day == log.day[-1]
    epoch = (demo.truth.world.settings.first_day - dt.date(1970, 1, 1)).days
    uploaded = demo.truth.law.videos.upload_day
    age = log.day - epoch - uploaded[log.video]
    policy = ~log.random_exposure
    assert np.median(age[last & policy]) < 0.6 * np.median(age[last & log.random_exposure])
    common = np.intersect1d(log.video[first & policy], log.video[last & policy])
    assert len(common) < 0.2 * len(np.unique(log.video[first & policy]))


def test_every_range_belongs_to_a_fact(small: Demo) -> None:
    assert set(EXPECTED) - {PROBE} <= set(small.facts)
    assert set(DEMANDED) | {PROBE} == set(EXPECTED)


def test_nothing_is_demanded_of_a_small_world(small: Demo) -> None:
    assert {fact.holds for fact in small.facts.values()} == {None}
    assert small.facts["click rate, policy traffic"].expected == "0.42 to 0.46"


def test_the_oracle_is_asked_in_each_row_s_own_session(small: Demo) -> None:
    world = small.truth.world
    logit, click = [], []
    for day in range(world.settings.days):
        _, slots = world.slots(day)
        logit.append(slots.logit)
        click.append(slots.click)
    expected = area_under_curve(np.concatenate(click), np.concatenate(logit))
    assert small.facts[oracle_name("click", "all traffic")].value == pytest.approx(expected)


def test_live_videos_are_those_uploaded_before_the_last_day(small: Demo) -> None:
    live = (small.truth.law.videos.upload_day < 2).sum()
    assert small.facts["videos live on the last day"].value == live


def test_a_real_log_s_figures_stand_beside_the_world_s(small: Demo) -> None:
    beside = {fact.name: fact for fact in world_facts(small.dataset, small.truth, small.dataset)}
    rate = beside["click rate, random traffic"]
    assert rate.real_log == rate.value
    assert beside["oracle AUC of clicks, all traffic"].real_log is None


def test_a_figure_outside_its_range_does_not_hold() -> None:
    assert fact_of(PROBE, 0.95, demanded=True).holds is False
    assert fact_of(PROBE, 0.8, demanded=True).holds is True
    assert fact_of(PROBE, 0.95, demanded=False).holds is None
    assert fact_of("like rate, random traffic", 0.01, demanded=True).holds is None
    assert fact_of(PROBE, 0.85, demanded=True, real_log=float("nan")).real_log is None
