"""What half precision costs, as the file beside a ranker; read without what measures it."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from shortlist.ranker.artefacts import PRECISION


class Pair(BaseModel):
    """One figure by either table; None where the rows cannot tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    float32: float | None
    float16: float | None
    cost: float | None
    """What the half table loses."""

    @classmethod
    def of(cls, whole: float | None, half: float | None) -> Self:
        """Both figures and their difference."""
        cost = None if whole is None or half is None else whole - half
        return cls(float32=whole, float16=half, cost=cost)


class Precision(BaseModel):
    """What serving from a table of half precision costs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    """Held-out rows whose outcome is known."""
    lists: int
    """Held-out sessions with both outcomes, each within the company of a training list."""
    auc: Pair
    """Of the pre-rank on the rows."""
    ndcg: Pair
    """NDCG@10 of the list ranker on the shown videos of each list, in the mean."""

    def save(self, into: Path) -> None:
        """Write the figures to a directory."""
        (into / PRECISION).write_text(self.model_dump_json(indent=2) + "\n")
