"""kubectl and helm as tests use them: by their own programs, in one namespace, with time limits."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

_SECONDS = 120.0
_LINES = 40
_NOT_YET = (AssertionError, LookupError, OSError, httpx.HTTPError, subprocess.TimeoutExpired)


class FailedError(AssertionError):
    """A command failed; what it said is in the message."""


def run(
    *command: str, told: str | None = None, seconds: float = _SECONDS, failing: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a command; it must succeed, unless it may be failing."""
    ended = subprocess.run(
        command, input=told, capture_output=True, text=True, timeout=seconds, check=False
    )
    if ended.returncode and not failing:
        said = (ended.stderr or ended.stdout).strip()[-3_000:]
        raise FailedError(f"{' '.join(command)[:300]}\n{said}")
    return ended


def wait_for(what: str, condition: Callable[[], Any], seconds: float, every: float = 1.0) -> Any:
    """Wait until a condition holds; what it says then. What cannot be asked yet does not hold."""
    ends = time.monotonic() + seconds
    while True:
        fault = ""
        try:
            if held := condition():
                return held
        except _NOT_YET as error:
            fault = f": {error}"
        assert time.monotonic() < ends, f"not within {seconds:.0f} s: {what}{fault}"
        time.sleep(every)


@dataclass(frozen=True)
class Cluster:
    """One namespace of the cluster that KUBECONFIG names."""

    namespace: str

    def kubectl(self, *arguments: str, told: str | None = None, seconds: float = _SECONDS) -> str:
        """What kubectl says."""
        return run(
            "kubectl", "--namespace", self.namespace, *arguments, told=told, seconds=seconds
        ).stdout

    def helm(self, *arguments: str, told: str | None = None, seconds: float = _SECONDS) -> str:
        """What helm says."""
        return run(
            "helm", "--namespace", self.namespace, *arguments, told=told, seconds=seconds
        ).stdout

    def items(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """Objects of a kind."""
        chosen = ("--selector", selector) if selector else ()
        listed = json.loads(self.kubectl("get", kind, *chosen, "--output", "json"))
        found: list[dict[str, Any]] = listed["items"]
        return found

    def names(self, kind: str, selector: str = "") -> list[str]:
        """Their names."""
        return [one["metadata"]["name"] for one in self.items(kind, selector)]

    def apply(self, *objects: dict[str, Any]) -> None:
        """Make objects, or change them."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--filename", "-", told=json.dumps(listed))

    def make(self) -> None:
        """Make the namespace, where every pod must pass Pod Security `restricted`."""
        enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": self.namespace, "labels": enforced}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def drop(self) -> None:
        """Delete the namespace with all that is in it."""
        run(
            *("kubectl", "delete", "namespace", self.namespace),
            *("--ignore-not-found", "--timeout=180s"),
            seconds=200,
        )

    def proxied(self, pod: str, port: int, path: str) -> str:
        """What a pod answers to GET, asked through the API server."""
        base = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{port}/proxy"
        return self.kubectl("get", "--raw", base + path)

    @contextlib.contextmanager
    def forwarded(self, target: str, port: int) -> Iterator[str]:
        """The address on this machine at which a service or pod answers meanwhile."""
        process = subprocess.Popen(
            ["kubectl", "--namespace", self.namespace, "port-forward", target, f":{port}"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", said)
            assert found, f"kubectl port-forward {target} said {said!r}"
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def described(self) -> str:
        """What one needs to see when something failed: objects, events, the ends of logs."""
        parts = [
            self._said("get", "inferenceservices,pods,jobs,pvc", "--output", "wide"),
            self._said("get", "events", "--sort-by", ".lastTimestamp")[-6_000:],
        ]
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            for pod in self.names("pods"):
                log = self._said(
                    *("logs", pod, "--all-containers", "--prefix", "--ignore-errors"),
                    f"--tail={_LINES}",
                )
                parts.append(f"== {pod}\n{log[-4_000:]}")
        return "\n".join(parts)

    def _said(self, *arguments: str) -> str:
        try:
            ended = run("kubectl", "--namespace", self.namespace, *arguments, failing=True)
        except subprocess.TimeoutExpired as error:
            return str(error)
        return ended.stdout or ended.stderr
