"""How a log is split in time."""

from pydantic import Field

from shortlist.settings.base import Branch


class DatasetsSettings(Branch):
    """The temporal split: history, then validation days at its tail, then test days."""

    test_days: int = Field(4, ge=1, description="Last days of a log, on which models are judged.")
    validation_days: int = Field(
        3, ge=1, description="Days before the test days, on which models are tuned."
    )
