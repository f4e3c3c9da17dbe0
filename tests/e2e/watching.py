"""An installation as it is watched: when the first page came, and what it waited for."""

import contextlib
import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx
from release import Release  # type: ignore[import-not-found]

from shortlist.wire.recommend import V1_PATH


@dataclass(frozen=True)
class Installed:
    """What was seen.

    Attributes:
        first_page: seconds from `helm install` to the first page that was not degraded.
        returned: seconds until helm returned.
        waited: what was waited for, with the seconds at which it began and ended.
    """

    first_page: float
    returned: float
    waited: list[tuple[str, float, float]]

    def lines(self) -> list[str]:
        """As a person reads it."""
        told = [
            f"{what}: from {began:.0f} s to {ended:.0f} s" for what, began, ended in self.waited
        ]
        return [
            f"first page {self.first_page:.0f} s after `helm install`, which returned after "
            f"{self.returned:.0f} s",
            *told,
        ]


def install(release: Release) -> Installed:
    """Install a release, asking for a page all the while."""
    began, first = time.time(), []
    stop = threading.Event()

    def ask() -> None:
        body = {"instances": [{"user_id": 1}]}
        while not stop.is_set():
            with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
                answer = httpx.post(release.address + V1_PATH, json=body, timeout=20)
                if answer.status_code == 200 and not answer.json()["predictions"][0]["degraded"]:
                    first.append(time.time())
                    return
            stop.wait(0.5)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        release.install()
        returned = time.time()
    finally:
        # A page comes before helm returns; if not, this is soon enough to be told.
        asking.join(30)
        stop.set()
        asking.join()
    assert first, "helm returned, and there was no page in 30 s"
    return Installed(first[0] - began, returned - began, list(_waited(release, began)))


def _waited(release: Release, began: float) -> list[tuple[str, float, float]]:
    found = []
    for component in ("redis", "bootstrap", "predictor", "transformer"):
        for pod in release.pods(component):
            name = pod["metadata"]["name"]
            if component == "bootstrap":
                found += _steps(pod, began)
            else:
                held = next(one for one in pod["status"]["conditions"] if one["type"] == "Ready")
                made = pod["metadata"]["creationTimestamp"]
                at = _at(held["lastTransitionTime"]) - began
                found.append((f"{component} {name}, to readiness", _at(made) - began, at))
    return sorted(found, key=lambda one: one[1:])


def _steps(pod: dict[str, Any], began: float) -> list[tuple[str, float, float]]:
    status = pod["status"]
    found = []
    for one in (*status.get("initContainerStatuses", ()), *status["containerStatuses"]):
        ended = one["state"].get("terminated")
        if ended is not None:
            span = (_at(ended["startedAt"]) - began, _at(ended["finishedAt"]) - began)
            found.append((f"bootstrap, step {one['name']}", *span))
    return found


def _at(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()
