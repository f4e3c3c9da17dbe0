"""The one schema of Shortlist's logs: every importer writes it, every reader trusts it.

A dataset is three tables. ``users`` and ``videos`` hold what a recommender may know of each;
``impressions`` holds what was shown and what the user did, by day. Columns that a source
cannot know are null, never invented.
"""

from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = 1

CONTEXT_FEATURES: Final[tuple[str, ...]] = (
    "hour_sin",
    "hour_cos",
    "night",
    "morning",
    "afternoon",
    "evening",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekend",
    "android",
    "ios",
    "tablet",
    "web",
    "wifi",
    "cellular",
    "slow_network",
    "headphones",
    "low_battery",
    "session_depth",
    "first_of_session",
    "deep_session",
    "session_of_day",
    "hours_since_last",
    "new_user",
    "at_home_region",
    "from_notification",
    "app_version",
)
"""Names of the 32 context features, in the order of the vector."""

CONTEXT_WIDTH: Final = len(CONTEXT_FEATURES)

USERS: Final = pa.schema(
    [
        pa.field("user_id", pa.int64(), nullable=False),
        pa.field("external_id", pa.string()),
        pa.field("language", pa.string()),
        pa.field("age_band", pa.string()),
        pa.field("activity", pa.string()),
        pa.field("interests", pa.list_(pa.string())),
        pa.field("registered_days", pa.int32()),
    ]
)

VIDEOS: Final = pa.schema(
    [
        pa.field("video_id", pa.int64(), nullable=False),
        pa.field("external_id", pa.string()),
        pa.field("title", pa.string()),
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("creator_id", pa.int64()),
        pa.field("duration_seconds", pa.float32()),
        pa.field("language", pa.string()),
        # Noon UTC where the source knows the date alone.
        pa.field("uploaded_at", pa.timestamp("ms", tz="UTC")),
    ]
)

IMPRESSIONS: Final = pa.schema(
    [
        # Ascending in time within a user: the order of a history, also where times are unknown.
        pa.field("impression_id", pa.int64(), nullable=False),
        pa.field("user_id", pa.int64(), nullable=False),
        pa.field("video_id", pa.int64(), nullable=False),
        # The day by which the log is split, in the time zone of the source.
        pa.field("day", pa.date32(), nullable=False),
        pa.field("shown_at", pa.timestamp("ms", tz="UTC")),
        pa.field("session_id", pa.int64()),
        pa.field("position", pa.int16()),
        pa.field("context", pa.list_(pa.float32(), CONTEXT_WIDTH)),
        # Probability that the logging policy shows this video in this place.
        pa.field("propensity", pa.float64()),
        pa.field("random_exposure", pa.bool_()),
        pa.field("click", pa.bool_()),
        pa.field("watch_seconds", pa.float32()),
        pa.field("long_view", pa.bool_()),
        pa.field("like", pa.bool_()),
        pa.field("skip", pa.bool_()),
    ]
)

TABLES: Final = {"users": USERS, "videos": VIDEOS, "impressions": IMPRESSIONS}
