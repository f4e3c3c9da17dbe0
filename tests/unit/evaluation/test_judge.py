"""A judgement from end to end, on a world that takes a second and on a log without a world."""

import datetime as dt
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pytest

from shortlist.baselines.popularity import Popularity
from shortlist.datasets import schema
from shortlist.datasets.split import split
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.evaluation.judge import judge, sealed_truth
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.study import Entry
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.slate import SlateSettings
from shortlist.slate.ranked import Ranked

SETTINGS = EvaluationSettings(users=40, bootstrap=100)
NAMES = ["popularity", "als", "informed-observer"]
HEADLINE = "expected_gain_ndcg@10"


class Bench:
    """Judges the micro world in a directory of its own, and remembers what was reused."""

    def __init__(self, micro, baselines, runs):
        self.micro, self.runs = micro, runs
        self.baselines = baselines
        self.lines = []

    def judge(self, only=NAMES, settings=SETTINGS, **changed):
        stages = Stages(say=self.lines.append)
        card = judge(
            self.micro.dataset,
            self.micro.content,
            self.micro.cut,
            self.micro.truth,
            self.baselines.model_copy(update=changed),
            settings,
            runs=self.runs,
            other=self.runs / "no such dataset",
            seed=0,
            stages=stages,
            only=only,
        )
        self.reused = {stage.name for stage in stages.finished if stage.reused}
        return card


@pytest.fixture(scope="module")
def bench(micro, quick, tmp_path_factory):
    return Bench(micro, quick, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def card(bench):
    return bench.judge()


def figures(card, metric):
    return {model.name: model.truth[metric].value for model in card.models}


def steady(card):
    """All of a scorecard but the moment it was made."""
    return card.model_dump(exclude={"made_at"})


def test_the_oracle_is_the_best_and_the_observer_the_best_of_the_rest(card):
    found = figures(card, HEADLINE)
    assert list(found) == ["random", "popularity", "als", "informed-observer", "oracle"]
    assert found.pop("oracle") == pytest.approx(1.0, abs=1e-6)
    assert found["random"] < found["popularity"] < found["informed-observer"] < 1
    for metric in ("page_value@10", "policy_value"):
        values = figures(card, metric)
        assert max(values, key=values.get) == "oracle"


def test_random_lists_gain_what_the_mean_video_does(card, micro):
    arena, k = micro.arena, 10
    p = micro.truth.click(arena.sample, arena.view.as_of, arena.view.context)
    places = np.searchsorted(arena.judged, arena.sample)
    allowed = np.stack([~arena.excluded(int(at), int(at) + 1)[0] for at in places])
    mean = np.array([row[open_].mean() for row, open_ in zip(p, allowed, strict=True)])
    ideal = -np.sort(-np.where(allowed, p, 0.0), axis=1)[:, :k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    expected = np.mean(mean * discount.sum() / (ideal @ discount))
    random = next(model for model in card.models if model.name == "random")
    estimate = random.truth[HEADLINE]
    assert estimate.value == pytest.approx(expected, abs=0.04)
    assert estimate.n == len(arena.sample)


def test_every_estimate_lies_in_its_interval_and_counts_something(card):
    for model in card.models:
        for metric, estimate in {**model.logged, **model.truth}.items():
            assert estimate.n > 0, metric
            assert estimate.low <= estimate.value <= estimate.high, (model.name, metric)


def test_odds_are_judged_where_a_model_gives_any(card):
    for model in card.models:
        predicts = model.name in ("informed-observer", "oracle")
        assert ("log_loss_logged" in model.logged) == predicts
        assert len(model.calibration) == (2 if predicts else 0)
        assert {"auc_logged", "auc_random"} <= set(model.logged)


def test_differences_are_against_the_best_contender(card):
    means = figures(card, HEADLINE)
    best = max(("random", "popularity", "als"), key=lambda name: means[name])
    shown = [pair for pair in card.differences if pair.metric == HEADLINE]
    assert {pair.first for pair in shown} == {best}
    assert {pair.second for pair in shown} == set(means) - {best}
    for pair in shown:
        assert pair.difference.value == pytest.approx(means[best] - means[pair.second])


def test_a_second_run_repeats_no_turn_and_says_the_same(bench, card):
    again = bench.judge()
    assert bench.reused == {"random", "oracle", *NAMES}
    assert steady(again) == steady(card)


def test_a_setting_redoes_the_turns_that_depend_on_it_and_no_other(bench, card):
    bench.judge(als_factors=5)
    assert bench.reused == {"random", "popularity", "informed-observer"} | (
        bench.reused & {"oracle"}
    )
    bench.judge()
    assert bench.reused == {"random", "oracle", *NAMES}


def test_another_sample_is_another_arena(bench, card):
    bench.judge(only=["random"], settings=SETTINGS.model_copy(update={"users": 30}))
    assert bench.reused == set()


def test_a_torn_turn_is_made_again_and_no_other(bench, card):
    turn = next(bench.runs.glob("*/popularity-*.npz"))
    turn.write_bytes(turn.read_bytes()[:-200])
    again = bench.judge()
    assert bench.reused == {"random", "oracle", *NAMES} - {"popularity"}
    assert figures(again, HEADLINE) == figures(card, HEADLINE)


def test_what_a_killed_run_left_is_swept(bench, card):
    leftover = next(bench.runs.glob("*/popularity-*.npz")).parent / ".staging-abc.npz"
    leftover.write_bytes(b"half")
    bench.judge(only=["random"])
    assert not leftover.exists()


def test_an_unknown_model_is_refused_with_the_nearest_name(bench):
    with pytest.raises(NotFoundError, match=r"no model is called 'alz'; did you mean als\?"):
        bench.judge(only=["alz"])


def test_a_truth_of_another_dataset_is_refused(micro):
    record = micro.dataset.record.model_copy(update={"key": "f" * 64})
    foreign = Dataset(micro.dataset.path, record)
    with pytest.raises(CorruptError, match="belongs to another dataset"):
        sealed_truth(foreign, micro.sealed.parent)
    assert sealed_truth(micro.dataset, micro.sealed.parent) is not None


def test_a_world_without_its_truth_is_refused_and_a_real_log_needs_none(micro, tmp_path):
    with pytest.raises(NotFoundError, match="no truth at"):
        sealed_truth(micro.dataset, tmp_path)
    assert sealed_truth(real_log(tmp_path / "log"), tmp_path) is None


DAYS = [dt.date(2022, 4, day) for day in (24, 25, 26)]
USERS, VIDEOS = 30, 40


def real_log(path, liked=0.8):
    """A log as real ones are: no truth, sessions, context, propensities or random traffic.

    The history is one day and knows no clicks. Users of even rows like even videos.
    """
    rng = np.random.default_rng(0)
    writer = DatasetWriter(path, "a real log", "k" * 64)

    def table(columns, names):
        rows = len(next(iter(columns.values())))
        empty = {field.name: pa.nulls(rows, field.type) for field in names}
        return pa.table({**empty, **columns}, schema=names)

    writer.write_users(table({"user_id": np.arange(USERS)}, schema.USERS))
    uploaded = dt.datetime(2022, 4, 1, tzinfo=dt.UTC)
    tags = [[f"kind-{video % 2}"] for video in range(VIDEOS)]
    writer.write_videos(
        table(
            {"video_id": np.arange(VIDEOS), "tags": tags, "uploaded_at": [uploaded] * VIDEOS},
            schema.VIDEOS,
        )
    )
    for place, day in enumerate(DAYS):
        user = np.sort(rng.integers(0, USERS, 300 if place == 0 else 90))
        video = rng.integers(0, VIDEOS, len(user))
        likes = rng.random(len(user)) < np.where(user % 2 == video % 2, liked, liked / 16)
        columns = {
            "impression_id": place * 1_000 + np.arange(len(user)),
            "user_id": user,
            "video_id": video,
            "day": [day] * len(user),
            "long_view": likes,
        }
        if place > 0:
            columns["click"] = likes
        writer.write_day(day, table(columns, schema.IMPRESSIONS))
    return writer.finish()


@pytest.fixture
def judge_real(tmp_path, quick):
    def run(dataset, models=MappingProxyType({}), only=None, **changed):
        content = np.eye(VIDEOS, 8, dtype=np.float32)
        content[8:, 0] = 1.0
        return judge(
            dataset,
            content,
            split(dataset, DatasetsSettings(test_days=2, validation_days=1)),
            sealed_truth(dataset, tmp_path / "truth"),
            quick,
            SETTINGS.model_copy(update=changed),
            runs=tmp_path / "runs",
            other=tmp_path / "log",
            seed=0,
            stages=Stages(say=lambda line: None),
            models=models,
            only=only,
            slate=SlateSettings(trade_off=0.67),
        )

    return run


def test_a_real_log_is_judged_by_long_views_and_without_a_truth(tmp_path, judge_real):
    card = judge_real(real_log(tmp_path / "log"))
    assert card.target == "long_view"
    assert card.facts == []
    names = [model.name for model in card.models]
    assert "oracle" not in names
    assert "informed-observer" not in names
    for model in card.models:
        assert model.truth == {}
        assert model.off_policy == {}
        assert "auc_random" not in model.logged
    ndcg = {model.name: model.logged["ndcg@10"].value for model in card.models}
    assert ndcg["item-knn"] > ndcg["random"] + 0.1
    assert not [line for line in card.protocol if "truth" in line]
    assert len(card.marginals[0].curves) == 1, "a log is not laid beside itself"


class Paged(Popularity):
    """Popularity, cut into pages; it knows of everybody what was seen."""

    fingerprint = "paged"

    def fit(self, view):
        self.view = view
        return super().fit(view)

    def ranked(self, users):
        found = []
        for user, row in zip(users, self.score(users), strict=True):
            seen = self.view.log.video[self.view.log.user == user]
            best = np.setdiff1d(np.argsort(-row, kind="stable")[:30], seen).astype(np.int64)
            said = row[best] / row.max()
            none = np.zeros(len(best), np.float32)
            found.append(Ranked(best, said, none, none.astype(np.uint8)))
        return found

    def pages(self, users):
        return np.stack([np.pad(one.video, (0, 10), constant_values=-1)[:10]
                         for one in self.ranked(users)])  # fmt: skip


def test_on_a_real_log_a_page_is_worth_what_the_log_says_of_it(tmp_path, judge_real):
    entry = Entry(lambda: Paged(7.0), without={"nothing": lambda: Paged(7.0)})
    dataset = real_log(tmp_path / "log")
    card = judge_real(dataset, {"shortlist": entry}, only=["item-knn", "shortlist"], users=25)
    study = card.study
    goals = {goal.key: goal for goal in study.goals}
    assert set(goals) == {"ahead", "tags", "distance", "page_ahead"}
    assert goals["ahead"].against == goals["page_ahead"].against == "item-knn"
    assert not goals["ahead"].holds
    page, plain = study.pages[:2]
    assert {"ndcg@10", "hit_rate@10"} <= set(page.figures)
    own = next(model for model in card.models if model.name == "shortlist")
    assert plain.figures["ndcg@10"] == own.logged["ndcg@10"]
    assert len(study.frontier) > 10
    assert study.frontier[0].figures["ndcg@10"].n < page.figures["ndcg@10"].n
    [nothing] = study.ablations
    assert nothing.differences["ndcg@10"].value == nothing.differences["page:ndcg@10"].value == 0
    assert {b.metric for b in study.breakdowns} >= {"ndcg@10", "place_share@10", "place_worth@10"}
    assert [line for line in card.protocol if line.startswith("Models of this system")]


def test_a_click_that_the_history_does_not_know_cannot_be_asked_for(tmp_path, judge_real):
    with pytest.raises(InputError, match="knows the click of no row"):
        judge_real(real_log(tmp_path / "log"), target="click")


def test_test_days_without_anything_to_find_are_refused(tmp_path, judge_real):
    dataset = real_log(tmp_path / "log", liked=0.0)
    with pytest.raises(InputError, match="nobody has a new long_view in the test days"):
        judge_real(dataset)
