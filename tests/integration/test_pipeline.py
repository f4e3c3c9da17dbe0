"""The whole pipeline, every task a process, makes what the steps make when they are called.

Takes about two minutes, most of it the export of graphs: run by `pytest tests/integration`.
"""

from pathlib import Path

from pipelines.local import run_here
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.settings.ranker import RankerSettings
from shortlist.settings.world import WorldSettings
from shortlist.steps.line import Line

WORLD = WorldSettings(
    users=40, videos=120, creators=20, days=3, impressions=900, session_length=5.0
)
RANKER = RankerSettings(
    width=8,
    encoder_layers=1,
    list_layers=1,
    epochs=1,
    history=8,
    list_size=8,
    list_nearest=8,
    list_recalled=8,
    threads=1,
)


def settings(work: Path, shards: int) -> Settings:
    return Settings(
        seed=11,
        paths=PathsSettings(work=work),
        world=WORLD,
        datasets=DatasetsSettings(test_days=1, validation_days=1),
        ranker=RANKER,
        pipeline=PipelineSettings(shards=shards),
    )


def test_the_pipeline_puts_out_what_the_line_does_in_one_process(tmp_path: Path):
    # One shard there and two here: neither the shards nor the processes change a byte.
    direct = Line(settings(tmp_path / "direct", 1), Stages(say=lambda line: None))
    found = run_here(settings(tmp_path / "tasks", 2))
    assert found == direct.indexed.digest
    assert list((tmp_path / "tasks/steps").iterdir())
