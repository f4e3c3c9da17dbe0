"""What half precision of the item table costs, in AUC and NDCG@10 on rows that were not learned."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import ndcg_score, roc_auc_score
from torch import Tensor

from shortlist.ranker.calibration import said_and_came
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.items import ItemTower
from shortlist.ranker.lists import Pools, lists_of
from shortlist.ranker.measured import Pair, Precision
from shortlist.ranker.windows import Batch, Rows

Floats = npt.NDArray[np.float32]

_K: Final = 10


@torch.no_grad()
def measure_precision(
    cascade: Cascade, rows: Rows, held_out: Iterable[Batch], pools: Pools, *, size: int
) -> Precision:
    """Judge held-out rows and lists by both tables.

    Args:
        cascade: trained.
        rows: the log.
        held_out: windows of rows that were not learned.
        pools: company of lists.
        size: length of a list.
    """
    cascade.eval()
    batches = list(held_out)
    target, logit, lists = _judged(cascade, rows, batches, pools, size)
    with _half(cascade.items):
        _, half_logit, half_lists = _judged(cascade, rows, batches, pools, size)
    return Precision(
        rows=len(target),
        lists=len(lists),
        auc=Pair.of(_auc(target, logit), _auc(target, half_logit)),
        ndcg=Pair.of(_ndcg(lists), _ndcg(half_lists)),
    )


def _judged(
    cascade: Cascade, rows: Rows, batches: Iterable[Batch], pools: Pools, size: int
) -> tuple[Floats, Floats, list[tuple[Floats, Floats]]]:
    """Known targets and their logits, and the same list by list where both outcomes came about."""
    rng = np.random.default_rng(0)
    targets, logits = [], []
    lists: list[tuple[Floats, Floats]] = []
    for batch in batches:
        read = cascade.read(rows, batch)
        logit, target = said_and_came(cascade, rows, batch, read)
        targets.append(target)
        logits.append(logit)
        drawn = lists_of(rows, batch, pools, share=1.0, size=size, rng=rng)
        click = cascade.rank_lists(rows, batch, read, drawn).click
        lists += _tellings(drawn.target, click)
    return np.concatenate(targets), np.concatenate(logits), lists


def _tellings(targets: Tensor, clicks: Tensor) -> Iterator[tuple[Floats, Floats]]:
    for target, click in zip(targets, clicks, strict=True):
        known = ~target.isnan()
        if target[known].unique().numel() == 2:
            yield target[known].numpy(), click[known].numpy()


def _auc(target: Floats, logit: Floats) -> float | None:
    return float(roc_auc_score(target, logit)) if len(np.unique(target)) == 2 else None


def _ndcg(lists: list[tuple[Floats, Floats]]) -> float | None:
    if not lists:
        return None
    return float(np.mean([ndcg_score([gain], [score], k=_K) for gain, score in lists]))


@contextmanager
def _half(tower: ItemTower) -> Iterator[None]:
    """Let the tower's rows go through half precision, as those of the stored table do."""

    def rounded(_module: Any, _inputs: Any, made: Tensor) -> Tensor:
        return made.half().float()

    handle = tower.register_forward_hook(rounded)
    try:
        yield
    finally:
        handle.remove()
