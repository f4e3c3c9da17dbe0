"""What each metric of a scorecard is called, measured in, and means, in a reader's words.

A metric's name in a scorecard is a base, perhaps the traffic it was measured on, and perhaps a
cut-off: ``ndcg@10``, ``auc_random``, ``calibration_error_logged``. A name that is not known here is
shown as it is, without a better side.
"""

from dataclasses import dataclass
from typing import Final, Literal

from shortlist.evaluation.scorecard import ModelResult

Better = Literal["higher", "lower"]
Topic = Literal["truth", "order", "prediction", "breadth", "other"]

TOPICS: Final[dict[Topic, str]] = {
    "truth": "Against the world's own probabilities",
    "order": "Order of the held-out log",
    "prediction": "Predicted probabilities",
    "breadth": "Breadth of the lists",
    "other": "Other figures",
}
"""Each topic's heading, in reading order."""

OUTCOMES: Final[dict[str, str]] = {"click": "clicks", "long_view": "long views"}
"""What a target counts."""

FAMILIES: Final[dict[str, str]] = {
    "reference": "reference, not personal",
    "baseline": "baseline",
    "model": "model of this system",
    "observer": "informed observer, the fair ceiling",
    "oracle": "oracle, knows the truth",
}
"""Each family of recommenders, as a legend says it."""


@dataclass(frozen=True)
class Metric:
    """A metric of a scorecard, ready to be shown.

    Attributes:
        name: its key in the scorecard.
        base: the name without traffic and cut-off.
        topic: which table it belongs to.
        label: as a table's head says it.
        unit: what an axis counts; empty where the label says it.
        meaning: one sentence for a reader who never saw it.
        better: which side is better; None where neither is.
        percent: whether it is a share, shown as a percentage.
    """

    name: str
    base: str
    topic: Topic
    label: str
    unit: str
    meaning: str
    better: Better | None
    percent: bool = False

    @property
    def axis(self) -> str:
        """Label and unit, for the axis of a plot.

        >>> metric("page_value").axis
        'Page value (expected clicks per page)'
        """
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class _Words:
    topic: Topic
    label: str
    unit: str
    meaning: str
    better: Better | None
    percent: bool = False


_KNOWN: Final[dict[str, _Words]] = {
    "expected_gain_ndcg": _Words(
        "truth",
        "Expected-gain NDCG",
        "1 = the oracle's order",
        "How near a list comes to the best possible one, by the world's own probabilities: 1 is "
        "the oracle's list.",
        "higher",
    ),
    "page_value": _Words(
        "truth",
        "Page value",
        "expected clicks per page",
        "Clicks to expect from one page, counting that repeated tags tire the viewer.",
        "higher",
    ),
    "static_value": _Words(
        "truth",
        "Value without fatigue",
        "expected clicks per page",
        "Clicks to expect from one page if no video tired the viewer for the next.",
        "higher",
    ),
    "place_worth": _Words(
        "truth",
        "Worth of a place",
        "outcomes per place",
        "Outcomes to expect of one place of a list that goes to such a video.",
        "higher",
    ),
    "oracle_recall": _Words(
        "truth",
        "Oracle recall",
        "% of the oracle's best",
        "Share of the oracle's best videos that are among this model's candidates.",
        "higher",
        percent=True,
    ),
    "policy_value": _Words(
        "truth",
        "Policy value",
        "outcomes per impression",
        "Outcomes to expect per impression if videos were drawn from those the model puts first.",
        "higher",
    ),
    "ndcg": _Words(
        "order",
        "NDCG",
        "1 = perfect order",
        "Whether the held-out videos that a user liked stand near the top of the list; 1 is a "
        "perfect order.",
        "higher",
    ),
    "hit_rate": _Words(
        "order",
        "Hit rate",
        "% of users",
        "Share of users who find at least one held-out video that they liked in the list.",
        "higher",
        percent=True,
    ),
    "recall": _Words(
        "order",
        "Recall",
        "% of liked videos",
        "Share of a user's held-out liked videos that the list contains.",
        "higher",
        percent=True,
    ),
    "mrr": _Words(
        "order",
        "MRR",
        "1 = always first",
        "One over the rank of the first held-out video that the user liked, on average.",
        "higher",
    ),
    "auc": _Words(
        "prediction",
        "AUC",
        "0.5 = chance, 1 = perfect",
        "Chance that a row with the outcome gets a higher prediction than one without it.",
        "higher",
    ),
    "log_loss": _Words(
        "prediction",
        "Log loss",
        "nats per row",
        "Surprise at what happened, given the prediction; a lower figure is better.",
        "lower",
    ),
    "calibration_error": _Words(
        "prediction",
        "Calibration error",
        "percentage points",
        "Mean distance between predicted and observed rates.",
        "lower",
        percent=True,
    ),
    "coverage": _Words(
        "breadth",
        "Coverage",
        "% of the catalogue",
        "Share of the catalogue that appears in at least one user's list.",
        "higher",
        percent=True,
    ),
    "popularity_share": _Words(
        "breadth",
        "Popularity share",
        "% of places",
        "Share of the places in all lists that go to the most popular videos.",
        None,
        percent=True,
    ),
    "place_share": _Words(
        "breadth",
        "Share of places",
        "% of places",
        "Share of the places in all lists that go to such videos.",
        None,
        percent=True,
    ),
    "content_distance": _Words(
        "breadth",
        "Content distance",
        "0 = all alike",
        "Mean distance between the contents of two videos of one list.",
        "higher",
    ),
    "distinct_tags": _Words(
        "breadth",
        "Distinct tags",
        "tags per list",
        "Number of different tags in one list.",
        "higher",
    ),
}

_TRAFFIC: Final = {"logged": "logged traffic", "random": "random traffic"}


def metric(name: str) -> Metric:
    """The words for a metric of a scorecard.

    >>> metric("ndcg@10").label
    'NDCG@10'
    >>> metric("auc_random").label
    'AUC, random traffic'
    >>> metric("dwell_regret@5").label
    'dwell regret@5'
    """
    stem, at, cutoff = name.partition("@")
    base, _, last = stem.rpartition("_")
    traffic = _TRAFFIC.get(last, "") if stem not in _KNOWN else ""
    if not traffic:
        base = stem
    words = _KNOWN.get(base) or _Words("other", base.replace("_", " "), "", "", None)
    label = words.label + at + cutoff + (f", {traffic}" if traffic else "")
    return Metric(
        name, base, words.topic, label, words.unit, words.meaning, words.better, words.percent
    )


def order(name: str) -> int:
    """Rank of a metric in a table: that of this module; unknown ones come last."""
    bases = list(_KNOWN)
    base = metric(name).base
    return bases.index(base) if base in bases else len(bases)


def family(model: ModelResult) -> str:
    """What kind of recommender a model is, as a legend says it."""
    return FAMILIES[model.family]
