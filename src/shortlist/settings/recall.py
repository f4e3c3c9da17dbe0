"""How candidates are recalled, and how the sources share the places."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shortlist.settings.base import Branch


class RecallSettings(Branch):
    """Sources of candidates and their blend."""

    candidates: int = Field(
        1_000, ge=1, le=10_000, description="Distinct candidates that the blend returns at most."
    )
    popularity_score: Literal["rate", "count"] = Field(
        "rate",
        description="Popularity is the smoothed rate of the target, or the decayed count of it.",
    )
    half_life_days: float = Field(
        30.0,
        gt=0,
        le=1e6,
        description="Days after which an impression counts half in rates and counts.",
    )
    prior_impressions: float = Field(
        10.0,
        gt=0,
        le=1e9,
        description="Impressions at the mean rate that a video has before its own.",
    )
    tag_half_life_days: float = Field(
        20.0,
        gt=0,
        le=1e6,
        description="Days after which an event counts half in a profile of tags.",
    )
    tag_interest: float = Field(
        1.0,
        ge=0,
        le=1e6,
        description="What a declared interest weighs in a profile; a click weighs 1.",
    )
    tag_aversion: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="What a video skipped or left alone takes from its tags' weight.",
    )
    tag_rate_weight: float = Field(
        1.4,
        ge=0,
        le=1e6,
        description="Weight of a video's log-odds beside its match with the profile.",
    )
    als_factors: int = Field(32, ge=1, le=4_096, description="Width of the collaborative factors.")
    als_iterations: int = Field(
        8, ge=1, le=10_000, description="Sweeps of ALS over users and videos."
    )
    als_l2: float = Field(
        100.0, gt=0, le=1e9, description="Ridge penalty on the collaborative factors."
    )
    als_confidence: float = Field(
        20.0, ge=1, le=1e6, description="How much surer ALS is of a click than of a pair not seen."
    )
    flat_up_to: int = Field(
        100_000,
        ge=0,
        le=1_000_000_000,
        description="Live videos up to which the vector index is searched whole.",
    )
    probe_share: float = Field(
        0.25, gt=0, le=1, description="Share of its lists that a larger index searches."
    )
    index_queries: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Queries on which an index is measured against exact search.",
    )
    fusion_offset: float = Field(
        300.0,
        gt=0,
        le=1e9,
        description="Added to a rank before its reciprocal is taken in the fusion.",
    )
    popularity_weight: float = Field(
        0.5, ge=0, le=1e6, description="Weight of popularity in the fusion."
    )
    tags_weight: float = Field(2.0, ge=0, le=1e6, description="Weight of tags in the fusion.")
    collaborative_weight: float = Field(
        1.0, ge=0, le=1e6, description="Weight of the collaborative source in the fusion."
    )
    vector_weight: float = Field(
        8.0, ge=0, le=1e6, description="Weight of the vector source in the fusion."
    )
    popularity_quota: float = Field(
        0.02, ge=0, le=1, description="Share of the places sure to go to the best of popularity."
    )
    tags_quota: float = Field(
        0.05, ge=0, le=1, description="Share of the places sure to go to the best by tags."
    )
    collaborative_quota: float = Field(
        0.05, ge=0, le=1, description="Share of the places sure to go to the collaborative best."
    )
    vector_quota: float = Field(
        0.3, ge=0, le=1, description="Share of the places sure to go to the best by vector."
    )

    @model_validator(mode="after")
    def _quotas_fit(self) -> Self:
        total = (
            self.popularity_quota + self.tags_quota + self.collaborative_quota + self.vector_quota
        )
        if total > 1 + 1e-9:
            raise ValueError(f"the four quotas of recall add up to {total:g}; at most 1 is there")
        return self
