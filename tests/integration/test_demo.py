"""`shortlist demo` from nothing to a page, found again, and killed in the middle of its steps."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shortlist.bundle import BundleStore

SETTINGS = {
    "seed": 5,
    "world.users": 60,
    "world.videos": 240,
    "world.creators": 30,
    "world.days": 4,
    "world.impressions": 3_600,
    "world.name": "small",
    # Tastes are few, strong and shown at random, so that who learns any of them beats popularity.
    "world.dimensions": 4,
    "world.affinity_deviation": 3.0,
    "world.language_penalty": 10.0,
    "world.random_share": 0.6,
    "datasets.test_days": 2,
    "datasets.validation_days": 1,
    "encoders.width": 32,
    "evaluation.users": 20,
    "evaluation.ablation_users": 5,
    "evaluation.bootstrap": 100,
    "baselines.als_factors": 4,
    "baselines.als_iterations": 2,
    "baselines.rerank_users": 20,
    "baselines.rerank_trials": 1,
    "baselines.rerank_trees": 5,
    "baselines.observer_sweeps": 2,
    "recall.candidates": 60,
    "ranker.width": 16,
    "ranker.encoder_layers": 1,
    "ranker.list_layers": 1,
    "ranker.list_size": 20,
    "ranker.epochs": 6,
    "ranker.patience": 6,
    "ranker.batch_windows": 4,
    "ranker.learning_rate": 0.02,
    "ranker.dropout": 0.1,
    "ranker.averaging": 0.3,
    "ranker.tower_weight": 0.5,
    "ranker.video_prior": 1.0,
    "ranker.creator_prior": 1.0,
    "ranker.threads": 1,
}
STEPS = (
    "data",
    "encode",
    "items",
    "recall",
    "train",
    "index",
    "slate",
    "evaluate",
    "reference",
    "bundle",
    "gate",
    "publish",
)


def command(work: Path) -> list[str]:
    named = {**SETTINGS, "paths.work": work}
    assigned = [part for name, value in named.items() for part in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "shortlist.cli.main", "demo", *assigned]


def demo(work: Path) -> subprocess.CompletedProcess[str]:
    wide = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command(work), capture_output=True, text=True, env=wide, check=False)


def bundles(work: Path) -> list[str]:
    return sorted(path.name for path in (work / "bundles").iterdir() if len(path.name) == 32)


def published(work: Path) -> str | None:
    return BundleStore(work / "bundles").pointer().current


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    work = tmp_path_factory.mktemp("demo")
    return work, demo(work)


def test_it_ends_with_the_table_the_verdict_a_page_the_report_and_a_published_bundle(made):
    work, done = made
    assert done.returncode == 0, done.stderr
    for name in ("shortlist", "informed-observer", "oracle", "popularity-rate"):
        assert re.search(rf"^{name}\b.*\[", done.stdout, re.MULTILINE), name
    assert "page for" in done.stdout
    assert "true rank" in done.stdout
    report = work / "reports" / "small" / "report.html"
    assert f"report: {report}" in done.stdout
    page = report.read_text()
    assert page.startswith("<!doctype html>")
    assert "AUC lost to half precision" in page
    assert "The ranker beats popularity by" in done.stdout
    assert [published(work)] == bundles(work)
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"bundle: {work / 'bundles' / bundles(work)[0]}; another page: ")


def test_a_second_call_finds_every_step_done(made):
    work, first = made
    again = demo(work)
    assert (again.returncode, first.returncode) == (0, 0)
    for step in STEPS:
        line = next(line for line in again.stdout.splitlines() if line.startswith(f"{step}: "))
        assert line.endswith("(unchanged, reused)")
    assert len(bundles(work)) == 1


def test_killed_in_training_and_in_judging_it_goes_on_and_makes_the_same_bundle(
    made, tmp_path: Path
):
    work, _ = made
    for step, begun in (("train", "scratch/**/last.ckpt"), ("evaluate", "scratch")):
        killed = subprocess.Popen(
            command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 300
        while not list(tmp_path.glob(f"steps/{step}/*/{begun}")):
            assert killed.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        assert not list(tmp_path.glob(f"steps/{step}/*/finished"))
    assert demo(tmp_path).returncode == 0
    assert bundles(tmp_path) == bundles(work) == [published(tmp_path)]
