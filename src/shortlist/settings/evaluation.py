"""How recommenders are judged."""

from pydantic import Field

from shortlist.settings.base import Branch


class EvaluationSettings(Branch):
    """Cut-offs, samples and intervals of the judge."""

    k: int = Field(10, ge=1, description="Length of the judged list and of a page.")
    users: int = Field(
        2_000, ge=1, description="Fixed users whose lists are compared with the truth."
    )
    bootstrap: int = Field(1_000, ge=100, description="Resamples behind each 95 % interval.")
