"""The image that components run in, where a run names no other."""

from typing import Final

IMAGE: Final = "shortlist-train:latest"
