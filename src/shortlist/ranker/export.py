"""From a trained cascade to what serving loads: three graphs, the item table, item vectors, a note.

The graphs are ONNX: no pickled code, no torch where they run.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.artefacts import DESCRIBED, GRAPHS, ITEM_VECTORS, ITEMS, TAGS, Note
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.company import item_table
from shortlist.ranker.features import MOMENT_WIDTH, ItemFeatures
from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph
from shortlist.ranker.history import USER_WIDTH

Floats = npt.NDArray[np.float32]

_OPSET: Final = 18
_BATCH, _EVENTS, _CANDIDATES = 2, 5, 7


@torch.no_grad()
def export(cascade: Cascade, features: ItemFeatures, note: Note, age: Floats, into: Path) -> None:
    """Write the artefacts of a cascade into an existing directory.

    Args:
        cascade: trained.
        features: of the videos.
        note: what serving must know besides.
        age: what `video_age` says of every video when the history ends, float32 [n_videos]: vectors
            are searched without a moment, so the age at that day goes into their bias.
        into: directory to write to.
    """
    cascade.eval()
    table = item_table(cascade).half()
    np.save(into / ITEMS, table.numpy())
    np.save(into / DESCRIBED, features.described)
    np.save(into / TAGS, features.tags)
    vectors = cascade.prerank.item_vectors(table.float())
    vectors[:, -1] += cascade.prerank.moment.weight[0, 0] * torch.from_numpy(age)
    np.save(into / ITEM_VECTORS, vectors.numpy())
    width = cascade.history.start.shape[0]
    history = _history_sample(table.shape[1], width, note.profile_width)
    rows, kinds, ages, filled, profile, user, tokens = history
    candidates = torch.randn(_BATCH, _CANDIDATES, table.shape[1]).half()
    context = torch.randn(_BATCH, CONTEXT_WIDTH)
    moment = torch.rand(_BATCH, _CANDIDATES, MOMENT_WIDTH)
    prerank = torch.randn(_BATCH, _CANDIDATES)
    listed = torch.ones(_BATCH, _CANDIDATES, dtype=torch.bool)
    seen = (user, tokens, ages, filled, candidates, context, moment)
    _write(
        HistoryGraph(cascade),
        (rows, kinds, ages, filled, profile),
        ["rows", "kinds", "ages", "filled", "profile"],
        ["user", "tokens"],
        into / GRAPHS["history"],
    )
    names = ["user", "tokens", "ages", "filled", "rows", "context", "moment"]
    _write(PrerankGraph(cascade), seen, names, ["logit"], into / GRAPHS["prerank"])
    _write(
        ListGraph(cascade),
        (*seen, prerank, listed),
        [*names, "prerank", "listed"],
        ["click", "diversity"],
        into / GRAPHS["listwise"],
    )
    note.save(into)


def _history_sample(row_width: int, width: int, profile_width: int) -> tuple[Tensor, ...]:
    filled = torch.ones(_BATCH, _EVENTS, dtype=torch.bool)
    filled[0, -1] = False
    return (
        torch.randn(_BATCH, _EVENTS, row_width).half(),
        torch.ones(_BATCH, _EVENTS, dtype=torch.long),
        torch.rand(_BATCH, _EVENTS),
        filled,
        torch.zeros(_BATCH, profile_width),
        torch.randn(_BATCH, USER_WIDTH),
        torch.randn(_BATCH, 1 + _EVENTS, width),
    )


def _axes(names: Sequence[str], *, of_history: bool) -> list[dict[int, object]]:
    """Names of the free axes of each input."""
    batch = torch.export.Dim("batch")
    events = torch.export.Dim("events")
    candidates = torch.export.Dim("candidates")
    by_name: dict[str, dict[int, object]] = {
        "rows": {0: batch, 1: events if of_history else candidates},
        "kinds": {0: batch, 1: events},
        "ages": {0: batch, 1: events},
        "filled": {0: batch, 1: events},
        "profile": {0: batch},
        "user": {0: batch},
        # The start of a history has a token too.
        "tokens": {0: batch, 1: events + 1},
        "context": {0: batch},
        "moment": {0: batch, 1: candidates},
        "prerank": {0: batch, 1: candidates},
        "listed": {0: batch, 1: candidates},
    }
    return [by_name[name] for name in names]


def _write(
    graph: nn.Module,
    sample: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    path: Path,
) -> None:
    graph.eval()
    with _plain_attention():
        program = torch.onnx.export(
            graph,
            sample,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple(_axes(inputs, of_history="kinds" in inputs)),
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    program.save(str(path))


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's fast path, which the exporter cannot read."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
