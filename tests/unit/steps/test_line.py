"""The line finds what is unchanged and redoes exactly what depends on what changed."""

import logging
from pathlib import Path

import pytest

from shortlist.errors import RefusedError
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.steps import data
from shortlist.steps.line import Line, expect
from shortlist.steps.order import Order
from shortlist.world import generate


def reused(settings: Settings) -> dict[str, bool]:
    stages = Stages(say=lambda line: None)
    line = Line(settings, stages)
    assert line.recalled is line.recalled
    return {stage.name: stage.reused for stage in stages.finished}


def changed(settings: Settings, branch: str, **values: object) -> Settings:
    return settings.model_copy(update={branch: getattr(settings, branch).model_copy(update=values)})


def test_a_second_run_reuses_everything(settings: Settings):
    assert reused(settings) == {"data": False, "encode": False, "recall": False}
    assert reused(settings) == {"data": True, "encode": True, "recall": True}


def test_a_setting_redoes_what_depends_on_it_and_nothing_else(settings: Settings):
    reused(settings)
    for branch, values, redone in (
        ("recall", {"half_life_days": 9.0}, {"recall"}),
        ("encoders", {"width": 64}, {"encode", "recall"}),
        ("slate", {"size": 5}, set()),
        ("pipeline", {"gate_tolerance": 0.5}, set()),
        ("evaluation", {"users": 7}, set()),
        ("datasets", {"source": "world"}, set()),
        ("world", {"tiring": 0.1}, {"data", "recall"}),
    ):
        found = reused(changed(settings, branch, **values))
        assert {name for name, again in found.items() if not again} == redone, branch


def test_a_step_that_puts_out_the_same_stops_the_rest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    reused(settings)
    # As after a comment in the world's code: another key, the same bytes.
    for module in (data, generate):
        monkeypatch.setattr(module, "world_key", lambda settings, seed: "e" * 64)
    assert reused(settings) == {"data": False, "encode": True, "recall": True}


def test_an_ordered_line_says_and_makes_the_same(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    direct = Line(settings, Stages(say=lambda line: None)).recalled
    order = Order.of(settings)
    ordered = Line.ordered(order.settings, order.key, str(tmp_path / "elsewhere"))
    assert ordered.recalled.digest == direct.digest
    assert ordered.recalled.path.is_relative_to(tmp_path / "elsewhere")
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "data",
        "encode",
        "recall",
    ]


def test_an_ordered_line_lets_no_library_chatter(
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    order = Order.of(settings)
    with caplog.at_level(logging.INFO):  # As kfp asks for.
        Line.ordered(order.settings, order.key, str(tmp_path))
        logging.getLogger("some.library").info("folded a constant")
        logging.getLogger("some.library").warning("something is wrong")
    assert [record.message for record in caplog.records] == ["something is wrong"]


def test_an_output_that_changed_under_a_run_is_refused():
    expect("data", "a" * 64, "a" * 64)
    with pytest.raises(RefusedError, match="step data has changed since the run began"):
        expect("data", "a" * 64, "b" * 64)
