"""A Prometheus of the cluster finds the pods by the chart's PodMonitors, and counts their pages."""

import json
import urllib.parse
from collections.abc import Iterator

import httpx
import pytest
from cluster import Cluster, run, wait_for  # type: ignore[import-not-found]

LABEL = "operated-prometheus=true"
SECONDS = 180


@pytest.fixture(scope="module")
def prometheus(asked_for) -> Iterator[str]:
    """Where the cluster's Prometheus answers, which the operator runs."""
    known = run("kubectl", "api-resources", "--api-group=monitoring.coreos.com", "--no-headers")
    if "podmonitors" not in known.stdout:
        pytest.skip("the cluster has no Prometheus operator, so no PodMonitors")
    said = run(
        *("kubectl", "get", "services", "--all-namespaces", "--selector", LABEL),
        *("--output", "json"),
    )
    services = json.loads(said.stdout)["items"]
    if not services:
        pytest.skip(f"no Prometheus in the cluster: no service with the label {LABEL}")
    metadata = services[0]["metadata"]
    with Cluster(metadata["namespace"]).forwarded(f"service/{metadata['name']}", 9090) as address:
        yield address


@pytest.mark.parametrize("component", ["transformer", "predictor"])
def test_every_pod_is_a_target_that_is_up(shortlist, prometheus, component) -> None:
    monitor = f"podMonitor/{shortlist.cluster.namespace}/shortlist-{component}/"

    def up() -> bool:
        told = httpx.get(f"{prometheus}/api/v1/targets?state=active", timeout=20).json()
        states = {
            target["labels"]["pod"]: target["health"]
            for target in told["data"]["activeTargets"]
            if target["scrapePool"].startswith(monitor)
        }
        pods = set(shortlist.ready(component))
        assert {name: states.get(name) for name in pods} == dict.fromkeys(pods, "up")
        return True

    wait_for(f"targets of {monitor} are up", up, SECONDS, 3)


@pytest.mark.parametrize(
    ("series", "pods"),
    [
        ("shortlist_pages_total", 2),
        ("shortlist_bundle_info", 2),
        # Transformers keep their connections: where few ask at a time, one predictor may do all.
        ("shortlist_predictor_stage_seconds_count", 1),
    ],
)
def test_what_prometheus_reads_counts_what_pods_do(shortlist, prometheus, series, pods) -> None:
    asked = f'sum by (pod) ({series}{{namespace="{shortlist.cluster.namespace}"}}) > 0'

    def counted() -> bool:
        for user in range(10):
            shortlist.page(user)
        url = f"{prometheus}/api/v1/query?query={urllib.parse.quote(asked)}"
        found = httpx.get(url, timeout=20).json()["data"]["result"]
        known = {pod for part in ("transformer", "predictor") for pod in shortlist.ready(part)}
        return len(known & {one["metric"]["pod"] for one in found}) >= pods

    wait_for(f"Prometheus has read {series} of {pods} pods", counted, SECONDS, 3)
