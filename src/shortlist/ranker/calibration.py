"""What logits of a choice tell of outcomes: a slope and a level, from held-out rows."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from shortlist.datasets.interactions import Floats
from shortlist.ranker.cascade import Cascade, Read
from shortlist.ranker.windows import Batch, Rows

_LEAST_SLOPE: Final = 0.05


@torch.no_grad()
def calibration(
    cascade: Cascade, rows: Rows, held_out: Iterable[Batch]
) -> tuple[float, float] | None:
    """Slope and level by which logits tell of outcomes; None where rows do not say.

    Logits of a choice know no level: they tell one video from another. On shown rows a logistic
    curve gives them one (Platt, "Probabilistic outputs for support vector machines", 1999).
    """
    told = [said_and_came(cascade, rows, batch, cascade.read(rows, batch)) for batch in held_out]
    said, came = map(np.concatenate, zip(*told, strict=True))
    if len(np.unique(came)) < 2:
        return None
    curve = LogisticRegression(C=1.0).fit(said[:, None], came)
    # The order stays as it was learned, whatever the few rows say.
    return max(float(curve.coef_[0, 0]), _LEAST_SLOPE), float(curve.intercept_[0])


def said_and_came(cascade: Cascade, rows: Rows, batch: Batch, read: Read) -> tuple[Floats, Floats]:
    """Logits of the rows whose outcome is known, and these outcomes, each float32 [n]."""
    target = rows.target[batch.at[batch.predicted]]
    known = ~target.isnan()
    logit = cascade(rows, batch, read).logit[batch.predicted]
    return logit[known].numpy(), target[known].numpy()
