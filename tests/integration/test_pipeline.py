"""The whole pipeline, every task a process, makes what the steps make when they are called.

Takes more than a minute: run by `pytest tests/integration`.
"""

from pathlib import Path

from pipelines.local import run_here
from shortlist.bundle import BundleStore
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.settings.ranker import RankerSettings
from shortlist.settings.world import WorldSettings
from shortlist.steps.line import Line

# Tastes are few, strong and shown at random, so that who learns any of them beats popularity.
WORLD = WorldSettings(
    users=40,
    videos=120,
    creators=20,
    days=3,
    impressions=3_600,
    session_length=5.0,
    dimensions=4,
    affinity_deviation=3.0,
    language_penalty=10.0,
    random_share=0.6,
)
RANKER = RankerSettings(
    width=16,
    encoder_layers=1,
    list_layers=1,
    epochs=6,
    patience=6,
    batch_windows=4,
    learning_rate=0.02,
    dropout=0.1,
    averaging=0.3,
    tower_weight=0.5,
    video_prior=1.0,
    creator_prior=1.0,
    history=8,
    list_size=8,
    list_nearest=8,
    list_recalled=8,
    threads=1,
)


BASELINES = BaselinesSettings(
    rerank_users=20, rerank_trials=1, rerank_trees=5, observer_sweeps=2, als_iterations=2
)


def settings(work: Path, shards: int) -> Settings:
    return Settings(
        seed=11,
        paths=PathsSettings(work=work),
        world=WORLD,
        datasets=DatasetsSettings(test_days=1, validation_days=1),
        ranker=RANKER,
        baselines=BASELINES,
        evaluation=EvaluationSettings(users=30, bootstrap=100),
        pipeline=PipelineSettings(shards=shards),
    )


def test_the_pipeline_makes_the_bundle_that_the_line_makes_in_one_process(tmp_path: Path):
    # One shard there and two here: neither the shards nor the processes change a byte.
    direct = Line(settings(tmp_path / "direct", 1), Stages(say=lambda line: None))
    tasks = settings(tmp_path / "tasks", 2)
    assert run_here(tasks) == direct.bundle.id
    store = BundleStore(tasks.paths.bundles)
    assert [one.id for one in store.bundles()] == [direct.bundle.id]
    assert direct.verdict.passed
    assert store.pointer().current == direct.bundle.id
    (published,) = (tmp_path / "tasks/pipeline").glob("**/publish/published")
    assert published.read_text() == f"bundles/{direct.bundle.id}\n"
    reports = list((tmp_path / "tasks/pipeline").glob("*/evaluate/report"))
    assert len(reports) == 1
    assert reports[0].read_text().startswith("<!doctype html>")
