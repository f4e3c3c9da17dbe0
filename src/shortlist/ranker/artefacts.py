"""What the ranker leaves for serving, by name; read without torch."""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.errors import CorruptError, NotFoundError

GRAPHS: Final = {
    "history": "history.onnx",
    "prerank": "prerank.onnx",
    "listwise": "listwise.onnx",
}
"""Files of the three graphs."""
ITEMS: Final = "items.npy"
"""The item table, float16 [n_videos, w + 1]: what the graphs need of a video."""
ITEM_VECTORS: Final = "vectors.npy"
"""Vectors of the videos for the vector recall, float32 [n_videos, 128]."""
TAGS: Final = "tags.npy"
"""Weights of tags, by which a viewer wearies, float32 [n_videos, t]."""
PROJECTION: Final = "projection.npz"
"""What places a video that nobody has met."""
PRECISION: Final = "precision.json"
"""What half precision of the item table costs."""
NOTE: Final = "ranker.json"
CURVES: Final = "curves.json"
"""Losses by epoch."""


class Lead(BaseModel):
    """How much better a learned stage ranks what came next than the stage before it.

    On rows that were held out, by NDCG@10 in the mean of users.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    users: int
    before: float
    """Of the order before the stage."""
    after: float
    low: float
    """Of the 95 % interval of the difference, users paired."""
    high: float
    kept: bool
    """Whether it is served; a stage that is not adds nothing to the logit before it."""


class Note(BaseModel):
    """What serving must know of a ranker besides its weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: str
    """The outcome whose probability is given."""
    history: int
    """Last events that are encoded."""
    list_size: int
    """Candidates that are ranked as a list."""
    profile_width: int
    policy_lift: float
    """What a logit gains where a policy chose the video, on rows of the log."""
    leads: tuple[Lead, ...] = ()
    """Of each stage that had to earn its place; none where outcomes are learned."""

    @property
    def silent(self) -> list[str]:
        """Stages that are served without what they learned."""
        return [lead.stage for lead in self.leads if not lead.kept]

    def save(self, into: Path) -> None:
        """Write the note to a directory."""
        (into / NOTE).write_text(self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the note of a directory.

        Raises:
            NotFoundError: there is no ranker.
            CorruptError: the note is damaged.
        """
        path = directory / NOTE
        if not path.is_file():
            raise NotFoundError(f"no ranker at {directory}: {NOTE} is missing; train one")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CorruptError(f"{path} is damaged; train the ranker again") from error
