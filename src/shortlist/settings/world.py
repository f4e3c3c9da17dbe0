"""The synthetic world: its size and its laws."""

import datetime as dt

from pydantic import Field

from shortlist.settings.base import Branch


class WorldSettings(Branch):
    """Size and laws of the synthetic world.

    Deviations are in logits of the click unless said otherwise.
    """

    users: int = Field(10_000, ge=2, le=100_000_000, description="Users.")
    videos: int = Field(
        50_000, ge=60, le=100_000_000, description="Videos uploaded up to the last day."
    )
    creators: int = Field(5_000, ge=2, le=100_000_000, description="Creators.")
    days: int = Field(28, ge=2, le=3_650, description="Days of logs.")
    impressions: int = Field(
        1_250_000, ge=10, le=100_000_000_000, description="Impressions to expect in all."
    )
    first_day: dt.date = Field(
        dt.date(2026, 1, 5),
        ge=dt.date(2000, 1, 1),
        le=dt.date(2100, 1, 1),
        description="First day of logs.",
    )
    stock_days: int = Field(
        30, ge=1, le=3_650, description="Days of uploads before the first day of logs."
    )
    session_length: float = Field(9.0, ge=1, le=1_000, description="Mean impressions of a session.")
    chunk_sessions: int = Field(
        16_384,
        ge=1,
        le=16_777_216,
        description="Sessions simulated at once; changes memory, never a byte.",
    )
    name: str = Field(
        "world",
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="Name of the dataset it is written to.",
    )

    dimensions: int = Field(16, ge=2, le=1_024, description="Dimensions of taste.")
    tag_share: float = Field(
        0.6, ge=0, le=1, description="Share of a video's taste variance that its main tag explains."
    )
    affinity_deviation: float = Field(0.95, ge=0, le=20, description="Deviation of taste matches.")
    user_deviation: float = Field(
        0.58, ge=0, le=20, description="Deviation of users' readiness to click."
    )
    appeal_deviation: float = Field(0.55, ge=0, le=20, description="Deviation of videos' appeal.")
    base_logit: float = Field(
        -1.58, ge=-30, le=30, description="Logit of an average click in an empty session."
    )
    drift_degrees: float = Field(
        1.2, ge=0, le=180, description="Median turn of a user's taste per day."
    )
    language_penalty: float = Field(0.55, ge=0, le=20, description="Loss where languages differ.")
    fade: float = Field(
        0.15, ge=0, le=20, description="Loss of appeal per unit of log(1 + age / 7 days)."
    )
    tiring: float = Field(
        0.35, ge=0, le=20, description="Loss per recent video of the same main tag in the session."
    )
    recovery: float = Field(
        0.85, gt=0, lt=1, description="Share of tiredness left after each further video."
    )
    title_focus: float = Field(
        3.0,
        ge=0,
        le=50,
        description="How strongly titles' words follow a video's taste (inverse noise).",
    )
    tag_focus: float = Field(
        1.4,
        ge=0,
        le=50,
        description="How strongly listed tags follow a video's taste (inverse noise).",
    )

    random_share: float = Field(
        0.1, gt=0, lt=1, description="Share of impressions drawn uniformly from all live videos."
    )
    personal_focus: float = Field(
        1.4,
        ge=0,
        le=50,
        description="How sharply the logging policy follows a user's taste for tags.",
    )
    appeal_focus: float = Field(
        1.5, ge=0, le=50, description="How sharply the logging policy follows a video's appeal."
    )
    hype_deviation: float = Field(
        1.45, ge=0, le=20, description="Deviation of log exposure that appeal does not explain."
    )
    freshness_days: float = Field(
        8.0,
        gt=0,
        le=36_500,
        description="Days after which the logging policy shows a video e times less.",
    )
