"""The image that components run in, where a run names no other."""

from typing import Final

from shortlist import __version__

IMAGE: Final = f"shortlist/training:{__version__}"
