"""How the pipeline builds and publishes."""

from pydantic import Field

from shortlist.settings.base import Branch


class PipelineSettings(Branch):
    """Shards and the gate."""

    shards: int = Field(
        1, ge=1, le=64, description="Parts in which data and vectors are made; changes no byte."
    )
    gate_tolerance: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="How much of the gate's figure, a list's NDCG, a ranker may lose against the "
        "published one; 0 asks for a gain.",
    )
