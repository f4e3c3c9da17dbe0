"""How the pipeline builds and publishes."""

from pydantic import Field

from shortlist.settings.base import Branch


class PipelineSettings(Branch):
    """Shards and the gate."""

    shards: int = Field(
        1, ge=1, le=64, description="Parts in which data and vectors are made; changes no byte."
    )
