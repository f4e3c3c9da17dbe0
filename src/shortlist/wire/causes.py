"""Why an answer is not what it would be on a good day: words for pages and counters alike."""

from enum import StrEnum


class Cause(StrEnum):
    """Why a page is degraded, or simpler than for others; the values cross the wire."""

    STORE_DOWN = "store_down"
    """Redis does not answer."""
    STORE_SLOW = "store_slow"
    """Redis did not answer in its time."""
    PREDICTOR_DOWN = "predictor_down"
    PREDICTOR_SLOW = "predictor_slow"
    PREDICTOR_REFUSED = "predictor_refused"
    """It answered with an error, or with what is no answer."""
    BUNDLE_MISMATCH = "bundle_mismatch"
    """No predictor holds the bundle that was asked for."""
    OVER_BUDGET = "over_budget"
    """Too little time was left for a stage, so that it was left out."""
    BAD_FEATURES = "bad_features"
    """What is stored of the user cannot be used."""
    UNKNOWN_USER = "unknown_user"
    """Nobody has seen the user; popularity and context answer. Not degraded."""
    EMPTY_HISTORY = "empty_history"
    """The user has done nothing yet. Not degraded."""

    @property
    def degrades(self) -> bool:
        """Whether a page for this cause is flagged: something failed that should not."""
        return self not in (Cause.UNKNOWN_USER, Cause.EMPTY_HISTORY)


class Ignored(StrEnum):
    """What was left out of a request or of what is stored, and counted."""

    UNKNOWN_VIDEO = "unknown_video"
    DUPLICATE_VIDEO = "duplicate_video"
    NOT_FINITE = "not_finite"
    """NaN or infinite features."""
    FUTURE_EVENT = "future_event"
    """An event from after now: clocks differ."""
