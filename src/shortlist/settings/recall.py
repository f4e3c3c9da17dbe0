"""How candidates are recalled."""

from pydantic import Field

from shortlist.settings.base import Branch


class RecallSettings(Branch):
    """Sources of candidates and their blend."""

    candidates: int = Field(
        1_000, ge=1, le=10_000, description="Distinct candidates that the blend returns at most."
    )
