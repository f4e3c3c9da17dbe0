"""The ranker: its size, its losses and its training."""

from pydantic import Field

from shortlist.settings.base import Branch


class RankerSettings(Branch):
    """Width, depth and training of the cascade."""

    history: int = Field(50, ge=1, le=500, description="Last events of a user that are encoded.")
