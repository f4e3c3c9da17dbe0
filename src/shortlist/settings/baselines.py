"""How the baselines are fitted."""

from pydantic import Field

from shortlist.settings.base import Branch


class BaselinesSettings(Branch):
    """Hyper-parameters of the baselines."""

    popularity_half_life_days: float = Field(
        7.0, gt=0, le=1e6, description="Days after which an outcome counts half in popularity."
    )
    rate_prior_impressions: float = Field(
        20.0,
        gt=0,
        le=1e9,
        description="Impressions at the mean rate that every video is granted before its own.",
    )
    knn_neighbours: int = Field(
        100, ge=1, le=1_000_000, description="Neighbours ItemKNN keeps of each video."
    )
    knn_shrinkage: float = Field(
        50.0,
        ge=0,
        le=1e9,
        description="Added to the denominator of the cosine: doubt about rare pairs.",
    )
    als_factors: int = Field(64, ge=1, le=4_096, description="Width of the factors of ALS.")
    als_iterations: int = Field(
        15, ge=1, le=10_000, description="Sweeps of ALS over users and videos."
    )
    als_l2: float = Field(200.0, gt=0, le=1e9, description="Ridge penalty on the factors of ALS.")
    als_confidence: float = Field(
        20.0,
        gt=0,
        le=1e6,
        description="How much surer ALS is of a positive than of a pair not seen.",
    )
    ease_videos: int = Field(
        6_000,
        ge=1,
        le=100_000,
        description="EASE knows this many of the most watched videos; memory grows by its square.",
    )
    ease_l2: float = Field(300.0, gt=0, le=1e9, description="Ridge penalty of EASE.")
    weighted_ease_l2: float = Field(
        100.0, gt=0, le=1e9, description="Ridge penalty of weighted EASE."
    )
    weighted_ease_half_life_events: float = Field(
        40.0,
        gt=0,
        le=1e6,
        description="A watch counts half when its user has had so many later ones.",
    )
    weighted_ease_trend_events: float = Field(
        3.0,
        gt=0,
        le=1e6,
        description="Half-life, in later events of the same user, of what counts as recent.",
    )
    weighted_ease_rate_power: float = Field(
        0.5,
        ge=0,
        le=10,
        description="How strongly the rate of positives lifts a video; 0: not at all.",
    )
    content_half_life_events: float = Field(
        100.0,
        gt=0,
        le=1e6,
        description="A video counts half in a profile after so many later events.",
    )
    content_aversion: float = Field(
        0.5,
        ge=0,
        le=1e3,
        description="What a negative weighs against a positive in a content profile.",
    )
    observer_dimensions: int = Field(
        16, ge=1, le=1_024, description="Dimensions of taste that the informed observer fits."
    )
    observer_sweeps: int = Field(
        12,
        ge=1,
        le=10_000,
        description="Sweeps of the informed observer over all that it believes.",
    )
    rerank_top: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Best videos of each source that LightGBM re-ranks the union of.",
    )
    rerank_users: int = Field(
        3_000, ge=2, le=100_000_000, description="Users LightGBM learns from, at most."
    )
    rerank_trials: int = Field(20, ge=1, le=10_000, description="Tuning budget of LightGBM.")
    rerank_trees: int = Field(300, ge=1, le=100_000, description="The most trees of LightGBM.")
    rerank_tail_days: int = Field(
        5, ge=1, le=3_650, description="Last days of a history that LightGBM learns from."
    )
    rerank_tail_events: int = Field(
        5,
        ge=1,
        le=1_000_000,
        description="Last events of each user, at most half of them, that LightGBM learns from "
        "where the whole history bears one day.",
    )
    rerank_threads: int = Field(
        1,
        ge=1,
        le=256,
        description="Threads of LightGBM; results are the same bytes for one number.",
    )
