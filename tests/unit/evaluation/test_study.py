"""A trained model before the judge: who beats whom, its page, frontier, parts and errors."""

import numpy as np
import pytest

from shortlist.baselines.observer.model import InformedObserver
from shortlist.baselines.popularity import Popularity
from shortlist.errors import RefusedError
from shortlist.evaluation.breakdowns import by_age, by_quantiles
from shortlist.evaluation.descriptions import OBSERVER, RANDOM
from shortlist.evaluation.frontier import points_of_frontier
from shortlist.evaluation.goals import list_goals
from shortlist.evaluation.judge import judge
from shortlist.evaluation.metrics.beyond_accuracy import distinct_tags
from shortlist.evaluation.scorecard import Fact
from shortlist.evaluation.stages import Stages
from shortlist.evaluation.study import Entry
from shortlist.evaluation.tally import Tally
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import select_pages
from shortlist.slate.ranked import Ranked

SETTINGS = EvaluationSettings(users=40, ablation_users=15, bootstrap=100)
SLATE = SlateSettings(trade_off=0.6)
KNOWN = object()
"""The truth of the world, where no other is given."""
HEADLINE = "expected_gain_ndcg@10"
CURVES = {"validation/outcome": [(0, 0.7), (1, 0.5), (2, 0.6)], "train/outcome": [(0, 0.8)]}


class Trained:
    """A model that knows nearly what the observer knows, and draws pages from its best 30."""

    name = "shortlist"
    fitted = 0

    def __init__(self, fingerprint="a", personal=True, cheats=False):
        self.fingerprint = f"{fingerprint}, personal {personal}"
        self._model = InformedObserver(8, 4) if personal else Popularity(7.0)
        self._cheats = cheats

    def fit(self, view):
        type(self).fitted += 1
        self._view = view
        self._model.fit(view)
        return self

    def score(self, users):
        return self._model.score(users)

    def predict(self, rows):
        return self._model.predict(rows)

    def ranked(self, users):
        view, scores = self._view, self.score(users)
        scores = scores - scores.min(axis=1, keepdims=True)
        scores /= 2 * scores.max(axis=1, keepdims=True)
        live = view.catalogue.uploaded_before(view.as_of)
        found = []
        for user, row in zip(users, scores, strict=True):
            open_ = live.copy()
            if not self._cheats:
                open_[view.log.video[view.log.user == user]] = False
            best = np.argsort(-np.where(open_, row, -1), kind="stable")[:30]
            best = best[open_[best]]
            said = row[best].astype(np.float32)
            zeros = np.zeros(len(best))
            found.append(Ranked(best, said, zeros.astype(np.float32), zeros.astype(np.uint8)))
        return found

    def pages(self, users):
        items = SlateItems.from_catalogue(self._view.catalogue, self._view.content)
        return select_pages(self.ranked(users), items, SLATE)


class Bench:
    def __init__(self, micro, baselines, runs):
        self.micro, self.baselines, self.runs = micro, baselines, runs

    def judge(self, make=Trained, truth=KNOWN, **changed):
        stages = Stages(say=lambda line: None)
        entry = Entry(
            make,
            description="The one to be served.",
            without={"history": lambda: Trained(personal=False), "nothing": Trained},
            curves=CURVES,
            facts=[Fact(name="AUC lost to half precision", value=0.0001, expected="below 0.001")],
        )
        arguments = {"only": ["popularity", "als", "informed-observer", "shortlist"]} | changed
        card = judge(
            self.micro.dataset,
            self.micro.content,
            self.micro.cut,
            self.micro.truth if truth is KNOWN else truth,
            self.baselines,
            SETTINGS,
            runs=self.runs,
            other=self.runs / "no such dataset",
            seed=0,
            stages=stages,
            models={"shortlist": entry},
            slate=SLATE,
            **arguments,
        )
        self.reused = {stage.name for stage in stages.finished if stage.reused}
        return card


@pytest.fixture(scope="module")
def bench(micro, quick, tmp_path_factory):
    return Bench(micro, quick, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module", autouse=True)
def _shallow():
    """The micro world has more videos than candidate lists are deep, as larger worlds have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shortlist.evaluation.performance.DEEP", 150)
        yield


@pytest.fixture(scope="module")
def card(bench):
    return bench.judge()


@pytest.fixture(scope="module")
def study(card):
    return card.study


def model(card, name):
    return next(model for model in card.models if model.name == name)


def test_the_model_stands_beside_the_baselines_as_one_of_this_system(card):
    found = model(card, "shortlist")
    assert (found.family, found.description) == ("model", "The one to be served.")
    twin = model(card, "informed-observer")
    assert found.truth == twin.truth
    assert found.logged == twin.logged


def test_the_model_is_compared_with_everybody_on_every_metric_that_decides(card):
    others = {"random", "popularity", "als", "informed-observer", "oracle"}
    for metric in (HEADLINE, "page_value@10", "ndcg@10"):
        asked = [pair for pair in card.differences if pair.metric == metric]
        assert {pair.second for pair in asked if pair.first == "shortlist"} == others
        drawn = {frozenset((pair.first, pair.second)) for pair in asked}
        assert len(drawn) == len(asked), "no pair is compared twice"
    gap = next(pair for pair in card.differences if pair.second == "informed-observer").difference
    assert (gap.low, gap.value, gap.high) == (0, 0, 0)


def test_goals_are_measured_against_observer_and_baselines(study):
    goals = {goal.key: goal for goal in study.goals}
    assert (goals["ahead"].against, goals["ahead"].holds) == ("als", True)
    assert goals["lift"].measured.value == goals["recall"].measured.value == 1.0
    assert goals["auc_logged"].measured.value == goals["auc_random"].measured.value == 0.0
    for key in ("lift", "recall", "auc_logged", "auc_random"):
        assert goals[key].holds
    loss = study.changes["page_value@10"]
    assert goals["value_loss"].measured.value == -loss.value
    assert goals["value_loss"].measured.low == -loss.high
    assert goals["value_loss"].holds == (loss.value >= -0.01)
    assert goals["lift"].demanded == "at least 90\N{NO-BREAK SPACE}%"
    assert goals["value_loss"].demanded == "at most 1\N{NO-BREAK SPACE}%"
    assert goals["auc_logged"].demanded == "at most 0.02"
    assert "page_ahead" not in goals


def test_a_lead_of_the_page_on_the_log_is_asked_of_real_logs(micro, quick, tmp_path):
    found = Bench(micro, quick, tmp_path).judge(truth=None, only=["popularity", "shortlist"])
    keys = [goal.key for goal in found.study.goals]
    assert "page_ahead" in keys
    assert "lift" not in keys


def test_recall_is_not_asked_for_where_it_tells_nobody_apart(micro):
    figures = {name: {HEADLINE: np.arange(4.0)} for name in ("shortlist", OBSERVER, "als")}
    figures[RANDOM] = {HEADLINE: np.full(4, -1.0)}
    found = list_goals("shortlist", Tally({}, figures), {}, micro.arena, 10, 100, 0)
    assert [goal.key for goal in found] == ["ahead", "lift"]


def test_the_page_is_judged_beside_the_plain_list_and_others(study, micro):
    by_kind = {kind: [p for p in study.pages if p.kind == kind] for kind in ("page", "plain")}
    [page], [plain] = by_kind["page"], by_kind["plain"]
    names = [p.name for p in study.pages if p.kind == "other"]
    assert names[0] == "random"
    assert names[-2:] == ["informed-observer", "oracle"]
    before, after = plain.figures["distinct_tags@10"].value, page.figures["distinct_tags@10"].value
    assert study.changes["distinct_tags@10"].value == pytest.approx(after / before - 1)
    assert after > before
    fitted = Trained().fit(micro.arena.view)
    pages = fitted.pages(micro.arena.sample)
    assert after == pytest.approx(distinct_tags(pages, micro.arena.catalogue.tags).mean())
    for found in study.pages:
        worn, fresh = found.figures["page_value@10"], found.figures["static_value@10"]
        assert worn.value <= fresh.value, "a page cannot gain from tiring"
        assert 0 < found.figures["coverage@10"].value <= 1


def test_the_frontier_holds_the_page_as_served_and_ten_other_settings(study):
    assert len(study.frontier) > 10
    assert {point.method for point in study.frontier} == {"dpp", "mmr"}
    [default] = [point for point in study.frontier if point.default]
    [page] = [page for page in study.pages if page.kind == "page"]
    assert (default.method, default.trade_off) == (SLATE.method, SLATE.trade_off)
    assert default.figures == page.figures
    dpp = [p.figures["distinct_tags@10"].value for p in study.frontier if p.method == "dpp"]
    assert dpp[0] == min(dpp)
    assert dpp[-1] > dpp[0]


def test_the_default_is_not_drawn_twice_where_it_lies_on_the_grid():
    pairs = points_of_frontier("dpp", 0.4)
    assert len(pairs) == len(set(pairs)) == 13


def test_a_part_is_worth_what_the_model_loses_without_it(study):
    same = {one.part: (one.same_lists, one.same_pages) for one in study.ablations}
    assert same == {"history": (False, False), "nothing": (True, True)}
    parts = {ablation.part: ablation.differences for ablation in study.ablations}
    assert set(parts) == {"history", "nothing"}
    assert parts["history"][HEADLINE].high < 0
    assert parts["history"][HEADLINE].n == SETTINGS.ablation_users
    for difference in parts["nothing"].values():
        assert (difference.low, difference.value, difference.high) == (0, 0, 0)
    assert "page:page_value@10" in parts["history"]


def test_breakdowns_hold_everybody_once_and_add_up_to_the_whole(study, card):
    [activity] = [b for b in study.breakdowns if b.metric == HEADLINE]
    assert set(activity.models) == {"shortlist", "als", "informed-observer"}
    groups = activity.models["shortlist"]
    assert len(groups) == len(activity.groups)
    assert sum(group.n for group in groups) == SETTINGS.users
    mean = sum(group.n * group.value for group in groups) / SETTINGS.users
    assert mean == pytest.approx(model(card, "shortlist").truth[HEADLINE].value)
    [shares] = [b for b in study.breakdowns if b.metric == "place_share@10"]
    assert shares.groups[0] == "no event yet"
    for places in shares.models.values():
        assert sum(e.value for e in places if e.n) == pytest.approx(1.0)


def test_training_and_facts_are_kept_and_the_best_epoch_is_that_of_the_lowest_validation(study):
    assert study.best_epoch == 2
    assert [curve.x for curve in study.training] == [[1, 2, 3], [1]]
    assert {curve.label: curve.y for curve in study.training} == {
        "validation/outcome": [0.7, 0.5, 0.6],
        "train/outcome": [0.8],
    }
    assert study.facts[0].name == "AUC lost to half precision"


def test_a_second_run_asks_the_model_nothing_and_says_the_same(bench, card):
    before = Trained.fitted
    again = bench.judge()
    assert Trained.fitted == before
    assert {"shortlist", "without history", "without nothing"} <= bench.reused
    # As JSON, where an unknown figure equals another.
    assert again.model_dump_json(exclude={"made_at"}) == card.model_dump_json(exclude={"made_at"})


def test_a_model_that_was_trained_anew_or_whose_pages_are_torn_has_its_turn_again(bench, card):
    [kept] = bench.runs.glob("*/shortlist-*.pages.npz")
    kept.write_bytes(kept.read_bytes()[:-100])
    again = bench.judge()
    assert "shortlist" not in bench.reused
    assert again.study.pages == card.study.pages
    bench.judge(lambda: Trained(fingerprint="b"), only=["shortlist"])
    assert "shortlist" not in bench.reused


def test_a_page_of_what_was_seen_is_refused(bench, card):
    with pytest.raises(RefusedError, match=r"shortlist: the page of user row \d+ shows video row"):
        bench.judge(lambda: Trained(fingerprint="c", cheats=True))


def test_baselines_alone_are_not_studied(bench, card):
    assert bench.judge(only=["popularity"]).study is None


def test_groups_of_counts_are_about_equal_and_hold_everybody():
    counts = np.array([0, 0, 0, 1, 2, 3, 4, 50])
    found = by_quantiles(counts, np.arange(7), parts=3)
    assert found.labels == ["0", "1 to 2", "3 to 50"]
    assert found.place.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert by_quantiles(np.zeros(4, int), np.arange(4)).labels == ["0"]


def test_videos_are_grouped_by_age_and_those_without_events_apart(micro):
    arena = micro.arena
    seen = np.unique(arena.view.log.video)
    unseen = np.setdiff1d(np.arange(len(arena.catalogue)), seen)
    assert len(unseen)
    video = np.concatenate([seen[:1].repeat(4), unseen[:1]])
    uploaded = arena.catalogue.upload_day[video]
    found = by_age(arena, video, uploaded + np.array([0, 3, 30, 31, 2]))
    assert [found.labels[place] for place in found.place] == [
        "0 to 2", "3 to 7", "8 to 30", "over 30", "no event yet",
    ]  # fmt: skip
