"""Figures of a log of twelve rows, worked by hand."""

import math

import numpy as np
import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.interactions import Interactions
from shortlist.evaluation.log_facts import log_facts, median_name, rate_name

ROWS = 12
UNKNOWN = np.full(ROWS, np.nan, np.float32)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.fixture
def catalogue() -> Catalogue:
    columns = {name: [None] * 5 for name in schema.VIDEOS.names}
    columns["video_id"] = [1, 2, 3, 4, 5]
    columns["tags"] = [[]] * 5
    columns["duration_seconds"] = [10.0, 20.0, 30.0, 40.0, None]
    return Catalogue.from_table(pa.table(columns, schema=schema.VIDEOS))


@pytest.fixture
def log() -> Interactions:
    return Interactions(
        user=np.array([0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 3, 3]),
        video=np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]),
        day=np.zeros(ROWS, np.int64),
        session=np.full(ROWS, -1),
        position=np.full(ROWS, -1),
        click=floats(1, 1, 1, 0, 0, 0, 1, 0, np.nan, 1, 0, 0),
        long_view=UNKNOWN,
        like=UNKNOWN,
        skip=UNKNOWN,
        watch_seconds=floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, np.nan),
        propensity=np.full(ROWS, np.nan),
        random_exposure=np.array([False] * 9 + [True] * 3),
        context=np.zeros((ROWS, 0), np.float32),
    )


def test_rates_are_means_over_the_rows_that_know_them(
    log: Interactions, catalogue: Catalogue
) -> None:
    facts = log_facts(log, catalogue)
    assert facts[rate_name("click", "policy traffic")] == 4 / 8
    assert facts[rate_name("click", "random traffic")] == pytest.approx(1 / 3)
    assert math.isnan(facts[rate_name("like", "policy traffic")])
    assert facts["share of random traffic"] == 3 / 12


def test_medians_are_cut_at_the_quartiles_of_the_lengths_shown(
    log: Interactions, catalogue: Catalogue
) -> None:
    facts = log_facts(log, catalogue)
    assert facts["median watch seconds, policy traffic"] == 5
    # Three rows on each video, but the last has no watch time: quarters are the videos.
    found = [facts[median_name(name)] for name in ("shortest", "second", "third", "longest")]
    assert found == [2, 5, 8, 10.5]


def test_popularity_counts_videos_never_shown(log: Interactions, catalogue: Catalogue) -> None:
    facts = log_facts(log, catalogue)
    # Counts 0, 3, 3, 3, 3: 2 (1*0 + 2*3 + 3*3 + 4*3 + 5*3) / (5 * 12) - 6 / 5.
    assert facts["popularity Gini over the catalogue"] == pytest.approx(84 / 60 - 6 / 5)
    assert facts["share of the catalogue ever shown"] == 4 / 5


def test_users_without_impressions_are_not_active(log: Interactions, catalogue: Catalogue) -> None:
    # Active users have 2, 4 and 6 impressions.
    assert log_facts(log, catalogue)["impressions of an active user, 50 % have at most"] == 4


def test_a_log_that_knows_no_outcome_gives_unknown_figures(
    log: Interactions, catalogue: Catalogue
) -> None:
    empty = log.take(np.zeros(ROWS, bool))
    facts = log_facts(empty, catalogue)
    assert facts.keys() == log_facts(log, catalogue).keys()
    assert facts.pop("share of the catalogue ever shown") == 0
    assert all(math.isnan(value) for value in facts.values())
