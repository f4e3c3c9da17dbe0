"""The chart is installed as its README says, and answers as its notes say."""

import json
import os
import signal
import subprocess

import pytest


def test_the_first_page_is_there_when_the_installation_returns(release, installed, seen) -> None:
    if installed is None:
        pytest.skip("SHORTLIST_E2E_KEEP: the release was there already")
    for line in installed.lines():
        seen(line)
    assert 0 < installed.first_page <= installed.returned + 1
    page = release.page(1)
    assert not page["degraded"]
    assert len({video["video_id"] for video in page["videos"]}) == 10


def test_every_pod_passes_pod_security_restricted(release, installed) -> None:
    namespace = json.loads(
        release.cluster.kubectl("get", "namespace", release.cluster.namespace, "--output", "json")
    )
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for component in ("redis", "predictor", "transformer", "toolbox"):
        assert release.ready(component), component


def test_the_inference_service_is_ready_with_two_pods_of_each(release, installed) -> None:
    release.settle()
    (found,) = release.cluster.items("inferenceservices")
    held = {one["type"]: one["status"] for one in found["status"]["conditions"]}
    assert held["Ready"] == "True", held
    assert found["status"]["servingRuntimeName"] == f"{release.name}-ranker"
    assert found["status"]["modelStatus"]["states"]["activeModelState"] == "Loaded"
    # KServe adds nothing of its own: neither an agent nor a container that copies bundles.
    for pod in release.pods("predictor"):
        assert [one["name"] for one in pod["spec"]["containers"]] == ["kserve-container"]
        assert [one["name"] for one in pod["spec"]["initContainers"]] == ["storage-initializer"]
    assert [len(release.ready(one)) for one in ("predictor", "transformer")] == [2, 2]


def test_helm_test_passes_and_leaves_no_pod(release, installed) -> None:
    said = release.cluster.helm("test", release.name, "--timeout", "5m", seconds=330)
    assert "Phase:          Succeeded" in said
    assert release.pods("test") == []


def test_the_request_of_the_notes_works_when_pasted(release, installed) -> None:
    notes = release.cluster.helm("get", "notes", release.name)
    begin = notes.index("Ask for a page:")
    block = notes[begin:].split("\n\n")[1]
    shell = subprocess.Popen(
        ["bash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ,
    )
    try:
        # What was forwarded goes on until the shell is closed; the answer is one line before that.
        said, _ = shell.communicate(f"{block}\necho\nkill %1\n", timeout=120)
    finally:
        with_group_ended(shell.pid)
    page = json.loads(said.splitlines()[0])["predictions"][0]
    assert len(page["videos"]) == 10


def test_the_wait_of_the_notes_is_over(release, installed) -> None:
    notes = release.cluster.helm("get", "notes", release.name)
    block = notes[notes.index("Wait until it serves:") :].split("\n\n")[1]
    said = subprocess.run(
        ["bash"], input=block, capture_output=True, text=True, timeout=120, check=True
    )
    assert "condition met" in said.stdout


def test_an_upgrade_that_changes_nothing_keeps_pods_and_passwords(release, installed) -> None:
    release.settle()
    parts = ("redis", "predictor", "transformer", "toolbox")
    before = {part: sorted(release.ready(part)) for part in parts}
    key = release.key
    release.install("upgrade")
    assert {part: sorted(release.ready(part)) for part in parts} == before
    release._keys.clear()
    assert release.key == key


def with_group_ended(group: int) -> None:
    """Whatever a shell has started ends with it."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
