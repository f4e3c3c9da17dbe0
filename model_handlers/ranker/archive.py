"""The archive step: the handler and how many workers call it, as the .mar that TorchServe loads."""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from shortlist.files import make_directory, staged_file
from shortlist.serving.readiness import MODEL
from shortlist.settings.serving import ServingSettings

_HERE = Path(__file__).parent


def write_archive(settings: ServingSettings, into: Path) -> Path:
    """Write the archive to a directory; returns its path.

    The model itself is not in it: the handler takes that from the bundle that is published.

    Raises:
        StorageError: the disk refused.
    """
    make_directory(into)
    target = into / f"{MODEL}.mar"
    # The archiver builds in the system's temporary directory under the model's name: two at a time
    # would delete each other's files.
    with tempfile.TemporaryDirectory() as scratch, staged_file(target) as aside:
        config = Path(scratch) / "model-config.yaml"
        config.write_text(yaml.safe_dump(model_config(settings)), encoding="utf-8")
        exported = Path(scratch) / "exported"
        exported.mkdir()
        command = [sys.executable, "-m", "model_archiver.model_packaging"]
        command += ["--model-name", MODEL, "--version", "1.0"]
        command += ["--handler", str(_HERE / "handler.py"), "--config-file", str(config)]
        command += ["--export-path", str(exported)]
        environ = {"TMPDIR": scratch, "PYTHONPATH": ":".join(filter(None, sys.path))}
        subprocess.run(command, check=True, env=environ, capture_output=True)
        aside.write_bytes((exported / target.name).read_bytes())
    return target


def model_config(settings: ServingSettings) -> dict[str, object]:
    """What TorchServe reads of the model itself.

    A request is a batch of its own: one that waits for company waits the whole delay when alone.
    """
    return {
        "minWorkers": settings.predictor_workers,
        "maxWorkers": settings.predictor_workers,
        "batchSize": 1,
        "maxBatchDelay": 1,
        "responseTimeout": 30,
        "startupTimeout": settings.predictor_start_seconds,
        "jobQueueSize": settings.predictor_queue,
        # Nobody waits longer for an answer, so what waited longer is dropped unanswered.
        "clientTimeoutInMills": int(settings.budget_ms),
        "deviceType": "cpu",
    }
