"""A pipeline on this machine that fails says which task did; one that works takes its time.

What it then makes is seen by `tests/integration/test_pipeline.py`.
"""

from pathlib import Path

import pytest

from pipelines.local import run_here
from shortlist.errors import ShortlistError
from shortlist.settings import Settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps.order import Order


def test_a_task_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    settings = Settings(paths=PathsSettings(work=tmp_path))
    foreign = Order(Order.of(settings).settings, "f" * 64)
    monkeypatch.setattr(Order, "of", classmethod(lambda cls, _, here: foreign))
    with pytest.raises(ShortlistError, match=r"^task 'generate-share' .*failed; its own words"):
        run_here(settings)
    assert "was ordered with other code" in capfd.readouterr().out
