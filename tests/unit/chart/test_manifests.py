"""The chart rendered for Kustomize is current, and the overlays patch what is there."""

import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

MANIFESTS = Path(__file__).parents[3] / "manifests"
OVERLAYS = sorted((MANIFESTS / "overlays").iterdir())


def test_the_rendered_chart_is_current() -> None:
    pages: dict[Path, str] = runpy.run_path(str(MANIFESTS / "render.py"))["pages"]()
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, f"run `make manifests`: {path.name}"


def base() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((MANIFESTS / "base" / "shortlist.yaml").read_text()))


def test_no_secret_and_nothing_of_helms_is_rendered() -> None:
    text = (MANIFESTS / "base" / "shortlist.yaml").read_text()
    assert "helm.sh/" not in text
    assert "Secret" not in [one["kind"] for one in base()]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_an_overlay_patches_what_is_there(overlay: Path) -> None:
    told = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    there = {(one["kind"], one["metadata"]["name"]) for one in base()}
    for patch in told["patches"]:
        target = patch["target"]
        assert [
            name
            for kind, name in there
            if kind == target["kind"] and re.fullmatch(target["name"], name)
        ], target
    for name in (*told["resources"], *told.get("components", ())):
        assert (overlay / name).exists()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_kustomize_builds_an_overlay(overlay: Path) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(overlay)], capture_output=True, text=True, check=True
    )
    objects = list(yaml.safe_load_all(built.stdout))
    namespace = next(one["metadata"]["name"] for one in objects if one["kind"] == "Namespace")
    assert {one["metadata"].get("namespace", namespace) for one in objects} == {namespace}
    assert {one["kind"] for one in objects} >= {"InferenceService", "StatefulSet", "CronJob"}
    (claim,) = (one for one in objects if one["kind"] == "PersistentVolumeClaim")
    one_node = claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert ("podAffinity" in built.stdout) is one_node
    assert ("topologySpreadConstraints" in built.stdout) is not one_node


def test_the_kind_cluster_is_made_of_pinned_versions() -> None:
    text = (MANIFESTS / "kind" / "up.sh").read_text()
    assert "kindest/node:v" in text
    assert text.count("--version") == 3
    assert "latest" not in text
    subprocess.run(["bash", "-n", str(MANIFESTS / "kind" / "up.sh")], check=True)


@pytest.fixture
def kind(tmp_path: Path) -> Callable[..., str]:
    """Makes a cluster by programs that only note what they are asked; what was asked of them."""
    programs, calls = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    for name in ("kind", "kubectl", "helm", "docker"):
        stub = programs / name
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n')
        stub.chmod(0o755)

    def made(**variables: str) -> str:
        path = f"{programs}:{os.environ['PATH']}"
        subprocess.run(
            ["bash", str(MANIFESTS / "kind" / "up.sh")],
            env={"PATH": path, **variables},
            capture_output=True,
            check=True,
        )
        return calls.read_text()

    return made


def test_the_kind_cluster_is_given_all_images_also_the_object_store(
    kind: Callable[..., str],
) -> None:
    asked = kind(PREFIX="a/b", TAG="7")
    for role in ("training", "ranker", "transformer", "object-store"):
        assert f"docker image inspect a/b/{role}:7" in asked
    assert asked.count("kind load image-archive") == 4


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_kind_cluster_looks_for_the_tag_that_images_are_built_with(
    kind: Callable[..., str],
) -> None:
    builder = str(MANIFESTS.parent / "images" / "build")
    tag = subprocess.run([builder, "--tag"], capture_output=True, text=True, check=True)
    assert f"docker image inspect shortlist/training:{tag.stdout.strip()}\n" in kind()
