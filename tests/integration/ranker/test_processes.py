"""Training in processes of its own: killed in the middle of an epoch, and by two at a time.

Takes two minutes, most of it the start of processes: run by `pytest tests/integration`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

HERE = Path(__file__).parent
MICRO = HERE.parents[1] / "unit/ranker/conftest.py"
PATIENCE = 900


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **more}


def worker(into: Path, scratch: Path, *more: str) -> list[str]:
    return [str(HERE / "worker.py"), str(MICRO), str(into), str(scratch), *more]


def torchrun(*command: str) -> subprocess.CompletedProcess[str]:
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*started, "--nproc-per-node", "2", *command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_run_killed_inside_an_epoch_ends_in_the_same_bytes(tmp_path: Path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for place in (killed, whole):
        place.mkdir()
    paused = worker(killed / "ranker", killed / "scratch", "--pause", "1:2")
    with subprocess.Popen([sys.executable, *paused], env=environment()) as process:
        deadline = time.monotonic() + PATIENCE
        while not (killed / "paused").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (killed / "scratch/checkpoints/last.ckpt").is_file()
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "ranker").exists()
    # Neither the order of hashes nor the process has a say in the bytes.
    for place, seed in ((killed, "1"), (whole, "2")):
        command = [sys.executable, *worker(place / "ranker", place / "scratch")]
        ended = subprocess.run(
            command,
            env=environment(PYTHONHASHSEED=seed),
            timeout=PATIENCE,
            check=True,
            capture_output=True,
            text=True,
        )
        # Neither Lightning nor the exporter has anything to remark.
        assert ended.stderr == ""
    assert files_of(killed / "ranker") == files_of(whole / "ranker")
    curves = json.loads((killed / "ranker/curves.json").read_text())
    assert [epoch for epoch, _ in curves["validation/outcome"]] == [0, 1, 2]


def test_two_processes_train_one_model_and_the_first_writes(tmp_path: Path):
    told = []
    for run in ("one", "two"):
        into = tmp_path / run
        ended = torchrun(*worker(into, tmp_path / f"{run}-scratch", "--processes", "2"))
        assert ended.returncode == 0, ended.stderr
        first, second = (json.loads((into / f"{rank}.json").read_text()) for rank in (0, 1))
        assert first == second
        curves = json.loads((into / "curves.json").read_text())
        losses = [loss for _, loss in curves["validation/outcome"]]
        assert len(losses) == 3
        assert losses[-1] < losses[0] - 0.02
        # One of them writes logs and checkpoints.
        assert len(list((tmp_path / f"{run}-scratch/tensorboard").glob("events.*"))) == 1
        told.append((first, curves))
    assert told[0] == told[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    settings = {
        "seed": 11,
        "world": {"users": 40, "videos": 120, "creators": 20, "days": 3, "impressions": 900},
        "datasets": {"test_days": 1, "validation_days": 1},
        "paths": {"work": str(tmp_path / "work"), "cache": str(tmp_path / "cache")},
        "ranker": {
            "width": 8,
            "encoder_layers": 1,
            "list_layers": 1,
            "epochs": 1,
            "history": 8,
            "list_size": 8,
            "list_nearest": 8,
            "list_recalled": 8,
            "batch_windows": 4,
            "threads": 1,
            "processes": 2,
        },
    }
    path = tmp_path / "shortlist.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_the_verb_trains_by_torchrun_and_finds_what_it_trained(config: Path, tmp_path: Path):
    command = ["-m", "shortlist.cli.main", "train", "--config", str(config)]
    ended = torchrun(*command)
    assert ended.returncode == 0, ended.stderr
    # Both processes ran, and one of them spoke.
    assert [line.split(":")[0] for line in ended.stdout.splitlines()[:4]] == [
        "data",
        "encode",
        "recall",
        "train",
    ]
    (ranker,) = (tmp_path / "work/steps/train").glob("*/finished/output")
    assert np.load(ranker / "vectors.npy", allow_pickle=False).shape == (120, 128)
    again = torchrun(*command)
    assert again.returncode == 0, again.stderr
    assert "unchanged, reused" in again.stdout.splitlines()[3]
    # What two have trained, one finds; but one alone would not train the same.
    found, other = (
        subprocess.run(
            [sys.executable, *command, "--set", f"ranker.epochs={epochs}"],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        for epochs in (1, 2)
    )
    assert "unchanged, reused" in found.stdout.splitlines()[3]
    assert other.returncode == 2
    assert "torchrun --nproc-per-node 2 -m shortlist.cli.main train" in other.stderr
