"""What a judgement says: the one object behind the JSON file, the terminal table and the report."""

import datetime as dt
import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

# JSON has no NaN: an unknown figure is written as null and read back as NaN.
Figure = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Estimate(_Part):
    """A figure with its 95 % interval."""

    value: Figure
    low: Figure
    high: Figure
    n: int = Field(description="How many units (users, rows) it is a mean over.")


class Curve(_Part):
    """Points of a line in a plot; ``y`` may have an interval."""

    label: str
    x: list[Figure]
    y: list[Figure]
    low: list[Figure] | None = None
    high: list[Figure] | None = None


class Marginal(_Part):
    """The distribution of one quantity in one log, for example of watch seconds."""

    quantity: str
    unit: str
    log_scale: bool = False
    curves: list[Curve]
    """One histogram density per source: this dataset, then a real log where one was given.

    ``x`` holds the bins' middles. The density is over the axis as drawn (over log10 of ``x`` where
    ``log_scale``), so that equal areas are equal shares of rows.
    """


class ModelResult(_Part):
    """One recommender, judged."""

    name: str
    family: Literal["reference", "baseline", "observer", "oracle", "model"]
    description: str
    logged: dict[str, Estimate] = {}
    """Against the held-out log: ``ndcg@10``, ``auc_logged``, ``coverage@10``, ..."""
    truth: dict[str, Estimate] = {}
    """Against the world's own probabilities: ``expected_gain_ndcg@10``, ``page_value``, ..."""
    off_policy: dict[str, Estimate | str] = {}
    """IPS, SNIPS and DR; a sentence in place of a figure where the sample allows no verdict."""
    calibration: list[Curve] = []
    """Predicted against observed rate, on logged and on random traffic."""
    fit_seconds: Figure
    score_seconds: Figure
    peak_memory_mb: Figure
    details: dict[str, str] = {}
    """What else a reader should know: features, tuning budget, candidates, chosen parameters."""


class PairedDifference(_Part):
    """Mean per-user difference of one metric, first minus second, with its 95 % interval."""

    metric: str
    first: str
    second: str
    difference: Estimate


class Stage(_Part):
    """One stage of the run that made this judgement."""

    name: str
    seconds: Figure
    peak_memory_mb: Figure
    reused: bool = False


class Fact(_Part):
    """One measured property beside the range in which it should lie."""

    name: str
    value: Figure
    expected: str
    real_log: float | None = None
    holds: bool | None = None
    """Whether the value lies where it should; None where nothing is demanded of it."""


class Goal(_Part):
    """What is asked of a model of this system, beside what was measured."""

    key: Literal[
        "ahead",
        "lift",
        "recall",
        "auc_logged",
        "auc_random",
        "tags",
        "value_loss",
        "distance",
        "page_ahead",
    ]
    name: str
    """As a table says it."""
    against: str = ""
    """The model that is compared with; of several the hardest to beat."""
    measured: Estimate
    demanded: str = ""
    """In words, for example ``at least 90 %``; empty where nothing is demanded."""
    holds: bool | None = None
    """Whether the demand is met; None where nothing is demanded or nothing could be measured."""


class PageResult(_Part):
    """Lists of one origin, each taken as a page, over the same users."""

    name: str
    kind: Literal["page", "plain", "other"]
    """The page as served, the same model's list cut without a slate, or another model's list."""
    figures: dict[str, Estimate]
    """``page_value@10``, ``distinct_tags@10``, ``coverage@10``, ..."""


class FrontierPoint(_Part):
    """Pages under one setting of the slate."""

    method: str
    trade_off: Figure
    default: bool = False
    """Whether pages are served under this setting."""
    figures: dict[str, Estimate]
    """As of a `PageResult`."""


class Ablation(_Part):
    """The model with one part blanked when it is asked, not trained anew without it."""

    part: str
    differences: dict[str, Estimate]
    """By metric: without the part minus with all parts, paired by user; pages' metrics begin with
    ``page:``."""
    same_lists: bool = False
    """Whether every list is the whole model's, video by video."""
    same_pages: bool = False
    """The same of the pages."""


class Breakdown(_Part):
    """One metric in groups of users, or of videos."""

    by: str
    """What the groups are of, for example ``events in the user's history``."""
    metric: str
    groups: list[str]
    """Labels, in reading order."""
    models: dict[str, list[Estimate]]
    """For each model, an estimate a group; NaN where a group allows none."""


class Study(_Part):
    """What is asked of a model of this system beyond what every contestant is asked."""

    model: str
    goals: list[Goal] = []
    pages: list[PageResult] = []
    changes: dict[str, Estimate] = {}
    """Relative change from the plain list to the page, by metric."""
    frontier: list[FrontierPoint] = []
    ablations: list[Ablation] = []
    breakdowns: list[Breakdown] = []
    training: list[Curve] = []
    """Losses by epoch, the first is 1, named as the training names them: ``train/outcome``, ..."""
    best_epoch: int | None = None
    facts: list[Fact] = []
    """What was measured of the model elsewhere, such as what half precision costs."""


class Scorecard(_Part):
    """A whole judgement."""

    title: str
    made_at: dt.datetime
    dataset: str
    dataset_digest: str
    protocol: list[str]
    """Sentences that say how the figures were made, in reading order."""
    users: int
    videos: int
    impressions: int
    target: Literal["click", "long_view"]
    models: list[ModelResult]
    differences: list[PairedDifference]
    study: Study | None = None
    """Of the model of this system; None where only baselines were judged."""
    facts: list[Fact] = []
    marginals: list[Marginal] = []
    stages: list[Stage] = []
    settings: dict[str, str] = {}
    """Every setting in force, by its dotted name."""
