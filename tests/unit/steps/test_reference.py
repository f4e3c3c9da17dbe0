"""A bundle's sample of what was learned from: always the same, whole sessions of the last days."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.datasets import schema
from shortlist.datasets.interactions import Interactions
from shortlist.evaluation.stages import Stages
from shortlist.files import file_digest
from shortlist.recommender.contestant import Contestant
from shortlist.settings.paths import PathsSettings
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.reference import (
    IMPRESSIONS,
    SCORES,
    USERS,
    last_days,
    reference,
    sample,
)


def made(trained, work: Path) -> Output:
    settings = trained.settings.model_copy(update={"paths": PathsSettings(work=work)})
    engine = Engine(settings, Stages(say=lambda line: None))
    return reference(
        engine, {}, trained.dataset, trained.cut, trained.directories, lambda: trained.view
    )


@pytest.fixture(scope="module")
def part(trained, tmp_path_factory: pytest.TempPathFactory) -> Output:
    return made(trained, tmp_path_factory.mktemp("reference"))


def test_two_draws_are_the_same_bytes(trained, part: Output, tmp_path: Path):
    again = made(trained, tmp_path)
    names = (IMPRESSIONS, SCORES, USERS)
    assert sorted(path.name for path in again.path.iterdir()) == sorted(names)
    for name in names:
        assert file_digest(again.path / name) == file_digest(part.path / name)
    assert again.digest == part.digest


def test_the_sample_is_of_the_last_days_in_the_schema_of_datasets(trained, part: Output):
    table = pq.read_table(part.path / IMPRESSIONS)
    assert table.schema.equals(schema.IMPRESSIONS)
    assert table.column("context").null_count == 0
    days = last_days(trained.dataset, trained.cut)
    assert days[-1] == trained.cut.history.last
    assert len(days) == 2  # Half of the four days of history.
    assert set(table.column("day").to_pylist()) == set(days)
    # Fewer rows than a sample may hold: all of them, in the order of the log.
    assert table.equals(trained.dataset.impressions(None, days[0], days[-1]))


@pytest.mark.parametrize("rows", [1, 50, 300])
def test_whole_sessions_are_drawn(trained, rows: int):
    drawn = sample(trained.dataset, trained.cut, 3, rows)
    assert rows * 0.5 <= drawn.num_rows <= rows or drawn.num_rows == 0
    days = last_days(trained.dataset, trained.cut)
    log = trained.dataset.impressions(["session_id"], days[0], days[-1]).column("session_id")
    whole = dict(zip(*np.unique(log.to_numpy(), return_counts=True), strict=True))
    found = np.unique(drawn.column("session_id").to_numpy(), return_counts=True)
    assert all(whole[session] == count for session, count in zip(*found, strict=True))
    if rows > 1:
        assert drawn != sample(trained.dataset, trained.cut, 4, rows)


def test_users_and_probabilities_join_the_impressions(trained, part: Output):
    table, scores = (pq.read_table(part.path / name) for name in (IMPRESSIONS, SCORES))
    for key in ("impression_id", "user_id", "video_id"):
        assert scores.column(key).equals(table.column(key))
    said = scores.column("probability").to_numpy()
    assert scores.schema.field("probability").type == pa.float32()
    assert said.min() > 0
    assert said.max() < 1
    assert len(np.unique(said)) > 50
    users = pq.read_table(part.path / USERS)
    assert users.schema.equals(schema.USERS)
    assert set(users.column("user_id").to_pylist()) == set(table.column("user_id").to_pylist())


def test_a_probability_knows_nothing_of_the_days_that_it_is_of(trained, part: Output):
    view = trained.view
    first = last_days(trained.dataset, trained.cut)[0]
    day = (first - trained.cut.history.first).days + int(view.log.day.min())
    before = replace(view, log=view.log.take(view.log.day < day), as_of=first)
    model = Contestant(trained.directories, trained.settings.slate, digest="", hindsight=True).fit(
        before
    )
    rows = Interactions.from_table(
        pq.read_table(part.path / IMPRESSIONS), view.users, view.catalogue
    )
    said = pq.read_table(part.path / SCORES).column("probability").to_numpy()
    np.testing.assert_allclose(model.predict(rows), said, atol=6e-5)
