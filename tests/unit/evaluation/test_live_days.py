"""A world's log that live traffic continues is judged by the world's own users."""

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from shortlist.baselines.oracle import Oracle
from shortlist.datasets.going_on import go_on
from shortlist.datasets.split import Split, split
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.datasets.tables import filled
from shortlist.evaluation.arena import make_arena
from shortlist.evaluation.judge import is_world, judge, sealed_truth
from shortlist.evaluation.report.page import render_html
from shortlist.evaluation.report.terminal import print_table
from shortlist.evaluation.scorecard import Scorecard
from shortlist.evaluation.stages import Stages
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.world.context import standard_context

NEWCOMERS = [10**15 + n for n in range(6)]
LIVE = dt.date(2026, 11, 20)


def with_live_days(micro, there: Path, viewers: int, **more: pa.Array) -> Dataset:
    """Four days by newcomers and a user of the world; sessions have gaps, or are none."""
    base = micro.dataset
    users = base.users()
    blank = filled("users", {"user_id": pa.array(NEWCOMERS)}, len(NEWCOMERS))
    writer = DatasetWriter(there / "online", "a test", "live", base=base.origin)
    writer.write_users(pa.concat_tables([users, blank]))
    writer.write_videos(base.videos())
    videos = base.videos().column("video_id").to_pylist()
    who = [users.column("user_id")[0].as_py(), *NEWCOMERS][-viewers:]
    rng, number = np.random.default_rng(0), 10**12
    for day in range(4):
        pairs = [(user, int(v)) for user in who for v in rng.choice(videos, 6, replace=False)]
        columns = {
            "impression_id": pa.array(range(number, number + len(pairs))),
            "user_id": pa.array([user for user, _ in pairs]),
            "video_id": pa.array([video for _, video in pairs]),
            "day": pa.array([LIVE + dt.timedelta(days=day)] * len(pairs)),
            "session_id": pa.array([user if n % 6 else None for n, (user, _) in enumerate(pairs)]),
            "position": pa.array([n * 3 for n in range(len(pairs))], pa.int16()),
            "click": pa.array([n % 2 == 0 for n in range(len(pairs))]),
            **{name: column[: len(pairs)] for name, column in more.items()},
        }
        table = filled("impressions", columns, len(pairs))
        writer.write_day(LIVE + dt.timedelta(days=day), table)
        number += len(pairs)
    return go_on(base, writer.finish(), base.path.parent / there.name, follow=True)[0]


@pytest.fixture(scope="module")
def joined(micro, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return with_live_days(micro, tmp_path_factory.mktemp("live"), 1 + len(NEWCOMERS))


@pytest.fixture(scope="module")
def cut(joined) -> Split:
    return cut_of(joined)


def cut_of(dataset: Dataset) -> Split:
    return split(dataset, DatasetsSettings(test_days=2, validation_days=1))


@pytest.fixture(scope="module")
def arena(joined, cut, micro):
    return make_arena(
        joined, cut, micro.content, target="click", context=standard_context(), sample=40, seed=0
    )


def test_its_truth_is_that_of_the_world(joined, micro) -> None:
    assert is_world(joined)
    found = sealed_truth(joined, micro.sealed.parent)
    assert found is not None
    assert found.key == micro.dataset.record.key


def test_newcomers_are_learned_from_and_judged_by_the_log_alone(arena, micro) -> None:
    known = micro.dataset.record.users
    assert (arena.view.log.user >= known).any()
    assert (arena.watchers >= known).any()
    # However few clicked, as many are compared with the truth as ever.
    assert (arena.sample < known).all()
    assert len(arena.sample) == 40


def judged(dataset: Dataset, micro, quick, there: Path) -> Scorecard:
    return judge(
        dataset,
        micro.content,
        cut_of(dataset),
        sealed_truth(dataset, micro.sealed.parent),
        quick,
        EvaluationSettings(users=40, bootstrap=100),
        runs=there,
        other=there / "none",
        seed=0,
        stages=Stages(say=lambda line: None),
        only=["popularity", "informed-observer"],
    )


def test_the_whole_judgement_can_be_made(joined, micro, quick, tmp_path: Path) -> None:
    card = judged(joined, micro, quick, tmp_path)
    found = {model.name: model.truth for model in card.models}
    gained = {name: truth["expected_gain_ndcg@10"].value for name, truth in found.items()}
    assert gained["oracle"] == pytest.approx(1.0, abs=1e-6)
    assert gained["random"] < gained["popularity"] < 1
    # Nobody noted a propensity in the test days, so nothing is said off-policy.
    assert not any("policy_value" in truth for truth in found.values())
    assert card.facts


@pytest.mark.parametrize("clicks", [True, False])
def test_one_viewer_on_the_judged_days_is_enough(clicks, micro, quick, tmp_path: Path) -> None:
    """A new service has nearly nobody; the truth judges, and the log's figures are unknown."""
    alone = with_live_days(
        micro,
        tmp_path,
        1,
        propensity=pa.array([0.1] * 6, pa.float32()),
        click=pa.array([clicks and n == 0 for n in range(6)]),
    )
    card = judged(alone, micro, quick, tmp_path / "runs")
    popularity = next(model for model in card.models if model.name == "popularity")
    assert popularity.truth["expected_gain_ndcg@10"].n == 40
    unknown = popularity.logged["ndcg@10"]
    assert np.isnan(unknown.value)
    assert unknown.n == int(clicks)
    assert not [name for name in popularity.logged if name.startswith("auc")]
    assert "popularity" in render_html(card)
    print_table(card, Console(file=io.StringIO()))


def test_of_newcomers_the_oracle_says_what_it_says_of_its_own_on_average(arena, micro) -> None:
    oracle = Oracle(micro.truth).fit(arena.view)
    known = micro.truth.users
    own = oracle.score(np.arange(known, dtype=np.int64))
    both = oracle.score(np.array([0, known, known + 3]))
    np.testing.assert_allclose(both[0], own[0], rtol=1e-6)
    np.testing.assert_allclose(both[1], own.mean(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(both[1], both[2])
    said = oracle.predict(arena.test)
    strangers = arena.test.user >= known
    np.testing.assert_array_equal(said[strangers], both[1][arena.test.video[strangers]])
    assert strangers.any()
    assert not strangers.all()
    assert ((said > 0) & (said < 1)).all()
