"""What all branches of the settings tree have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65_535)]
"""A TCP port to listen at."""


class Branch(BaseModel):
    """One room's settings: frozen, closed to names it does not know and to NaN and infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )
