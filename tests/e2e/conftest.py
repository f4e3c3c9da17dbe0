"""What the tests on a cluster start from: one release for all of them, and how it is looked into.

Variables:

- `SHORTLIST_E2E_TAG`: the tag of the images, which the nodes have or can pull. Without it all of
  these tests are skipped.
- `SHORTLIST_E2E_REGISTRY`: what goes before the images' names; nothing by default.
- `SHORTLIST_E2E_NODE_PORT` and `SHORTLIST_E2E_ADDRESS`: port of the service on the nodes, and where
  that answers on this machine: 30080 and http://127.0.0.1:30080; on the kind cluster of
  manifests/kind, http://127.0.0.1:8080.
- `SHORTLIST_E2E_NAMESPACE`: `shortlist-e2e` by default. It is made, and deleted at the end.
- `SHORTLIST_E2E_KEEP=1`: for whoever writes tests: a release that is found is used, and stays.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ORDER = (
    "test_overlays",
    "test_install",
    "test_pages",
    "test_metrics",
    "test_pods",
    "test_redis",
    "test_publication",
    "test_damaged_bundle",
    "test_retrain",
    "test_uninstall",
    "test_object_store",
)
ASKED = {
    name: os.environ.get(f"SHORTLIST_E2E_{name}", default)
    for name, default in (
        ("TAG", ""),
        ("REGISTRY", ""),
        ("NODE_PORT", "30080"),
        ("ADDRESS", "http://127.0.0.1:30080"),
        ("NAMESPACE", "shortlist-e2e"),
        ("KEEP", ""),
    )
}


def _loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


clusters = _loaded("cluster")
releases = _loaded("release")
for _name in ("traffic", "watching", "objects"):
    _loaded(_name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One release lives through all modules: from its installation to its end."""
    places = {name: place for place, name in enumerate(ORDER)}
    ours = [item for item in items if item.path.parent == HERE]
    rest = [item for item in items if item.path.parent != HERE]
    items[:] = rest + sorted(ours, key=lambda item: places.get(item.path.stem, len(ORDER)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure brings what one needs to see of the cluster."""
    report = yield
    if report.failed:
        held = getattr(item, "funcargs", {})
        looked_at = held.get("s3_release") or held.get("release")
        cluster = held.get("namespace") or (looked_at and looked_at.cluster)
        if cluster is not None:
            report.sections.append((f"namespace {cluster.namespace}", cluster.described()))
    return report


@pytest.fixture(scope="session", autouse=True)
def asked_for() -> None:
    """Somebody wants these tests, and has what they need."""
    if not ASKED["TAG"]:
        pytest.skip("no cluster is asked for: `make e2e TAG=...`, the tag of images that it has")
    for program in ("kubectl", "helm"):
        assert shutil.which(program), f"there is no {program} on PATH"


@pytest.fixture(scope="session")
def asked() -> dict[str, str]:
    """What was asked for, by the names of the variables above."""
    return ASKED


@pytest.fixture
def seen(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says on the terminal what was seen, whether or not the test passes."""

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n    {line}")

    return say


@pytest.fixture(scope="session")
def values_for() -> Callable[..., dict[str, Any]]:
    """Makes the values that every release here has, and more."""

    def values(**more: Any) -> dict[str, Any]:
        return {
            "images": {"tag": ASKED["TAG"], "registry": ASKED["REGISTRY"]},
            "settings": {
                # Nodes that do other things too are slow; no promise about time is tested here.
                "serving": {"budget_ms": 8_000, "reserve_ms": 1_000},
                "online": {"timeout_ms": 2_000, "settle_minutes": 0},
            },
            "toolbox": {"enabled": True},
            # Only when a test starts it.
            "retrain": {"suspend": True},
            **more,
        }

    return values


@pytest.fixture(scope="session")
def release(asked_for: None, values_for: Callable[..., dict[str, Any]]) -> Iterator[Any]:
    """The release that all modules share, with the chart's own two replicas; see `installed`."""
    cluster = clusters.Cluster(ASKED["NAMESPACE"])
    front = {"type": "NodePort", "nodePort": int(ASKED["NODE_PORT"])}
    if not ASKED["KEEP"]:
        cluster.drop()
    cluster.make()
    yield releases.Release(cluster, values_for(service=front), ASKED["ADDRESS"])
    if not ASKED["KEEP"]:
        cluster.drop()


@pytest.fixture(scope="session")
def installed(release: Any) -> Any:
    """What the installation was seen to do; None where the release was there already."""
    if release.name in release.cluster.helm("list", "--short").split():
        return None
    return sys.modules["watching"].install(release)


@pytest.fixture
def shortlist(release: Any, installed: Any) -> Any:
    """The release, installed, with all pods ready and whole pages."""
    release.settle()
    return release
