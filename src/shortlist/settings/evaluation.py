"""How recommenders are judged."""

from typing import Literal

from pydantic import Field

from shortlist.settings.base import Branch


class EvaluationSettings(Branch):
    """Cut-offs, samples and intervals of the judge."""

    k: int = Field(10, ge=1, le=1_000, description="Length of the judged list and of a page.")
    users: int = Field(
        2_000,
        ge=1,
        le=100_000_000,
        description="Fixed users whose lists are compared with the truth.",
    )
    ablation_users: int = Field(
        500,
        ge=2,
        le=100_000_000,
        description="Users for whom the recommender is asked again without each of its parts.",
    )
    target: Literal["auto", "click", "long_view"] = Field(
        "auto",
        description="Outcome that a recommendation should bring about; `auto` takes click where "
        "the history knows it, else long_view.",
    )
    policy_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Share of the catalogue from which the off-policy target draws uniformly.",
    )
    beside: str = Field(
        "kuairand",
        description="Dataset whose distributions the report lays beside, where it was imported.",
    )
    bootstrap: int = Field(
        1_000, ge=100, le=1_000_000, description="Resamples behind each 95 % interval."
    )
