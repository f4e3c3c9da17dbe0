"""`shortlist online`, as a person runs it."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from shortlist.cli.main import run
from shortlist.datasets.events import Kind
from shortlist.datasets.store import Dataset
from shortlist.online.embedded import embedded
from shortlist.online.entries import Action, Event
from shortlist.settings.online import OnlineSettings

from .conftest import ask


def shortlist(settings: OnlineSettings, work: Path, *words: str) -> int:
    given = {
        "paths.work": work,
        "online.url": settings.url,
        "online.slow_timeout_ms": 5000,
        "online.settle_minutes": 0,
    }
    assigned = [part for name, value in given.items() for part in ("--set", f"{name}={value}")]
    return run(["online", *words, *assigned])


def test_a_store_is_loaded_looked_at_and_drained(
    settings: OnlineSettings,
    base: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shortlist(settings, tmp_path, "ping") == 69
    said = capsys.readouterr()
    assert "no dataset is loaded" in said.out
    assert said.err == (
        "error: Redis is not as it should be: nothing is on disk: a restart loses the event log; "
        "set appendonly yes (and 1 more)\n"
    )
    assert shortlist(settings, tmp_path, "load", str(base.path)) == 0
    assert "histories entered" in capsys.readouterr().out
    assert shortlist(settings, tmp_path, "load", str(base.path), "--if-empty") == 0
    assert "nothing to do" in capsys.readouterr().out
    now = time.time() - 10
    impression = Event("a", 5, 110, Action.IMPRESSION, now, Kind.SHOWN)
    click = dataclasses.replace(impression, event_id="b", action=Action.CLICK, at=now + 1)
    ask(settings, lambda store: store.append([impression, click]))
    assert shortlist(settings, tmp_path, "ping") == 69, "nothing is on disk"
    out = capsys.readouterr().out
    assert "40 of 40" in out
    assert "log entries to drain" in out
    assert shortlist(settings, tmp_path, "drain", str(base.path), "--into", "log") == 0
    assert "entries taken" in capsys.readouterr().out
    rows = Dataset.open(tmp_path / "datasets" / "log").impressions().to_pylist()
    assert [(row["user_id"], row["video_id"], row["click"]) for row in rows] == [(5, 110, True)]
    ask(settings, lambda store: store.forget(5))
    ask(settings, lambda store: store.take_down(110))
    assert shortlist(settings, tmp_path, "drain", str(base.path), "--into", "log") == 0
    assert "forgotten users deleted" in capsys.readouterr().out
    ask(settings, lambda store: store.client.run([("FLUSHALL",)]))
    again = ("load", str(base.path), "--log", "log", "--if-empty")
    assert shortlist(settings, tmp_path, *again) == 0
    state = ask(settings, lambda store: store.fetch(5))
    assert not state.known
    assert state.blocked.video.tolist() == [110]
    assert np.array_equal(ask(settings, lambda store: store.history(4)).video, [100, 102, 101, 103])


def test_ping_is_content_with_a_store_that_is_loaded_and_durable(
    base: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with embedded(tmp_path / "redis") as settings:
        assert shortlist(settings, tmp_path, "load", str(base.path)) == 0
        now = time.time() - 10
        event = Event("a", 5, 110, Action.IMPRESSION, now, Kind.SHOWN)
        ask(settings, lambda store: store.append([event]))
        assert shortlist(settings, tmp_path, "ping") == 0
    said = capsys.readouterr()
    assert "log entries to drain" in said.out
    assert said.err == ""


def test_failures_are_one_line(
    settings: OnlineSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = settings.model_copy(update={"url": "redis://127.0.0.1:1"})
    assert shortlist(away, tmp_path, "ping") == 69
    assert capsys.readouterr().err.startswith("error: Redis at redis://127.0.0.1:1 cannot be")
    assert shortlist(settings, tmp_path, "drain") == 66
    assert "no bundle is published" in capsys.readouterr().err
    assert shortlist(settings, tmp_path, "load", "nothing") == 66
    assert run(["online", "ping", "--set", "online.url=redis://:pw@host"]) == 2
    error = capsys.readouterr().err
    assert "online.password" in error
