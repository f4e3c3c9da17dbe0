"""A server that speaks S3 on 127.0.0.1; its objects are files that a test can harm."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shortlist.bundle.shared import SharedStore
from shortlist.online.embedded import free_port
from shortlist.settings.remote import RemoteSettings

HERE = Path(__file__).parent
TOOLS = Path("work/tools")
PROGRAM = "versitygw"
ASKED = (
    f"no {PROGRAM} (the server that speaks S3) on PATH or in {TOOLS}; with Go 1.25 or later: "
    f'GOBIN="$PWD/{TOOLS}" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0'
)
BUCKET = "bundles"
KEY, SECRET = "shortlist-tests", "a-secret-of-tests"


def _loaded(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_bundles = _loaded("bundles_of_tests", HERE.parents[1] / "unit" / "bundle" / "conftest.py")
flushed, workshop = _bundles.flushed, _bundles.workshop


class Server:
    """The server's process, which can be killed, stopped and started again at the same port."""

    def __init__(self, program: Path, home: Path) -> None:
        self.program, self.port = program, free_port()
        self.home, self.log = home / "objects", home / "server.log"
        (self.home / BUCKET).mkdir(parents=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self.program, "--port", f"127.0.0.1:{self.port}", "posix", self.home]
        keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | keys, stdout=log, stderr=log)
        ends = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def file(self, name: str) -> Path:
        """Where an object's bytes lie."""
        return self.home / BUCKET / "feed" / name

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


@pytest.fixture(scope="session")
def program() -> Path:
    found = shutil.which(PROGRAM, path=f"{os.environ['PATH']}:{TOOLS.absolute()}")
    if found is None:
        pytest.skip(ASKED)
    return Path(found)


@pytest.fixture
def server(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = Server(program, tmp_path / "server")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(server: Server) -> RemoteSettings:
    return RemoteSettings(
        url=f"s3://{BUCKET}/feed",
        endpoint=f"http://127.0.0.1:{server.port}",
        region="us-east-1",
        timeout_seconds=2.0,
        attempts=1,
    )


@pytest.fixture
def beside(settings: RemoteSettings, tmp_path: Path) -> Callable[[str], SharedStore]:
    """The store, seen from a directory."""
    return lambda name: SharedStore.at(tmp_path / name, settings)


@pytest.fixture
def store(workshop, beside) -> SharedStore:
    return beside(workshop.root.name)
