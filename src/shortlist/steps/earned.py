"""What each learned stage was worth that had to earn its place, as facts for the report."""

from pathlib import Path
from typing import Final

from shortlist.evaluation.scorecard import Fact
from shortlist.ranker.artefacts import Lead, Note

_STAGES: Final = {"prerank": "the pre-rank", "listwise": "the list ranker"}


def stage_facts(ranker: Path) -> list[Fact]:
    """The lead of each stage over the one before it, and whether it is served; none for outcomes.

    Args:
        ranker: directory of a trained ranker's artefacts.

    Raises:
        NotFoundError: there is no ranker.
        CorruptError: its note is damaged.
    """
    return [fact for lead in Note.load(ranker).leads for fact in _facts(lead)]


def _facts(lead: Lead) -> list[Fact]:
    stage = _STAGES.get(lead.stage, lead.stage)
    served = "served" if lead.kept else "left out"
    return [
        Fact(
            name=f"NDCG@10 before {stage}, what came next for {lead.users:,} users",
            value=lead.before,
            expected="any",
        ),
        Fact(
            name=f"NDCG@10 gained by {stage}, at least ({served})",
            value=lead.low,
            expected="above 0, else left out",
        ),
        Fact(
            name=f"NDCG@10 gained by {stage}, at most",
            value=lead.high,
            expected="any",
        ),
    ]
