"""How a page is drawn from ranked candidates."""

from pydantic import Field

from shortlist.settings.base import Branch


class SlateSettings(Branch):
    """Diversity, rules and exploration of a page."""

    size: int = Field(10, ge=1, le=100, description="Videos of a page.")
