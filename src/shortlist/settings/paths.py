"""Where things lie on disk."""

from pathlib import Path

from pydantic import Field

from shortlist.settings.base import Branch


class PathsSettings(Branch):
    """Directories; relative ones start at the working directory."""

    work: Path = Field(Path("work"), description="Everything made here lies below this directory.")
    cache: Path = Field(
        default_factory=lambda given: given["work"] / "cache",
        description="Content vectors, by what they were made from; safe to delete. "
        "Default: `cache` below `paths.work`.",
    )
    truth: Path = Field(
        default_factory=lambda given: given["work"] / "truth",
        description="Latents of synthetic worlds; only the world's verb and the judge open it. "
        "Default: `truth` below `paths.work`.",
    )
    bundles: Path = Field(
        default_factory=lambda given: given["work"] / "bundles",
        description="Bundles, and the pointer to the published one. "
        "Default: `bundles` below `paths.work`.",
    )
