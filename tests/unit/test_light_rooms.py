"""Rooms that a torch-free image will carry load no model library, in a fresh interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MODEL_LIBRARIES = {"implicit", "lightgbm", "matplotlib", "sklearn", "torch", "transformers"}
OTHER_ROOMS = {
    "shortlist.baselines",
    "shortlist.encoders",
    "shortlist.evaluation",
    "shortlist.world",
}

LIST_MODULES = """
import importlib, json, pkgutil, sys
room = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(getattr(room, "__path__", []), room.__name__ + "."):
    importlib.import_module(found.name)
print(json.dumps(sorted(sys.modules)))
"""


def modules_loaded_with(room: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, room], capture_output=True, text=True, check=True
    )
    return set(json.loads(ended.stdout))


@pytest.mark.parametrize(
    "room",
    [
        "shortlist.bundle",
        "shortlist.datasets",
        "shortlist.errors",
        "shortlist.files",
        "shortlist.online",
        "shortlist.progress",
        "shortlist.recall",
        "shortlist.recommender",
        "shortlist.settings",
        "shortlist.slate",
        "shortlist.source",
        "shortlist.spelling",
        "shortlist.telemetry",
        "shortlist.wire",
    ],
)
def test_a_light_room_loads_no_model_library_and_no_other_room(room: str) -> None:
    assert modules_loaded_with(room) & (MODEL_LIBRARIES | OTHER_ROOMS) == set()


def test_the_check_would_see_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").touch()
    (tmp_path / "room.py").write_text("import torch\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "torch" in modules_loaded_with("room")


@pytest.mark.parametrize(
    "face", ["baselines", "encoders", "evaluation", "evaluation.judge", "steps.line", "world"]
)
def test_the_face_of_a_heavy_room_is_light(face: str) -> None:
    code = f"import json, sys, shortlist.{face}; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(ended.stdout)) & MODEL_LIBRARIES == set()
