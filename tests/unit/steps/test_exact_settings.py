"""A step's settings are those that its body reads, and no more: nothing is redone in vain."""

from pathlib import Path
from typing import Any

import pytest

from shortlist.evaluation.stages import Stages
from shortlist.recall.fitting import fit_recall
from shortlist.recall.tables import Tables
from shortlist.settings import Settings
from shortlist.settings.loading import load
from shortlist.settings.recall import RecallSettings
from shortlist.steps.evaluate import EVALUATE
from shortlist.steps.gate import GATE
from shortlist.steps.index import INDEX
from shortlist.steps.items import ITEMS
from shortlist.steps.line import Line
from shortlist.steps.recall import FITTED, RECALL
from shortlist.steps.recalled import READ, recalled_by_tables
from shortlist.steps.reference import REFERENCE
from shortlist.steps.slate import SLATE
from shortlist.steps.step import settings_of
from shortlist.steps.train import TRAIN

STEPS = (RECALL, TRAIN, INDEX, ITEMS, SLATE, REFERENCE, EVALUATE, GATE)
ALL = {step.name for step in STEPS}
# A setting, another value, and the steps that it redoes by itself; those that read what these put
# out follow where that has changed.
REDONE: list[tuple[str, str, set[str]]] = [
    ("recall.half_life_days", "9", {"recall", "index"}),
    ("recall.als_iterations", "3", {"recall", "index"}),
    ("recall.als_l2", "7", {"recall", "train", "index"}),
    ("recall.tag_interest", "2", {"train", "index"}),
    ("recall.tags_quota", "0.1", {"train", "index"}),
    ("recall.fusion_offset", "60", {"train", "index"}),
    ("recall.index_queries", "7", {"index"}),
    ("recall.flat_up_to", "10", {"index"}),
    ("recall.probe_share", "0.5", {"index"}),
    ("recall.candidates", "50", {"index"}),
    ("recall.vector_weight", "1", {"index"}),
    ("recall.vector_quota", "0.1", {"index"}),
    ("ranker.beta", "0.1", {"train"}),
    ("slate.size", "5", {"slate", "evaluate"}),
    ("slate.trade_off", "0.1", {"evaluate"}),
    ("slate.more_tags", "0.1", {"slate"}),
    ("slate.tuning_users", "9", {"slate"}),
    ("slate.epsilon", "0.5", set()),
    ("slate.temperature", "0.5", set()),
    ("slate.new_days", "1", set()),
    ("evaluation.k", "5", {"evaluate", "gate"}),
    ("evaluation.ablation_users", "9", {"evaluate"}),
    ("evaluation.beside", "other", set()),
    (
        "evaluation.target",
        "long_view",
        {"recall", "train", "slate", "reference", "evaluate", "gate"},
    ),
    ("baselines.rerank_trees", "9", {"evaluate"}),
    ("datasets.test_days", "2", ALL - {"items"}),
    ("datasets.validation_days", "1", {"evaluate"}),
    # By itself it names a place; the kind of log changes slate and passes.
    ("datasets.source", "kuairand:logs", {"train", "slate", "evaluate"}),
    ("pipeline.gate_tolerance", "0.5", {"gate"}),
    ("pipeline.shards", "4", set()),
    ("encoders.batch_size", "9", set()),
    ("paths.work", "elsewhere", set()),
    ("seed", "7", ALL - {"items"}),
]


def under(*assignments: str) -> Settings:
    return load(assignments=assignments, environ={"SHORTLIST_CONFIG": ""}).settings


def read_by_steps(settings: Settings) -> dict[str, dict[str, object]]:
    return {step.name: settings_of(settings, step.settings, step.free) for step in STEPS}


def test_a_setting_redoes_the_steps_that_read_it_and_no_others() -> None:
    before = read_by_steps(under())
    for name, value, redone in REDONE:
        after = read_by_steps(under(f"{name}={value}"))
        assert (name, {step for step in after if after[step] != before[step]}) == (name, redone)


def test_what_a_step_reads_is_in_its_key() -> None:
    before, after = under(), under("recall.half_life_days=9")
    assert RECALL.dependencies(before, {}).key != RECALL.dependencies(after, {}).key
    assert ITEMS.dependencies(before, {}).key == ITEMS.dependencies(after, {}).key


class Watched(RecallSettings):
    """Notes which settings somebody asks for."""

    def __getattribute__(self, name: str) -> Any:
        if name in RecallSettings.model_fields:
            read.add(name)
        return super().__getattribute__(name)


read: set[str] = set()


@pytest.fixture
def line(settings: Settings) -> Line:
    return Line(settings, Stages(say=lambda line: None))


def test_the_tables_are_fitted_by_the_settings_that_the_step_names(line: Line, tmp_path: Path):
    view, watched = line.view, Watched()
    read.clear()
    fit_recall(view, watched, tmp_path / "tables")
    # The record of the tables checks that the quotas add up.
    assert {name for name in read if not name.endswith("_quota")} == set(FITTED)


def test_the_company_of_training_is_found_by_the_settings_that_the_step_names(line: Line):
    view, tables, watched = line.view, line.recalled.path, Watched()
    read.clear()
    recalled_by_tables(view, tables, watched, 20)
    # Of the source that does not take part, weight and quota are looked up in vain; and how many
    # candidates there are is said to it.
    assert read - {"vector_weight", "vector_quota", "candidates"} == set(READ)


def test_tables_bear_no_mark_of_settings_that_do_not_shape_them(line: Line, settings: Settings):
    recall = settings.recall.model_copy(update={"vector_weight": 1.0, "als_iterations": 7})
    both = Line(settings.model_copy(update={"recall": recall}), line.stages)
    assert both.recalled.path != line.recalled.path
    told = [Tables.load(each.recalled.path).settings for each in (line, both)]
    assert [one.als_iterations for one in told] == [settings.recall.als_iterations, 7]
    assert [one.vector_weight for one in told] == [RecallSettings().vector_weight] * 2
