"""How videos become vectors."""

from typing import Literal

from pydantic import Field

from shortlist.settings.base import Branch


class EncodersSettings(Branch):
    """Which encoder reads titles, tags, creators and durations."""

    kind: Literal["hashing", "transformers"] = Field(
        "hashing", description="`hashing` needs no download; `transformers` loads `model`."
    )
    model: str = Field(
        "sentence-transformers/all-mpnet-base-v2",
        description="Hub name or local directory of the encoder, where kind is `transformers`.",
    )
    revision: str = Field(
        "main", description="Branch, tag or commit of a hub model; a commit never changes."
    )
    width: int = Field(768, ge=8, le=65_536, description="Width of the hashing encoder's vectors.")
    batch_size: int = Field(
        64, ge=1, le=65_536, description="Texts in one forward pass, where kind is `transformers`."
    )
    cache_gib: float = Field(
        4.0,
        gt=0,
        le=1e6,
        description="Size to which cached vectors are cut back, least recently used first, in GiB.",
    )
