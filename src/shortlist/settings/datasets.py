"""Which log is used, and how it is split in time."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shortlist.settings.base import Branch


def _known_source(source: str) -> str:
    kind, _, path = source.partition(":")
    if source == "world" or (kind == "kuairand" and path):
        return source
    raise ValueError("write world, or kuairand:PATH with the directory of KuaiRand's files")


class DatasetsSettings(Branch):
    """The log, and its temporal split: history, validation days at its tail, then test days."""

    source: Annotated[str, AfterValidator(_known_source)] = Field(
        "world",
        description="What a demo runs on: `world` (synthetic), or `kuairand:PATH` (real logs).",
    )
    live: str = Field(
        "",
        description="Name of the dataset into which live traffic is drained (`online`): its days "
        "continue the log, and are learned from and judged on like others. Empty: none.",
        pattern=r"^([^./\\][^/\\]*)?$",
    )
    test_days: int = Field(
        4, ge=1, le=3_650, description="Last days of a log, on which models are judged."
    )
    validation_days: int = Field(
        3, ge=1, le=3_650, description="Days before the test days, on which models are tuned."
    )
    validation_events: int = Field(
        5,
        ge=1,
        le=1_000_000,
        description="Last events of each user, at most half of them, on which models are tuned "
        "where the whole history bears one day.",
    )
