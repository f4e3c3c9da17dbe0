"""What half precision costs, as facts for the report."""

import math
from pathlib import Path

from pydantic import ValidationError

from shortlist.errors import CorruptError, NotFoundError
from shortlist.evaluation.scorecard import Fact
from shortlist.ranker.artefacts import PRECISION
from shortlist.ranker.measured import Pair, Precision


def precision_facts(ranker: Path) -> list[Fact]:
    """Figures before and after the item table was halved, and what that lost.

    Args:
        ranker: directory of a trained ranker's artefacts.

    Raises:
        NotFoundError: it was not measured.
        CorruptError: the figures cannot be read.
    """
    path = ranker / PRECISION
    try:
        told = Precision.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} is missing; train the ranker again") from error
    except ValidationError as error:
        raise CorruptError(f"{path} is damaged; train the ranker again") from error
    return [
        *_facts(told.auc, "AUC", f"the pre-rank on {told.rows:,} held-out rows"),
        *_facts(told.ndcg, "NDCG@10", f"the list ranker on {told.lists:,} held-out lists"),
    ]


def _facts(pair: Pair, metric: str, judged: str) -> list[Fact]:
    def fact(name: str, value: float | None, expected: str) -> Fact:
        return Fact(name=name, value=math.nan if value is None else value, expected=expected)

    return [
        fact(f"{metric} of {judged}, items in float32", pair.float32, "any"),
        fact(f"{metric} of the same, items in float16 as served", pair.float16, "the same"),
        fact(f"{metric} lost to half precision", pair.cost, "about 0"),
    ]
