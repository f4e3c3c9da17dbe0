"""The synthetic world."""

from shortlist.settings.base import Branch


class WorldSettings(Branch):
    """Size and laws of the synthetic world."""
