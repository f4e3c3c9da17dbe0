"""Where things lie on disk."""

from pathlib import Path

from pydantic import Field

from shortlist.settings.base import Branch


class PathsSettings(Branch):
    """Directories; relative ones start at the working directory."""

    work: Path = Field(Path("work"), description="Everything made here lies below this directory.")
    cache: Path = Field(
        Path("work/cache"),
        description="Content vectors, by what they were made from; safe to delete.",
    )
    truth: Path = Field(
        Path("work/truth"),
        description="Latents of synthetic worlds; only the world's verb and the judge open it.",
    )
