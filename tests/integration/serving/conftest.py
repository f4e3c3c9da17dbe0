"""What tests of serving start from: the unit tests' stand-in, two bundles of it, and a service."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shortlist.bundle import BundleStore

HERE = Path(__file__).parent


def _loaded(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_stand_in = _loaded("stand_in", HERE.parents[1] / "unit" / "conftest.py")
trained, earlier = _stand_in.trained, _stand_in.earlier
for _name in ("browsing", "door", "running", "spoiling", "stub", "whole"):
    _loaded(_name, HERE / f"{_name}.py")
driver = sys.modules["browsing"].driver


@pytest.fixture(scope="session")
def redis_server() -> None:
    """There is one on this machine."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; install Debian's redis-server")


@pytest.fixture(scope="module")
def store(trained, earlier, tmp_path_factory) -> BundleStore:
    """Two bundles of other videos, the earlier one published."""
    root = tmp_path_factory.mktemp("store") / "bundles"
    root.mkdir()
    for one in (earlier, trained):
        shutil.copytree(one.bundle.path, root / one.bundle.id)
    store = BundleStore(root)
    store.publish(earlier.bundle.id)
    return store


@pytest.fixture(scope="module")
def running(trained, redis_server, tmp_path_factory) -> Iterator:
    """The transformer between a real Redis and a predictor that needs no TorchServe."""
    bundles = trained.settings.paths.bundles
    with sys.modules["running"].Running(bundles, tmp_path_factory.mktemp("running")) as service:
        yield service
