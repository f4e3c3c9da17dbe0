"""The whole pipeline, every task a process, makes what the steps make when they are called."""

from pathlib import Path

import pytest

from pipelines.local import run_here
from shortlist.errors import ShortlistError
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.settings.world import WorldSettings
from shortlist.steps.line import Line
from shortlist.steps.order import Order


def settings(work: Path, shards: int = 2) -> Settings:
    return Settings(
        seed=11,
        paths=PathsSettings(work=work),
        world=WorldSettings(
            users=40, videos=120, creators=20, days=3, impressions=900, session_length=5.0
        ),
        datasets=DatasetsSettings(test_days=1, validation_days=1),
        pipeline=PipelineSettings(shards=shards),
    )


def test_the_pipeline_puts_out_what_the_line_does_in_one_process(tmp_path: Path):
    # One shard there and two here: neither the shards nor the processes change a byte.
    direct = Line(settings(tmp_path / "direct", shards=1), Stages(say=lambda line: None))
    assert run_here(settings(tmp_path / "tasks")) == direct.recalled.digest


def test_a_task_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    foreign = Order(Order.of(settings(tmp_path)).settings, "f" * 64)
    monkeypatch.setattr(Order, "of", classmethod(lambda cls, settings: foreign))
    with pytest.raises(ShortlistError, match=r"^task 'generate-share' .*failed; its own words"):
        run_here(settings(tmp_path))
    assert "was ordered with other code" in capfd.readouterr().out
