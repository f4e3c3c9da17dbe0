"""What all branches of the settings tree have in common."""

from pydantic import BaseModel, ConfigDict


class Branch(BaseModel):
    """One room's settings: frozen, closed to names it does not know and to NaN and infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )
