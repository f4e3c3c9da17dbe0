"""``python -m model_handlers.ranker`` is TorchServe itself, as a container wants it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from model_handlers.ranker.server import worker_environment
from shortlist.online.embedded import free_port
from shortlist.serving.readiness import why_not_ready

PORTS = ("predictor_port", "predictor_management_port", "predictor_metrics_port")


@pytest.fixture
def settings(trained):
    chosen = {name: free_port() for name in PORTS} | {"predictor_start_seconds": 240}
    serving = trained.settings.serving.model_copy(update=chosen)
    return trained.settings.model_copy(update={"serving": serving})


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Shorter than pytest's own, which leave no room for the name of a socket."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def foreground(settings, temporary: Path, tmp_path: Path) -> "subprocess.Popen[bytes]":
    environ = worker_environment(settings, os.environ) | {"TMPDIR": str(temporary)}
    with (tmp_path / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "model_handlers.ranker"], env=environ, stdout=log, stderr=log
        )


def test_it_becomes_ready_and_ends_with_sigterm_workers_and_all(
    settings, temporary, tmp_path
) -> None:
    process, ends = foreground(settings, temporary, tmp_path), time.monotonic() + 300
    family = [psutil.Process(process.pid)]
    try:
        while why_not_ready(settings.serving.predictor_management_port) is not None:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < ends, (tmp_path / "log").read_text()
            time.sleep(0.2)
        assert "org.pytorch.serve.ModelServer" in family[0].cmdline()
        family += family[0].children(recursive=True)
        assert len(family) > 1
        process.terminate()
        process.wait(60)
        _, left = psutil.wait_procs(family[1:], timeout=60)
        assert left == []
    finally:
        for one in family:
            if one.is_running():
                one.kill()
        process.wait()


def test_a_port_in_use_is_a_sentence_and_an_exit_code(settings, temporary, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", settings.serving.predictor_port)):
        process = foreground(settings, temporary, tmp_path)
        assert process.wait(120) == 2
    said = (tmp_path / "log").read_text()
    assert said.startswith("shortlist: serving.predictor_port cannot be ")
