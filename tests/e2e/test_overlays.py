"""The API server takes what Kustomize makes of the overlays, and makes nothing of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster import Cluster, run  # type: ignore[import-not-found]

OVERLAYS = Path(__file__).parents[2] / "manifests" / "overlays"
MONITOR = "PodMonitor"


@pytest.fixture(scope="module")
def namespace(asked_for, asked) -> Iterator[Cluster]:
    """Where they would be made: objects are only judged in a namespace that is there."""
    cluster = Cluster(f"{asked['NAMESPACE']}-overlays")
    cluster.drop()
    cluster.make()
    yield cluster
    if not asked["KEEP"]:
        cluster.drop()


@pytest.mark.parametrize("name", ["development", "production"])
def test_the_api_server_takes_an_overlay(namespace, name) -> None:
    objects = list(yaml.safe_load_all(run("kubectl", "kustomize", str(OVERLAYS / name)).stdout))
    known = run("kubectl", "api-resources", "--api-group=monitoring.coreos.com", "--no-headers")
    taken = [
        one
        for one in objects
        if one["kind"] != "Namespace" and (one["kind"] != MONITOR or MONITOR in known.stdout)
    ]
    for one in taken:
        one["metadata"]["namespace"] = namespace.namespace
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": taken})
    said = namespace.kubectl(
        *("apply", "--dry-run=server", "--validate=strict", "--filename", "-"), told=listed
    )
    assert said.count("(server dry run)") == len(taken)
    assert namespace.names("inferenceservices") == []
