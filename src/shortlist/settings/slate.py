"""How a page is drawn from ranked candidates."""

from typing import Annotated, Final, Literal

from pydantic import Field

from shortlist.settings.base import Branch

UNJUDGED: Final = ("slate.epsilon", "slate.temperature", "slate.new_days")
"""Settings of exploration and of reasons: pages are counted and judged without them."""
MEASURED_BY: Final = ("slate.more_tags", "slate.tuning_users")
"""Settings of how the trade-off is measured: pages drawn by one that is known do without them."""


class SlateSettings(Branch):
    """Diversity, rules and exploration of a page."""

    size: int = Field(10, ge=1, le=100, description="Videos of a page.")
    method: Literal["dpp", "mmr"] = Field(
        "dpp",
        description="What is traded against relevance: `dpp`, what the page does not span yet, or "
        "`mmr`, the sum of similarities to the page.",
    )
    trade_off: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto",
        description="Weight of novelty against click probability; 0 sorts by relevance alone. "
        "`auto` finds, anew for each ranker, the least that reaches `slate.more_tags`.",
    )
    more_tags: float = Field(
        0.404,
        ge=0,
        le=10,
        description="With `slate.trade_off=auto`: how many more distinct tags a page is to have "
        "than the best videos as ranked, without rules; 0.4 for 40 % more.",
    )
    tuning_users: int = Field(
        2_000,
        ge=1,
        le=100_000_000,
        description="With `slate.trade_off=auto`: users on whose pages tags are counted; where "
        "they are as many as `evaluation.users`, the same ones.",
    )
    content_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Share of the content vectors in how alike two videos are; the rest is tags.",
    )
    head_weight: float = Field(
        0.25,
        ge=0,
        le=1,
        description="How far the ranker's diversity head may excuse a video from its likeness to "
        "others; 0 ignores the head.",
    )
    creator_limit: int = Field(
        2, ge=1, le=1_000, description="Videos of one creator on a page at most."
    )
    tag_limit: int = Field(
        3, ge=1, le=1_000, description="Videos of one main tag on a page at most."
    )
    creator_apart: bool = Field(
        True, description="Whether two videos of one creator may not stand side by side."
    )
    epsilon: float = Field(
        0.02, ge=0, le=1, description="Probability that a slot is given to exploration."
    )
    temperature: float = Field(
        0.1,
        gt=0,
        le=1e6,
        description="Difference in click probability that makes a video e times as likely to be "
        "explored.",
    )
    new_days: float = Field(
        7.0, gt=0, le=1e6, description="Days after its upload during which a video is called new."
    )
