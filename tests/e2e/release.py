"""A release of the chart: installed, asked for pages, looked into."""

import base64
import contextlib
import itertools
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cluster import Cluster, FailedError, run, wait_for  # type: ignore[import-not-found]

from shortlist.wire.recommend import V1_PATH

CHART = Path(__file__).parents[2] / "helm" / "shortlist"
INSTALL_SECONDS = 1_500
READY_SECONDS = 300
_UNSEEN = itertools.count()


@dataclass
class Release:
    """One release.

    Attributes:
        cluster: the namespace that it is in.
        values: of the chart.
        address: where the service answers on this machine.
        name: of the release.
    """

    cluster: Cluster
    values: dict[str, Any]
    address: str
    name: str = "shortlist"
    _keys: dict[str, str] = field(default_factory=dict)

    def install(self, action: str = "install", values: dict[str, Any] | None = None) -> None:
        """Install, or upgrade; wait as the chart's README says."""
        self.cluster.helm(
            *(action, self.name, str(CHART), "--values", "-"),
            *("--wait", "--wait-for-jobs", "--timeout", f"{INSTALL_SECONDS}s"),
            told=json.dumps(self.values if values is None else values),
            seconds=INSTALL_SECONDS + 60,
        )

    def uninstall(self) -> None:
        """Uninstall, and wait."""
        self.cluster.helm("uninstall", self.name, "--wait", "--timeout", "5m", seconds=330)

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of a component that are not being deleted."""
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        return [
            one
            for one in self.cluster.items("pods", selector)
            if "deletionTimestamp" not in one["metadata"]
        ]

    def ready(self, component: str) -> list[str]:
        """Names of those that are ready."""
        return [one["metadata"]["name"] for one in self.pods(component) if is_ready(one)]

    def settle(self, seconds: float = READY_SECONDS) -> None:
        """Wait until all pods are there and ready, and pages are whole."""
        for component, count in (("redis", 1), ("predictor", 2), ("transformer", 2)):
            wanted = self.values.get(component, {}).get("replicas", count)
            wait_for(
                f"{wanted} pods of {component} are ready, and no other is there",
                lambda c=component, n=wanted: len(self.ready(c)) == len(self.pods(c)) == n,
                seconds,
            )
        self.whole(1)

    @property
    def key(self) -> str:
        """By which this caller may write."""
        if "client" not in self._keys:
            name = f"{self.name}-keys"
            secret = json.loads(self.cluster.kubectl("get", "secret", name, "--output", "json"))
            self._keys["client"] = base64.b64decode(secret["data"]["client"]).decode()
        return self._keys["client"]

    def ask(
        self, method: str, path: str, body: Any = None, *, at: str | None = None
    ) -> httpx.Response:
        """Ask by a connection of its own."""
        headers = {"authorization": f"Bearer {self.key}", "connection": "close"}
        return httpx.request(
            method, (at or self.address) + path, json=body, headers=headers, timeout=30
        )

    def page(self, user: int, *, at: str | None = None, **asked: Any) -> dict[str, Any]:
        """A page, of a session of its own unless one is named."""
        asked = {"session_id": f"{uuid.uuid4()}"} | asked
        answer = self.ask("POST", V1_PATH, {"instances": [{"user_id": user, **asked}]}, at=at)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()["predictions"][0]
        return page

    def whole(self, user: int, *, at: str | None = None, seconds: float = 60) -> dict[str, Any]:
        """A page that is not degraded; what was just changed has a minute to come to rest."""

        def found() -> dict[str, Any] | None:
            page = self.page(user, at=at)
            assert not page["degraded"], page["degraded_by"]
            return page

        page: dict[str, Any] = wait_for("a page that is not degraded", found, seconds, 0.3)
        return page

    def report(self, *events: dict[str, Any]) -> list[str]:
        """Report events; what became of each."""
        answer = self.ask("POST", "/v1/events", {"events": list(events)})
        assert answer.status_code == 200, answer.text
        return [one["status"] for one in answer.json()["events"]]

    def history(self, user: int) -> list[dict[str, Any]]:
        """What is kept of a user, the oldest event first."""
        answer = self.ask("GET", f"/v1/users/{user}/history")
        assert answer.status_code == 200, answer.text
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def tool(self, *arguments: str, failing: bool = False) -> tuple[int, str]:
        """Run `shortlist` in the toolbox, as an operator does; exit code, and what it said."""
        ended = run(
            *("kubectl", "--namespace", self.cluster.namespace),
            *("exec", f"deployment/{self.name}-toolbox", "--", "shortlist", *arguments),
            failing=failing,
        )
        return ended.returncode, ended.stdout + ended.stderr

    def scripted(self, script: str) -> str:
        """What a Python program says that is run in the toolbox."""
        return self.cluster.kubectl(
            *("exec", "--stdin", f"deployment/{self.name}-toolbox", "--"),
            *("/opt/venv/bin/python", "-"),
            told=script,
        )

    def pointer(self) -> dict[str, Any]:
        """Which bundle is published, and which were."""
        said: dict[str, Any] = json.loads(
            self.scripted("print(open('/data/bundles/current.json').read())")
        )
        return said

    def logged(self) -> int:
        """Entries of the event log that wait to be drained, whatever else `ping` complains of."""
        _, said = self.tool("online", "ping", failing=True)
        found = re.search(r"log entries to drain\D+([\d,]+)", said)
        assert found, said
        return int(found[1].replace(",", ""))

    def metric(self, pod: str, series: str) -> float:
        """The sum of a transformer's series that begin so."""
        told = self.cluster.proxied(pod, 8080, "/metrics")
        values = [line.rsplit(" ", 1)[1] for line in told.splitlines() if line.startswith(series)]
        return sum(map(float, values))

    @contextlib.contextmanager
    def each_transformer(self) -> Iterator[list[str]]:
        """An address for each pod of the transformer."""
        with contextlib.ExitStack() as stack:
            yield [
                stack.enter_context(self.cluster.forwarded(f"pod/{name}", 8080))
                for name in self.ready("transformer")
            ]

    def job_from_retrain(self, name: str, **settings: str) -> None:
        """Start retraining now, as an operator does; with settings of its own, by variables."""
        source = f"cronjob/{self.name}-retrain"
        making = ("create", "job", name, f"--from={source}")
        if not settings:
            self.cluster.kubectl(*making)
            return
        made = json.loads(self.cluster.kubectl(*making, "--dry-run=client", "--output", "json"))
        spec = made["spec"]["template"]["spec"]
        for container in (*spec["initContainers"], *spec["containers"]):
            container["env"] += [
                {"name": f"SHORTLIST_{key.upper()}", "value": value}
                for key, value in settings.items()
            ]
        self.cluster.apply(made)

    def finish(self, job: str, seconds: float) -> dict[str, str]:
        """Wait until a job is through; what each of its containers said."""

        def ended() -> bool:
            status = json.loads(self.cluster.kubectl("get", "job", job, "--output", "json"))
            held = {one["type"] for one in status["status"].get("conditions", ())}
            if "Failed" in held:
                raise FailedTooEarlyError(self._logs(job))
            return "Complete" in held

        wait_for(f"job {job} is through", ended, seconds, 2)
        return self._logs(job)

    def _logs(self, job: str) -> dict[str, str]:
        said = {}
        for pod in self.cluster.items("pods", f"batch.kubernetes.io/job-name={job}"):
            spec, name = pod["spec"], pod["metadata"]["name"]
            for container in (*spec.get("initContainers", ()), *spec["containers"]):
                with contextlib.suppress(FailedError):
                    said[container["name"]] = self.cluster.kubectl(
                        "logs", name, "--container", container["name"]
                    )
        return said


class FailedTooEarlyError(RuntimeError):
    """A job failed: there is nothing to wait for."""


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether a pod takes part in its services."""
    held = {one["type"]: one["status"] for one in pod["status"].get("conditions", ())}
    return held.get("Ready") == "True"


def ids(page: dict[str, Any]) -> list[int]:
    """Of the videos of a page."""
    return [video["video_id"] for video in page["videos"]]


def event(user: int, video: int, kind: str = "click", **more: Any) -> dict[str, Any]:
    """An event that happens now."""
    return {
        "event_id": f"{uuid.uuid4()}",
        "user_id": user,
        "video_id": video,
        "kind": kind,
        "at": time.time(),
        **more,
    }


def newcomer() -> int:
    """A user whom nobody knows yet, not even an earlier run."""
    return 10**15 + int(time.time()) * 1_000 + next(_UNSEEN)
