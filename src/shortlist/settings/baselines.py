"""How the baselines are fitted."""

from shortlist.settings.base import Branch


class BaselinesSettings(Branch):
    """Hyper-parameters of the baselines."""
