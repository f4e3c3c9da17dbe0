"""What runs on one machine, and under which settings: what is told stays, what is not is chosen."""

import os
import secrets
import sys
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from shortlist.online.embedded import free_port
from shortlist.serving.torchserve import ports as predictor_ports
from shortlist.settings import InForce, Settings

_LOCAL: Final = "127.0.0.1"
_EVERYWHERE: Final = ("0.0.0.0", "::")
_CALLER: Final = "local"
_PORTS: Final = (
    "online.embedded_port",
    "serving.predictor_port",
    "serving.predictor_management_port",
    "serving.predictor_metrics_port",
    "serving.transformer_port",
)
_MOST_WORKERS: Final = 4
_PATIENT: Final = {
    "serving.budget_ms": 5_000.0,
    "serving.reserve_ms": 250.0,
    "serving.predictor_start_seconds": 300,
    "online.timeout_ms": 500.0,
}
"""So that a busy machine answers too."""


@dataclass(frozen=True)
class Plan:
    """What runs here.

    Attributes:
        settings: of all parts.
        redis: whether a Redis is started; else the one of ``online.url`` is used.
        predictor: whether a predictor is started; else the one of ``serving.predictor_url`` is.
        key: made for this run, for callers on this machine; None where keys were told or none are
            needed.
    """

    settings: Settings
    redis: bool
    predictor: bool
    key: str | None

    @property
    def address(self) -> str:
        """Base address of the transformer, for clients on this machine."""
        serving = self.settings.serving
        return f"http://{_reached(serving.transformer_address)}:{serving.transformer_port}"

    def ports(self) -> dict[str, tuple[str, int]]:
        """Address and port of all that is listened at, by the setting."""
        serving = self.settings.serving
        wanted = {
            "serving.transformer_port": (serving.transformer_address, serving.transformer_port)
        }
        if self.predictor:
            wanted |= predictor_ports(serving)
        if self.redis:
            wanted["online.embedded_port"] = (_LOCAL, self.settings.online.embedded_port)
        return wanted


def plan(known: InForce, *, once: bool = False) -> Plan:
    """What runs under these settings.

    Where nothing else is told, Redis and predictor are our own, the transformer has a process for
    each core but no more than four, a key is made for who writes, and the log is served as if it
    went on (``serving.clock``).

    Args:
        known: the settings, and which of them were told.
        once: for one request: ports are any free ones, one process answers, and a busy machine has
            more time.
    """
    told = known.told
    settings, changes = known.settings, dict[str, Any]()
    redis, predictor = not told("online.url"), not told("serving.predictor_url")
    if once:
        changes |= {name: value for name, value in _PATIENT.items() if not told(name)}
        changes |= {name: free_port() for name in _PORTS if not told(name)}
    port = changes.get("online.embedded_port", settings.online.embedded_port)
    if redis:
        changes |= {
            "online.url": f"redis://{_LOCAL}:{port}/0",
            "online.username": None,
            "online.cluster": False,
        }
    if predictor:
        port = changes.get("serving.predictor_port", settings.serving.predictor_port)
        host = _reached(settings.serving.predictor_address)
        changes["serving.predictor_url"] = f"http://{host}:{port}"
    if not (once or told("serving.transformer_workers")):
        changes["serving.transformer_workers"] = min(_cores(), _MOST_WORKERS)
    if not told("serving.clock"):
        changes["serving.clock"] = "bundle"
    key = None
    if settings.serving.guarded and settings.serving.keys is None:
        key = secrets.token_urlsafe(18)
        changes["serving.keys"] = SecretStr(f"{_CALLER}:{key}")
    return Plan(_changed(settings, changes), redis, predictor, key)


def _cores() -> int:
    """That this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reached(address: str) -> str:
    host = _LOCAL if address in _EVERYWHERE else address
    return f"[{host}]" if ":" in host else host


def _changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    branches: dict[str, Any] = {}
    for name, value in changes.items():
        branch, _, leaf = name.partition(".")
        branches.setdefault(branch, {})[leaf] = value
    return settings.model_copy(
        update={
            branch: getattr(settings, branch).model_copy(update=values)
            for branch, values in branches.items()
        }
    )
