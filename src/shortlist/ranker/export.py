"""From a trained cascade to what serving loads: three graphs, tables of the videos, a note.

The graphs are ONNX and the tables plain arrays: no pickled code, no torch where they are used.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.artefacts import GRAPHS, ITEM_VECTORS, ITEMS, TAGS, Note
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.company import item_table
from shortlist.ranker.features import MOMENT_WIDTH, ItemFeatures
from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph
from shortlist.ranker.history import USER_WIDTH
from shortlist.ranker.prerank import FLOOR
from shortlist.ranker.projection import Projection
from shortlist.ranker.refit import Asked, refit
from shortlist.ranker.tracing import write_graph

Floats = npt.NDArray[np.float32]

# No free axis may be of length 1 while a graph is traced: it would be taken for a fixed one.
_BATCH: Final = 2
_EVENTS: Final = 5
_CANDIDATES: Final = 7

_Axes = dict[int, str]


@torch.no_grad()
def export(
    cascade: Cascade,
    features: ItemFeatures,
    note: Note,
    age: Floats,
    into: Path,
    *,
    asked: Asked | None = None,
) -> None:
    """Write the artefacts of a cascade into an existing directory; equal ones to equal bytes.

    Args:
        cascade: trained.
        features: of the videos.
        note: what serving must know besides.
        age: what `video_age` says of every video when the history ends, float32 [n_videos]: vectors
            are searched without a moment, so the age at that day goes into their bias.
        into: directory to write to.
        asked: for whom the vectors are refitted to the pre-rank; None leaves them as trained.
    """
    cascade.eval()
    table = item_table(cascade).half()
    rows, ages = table.float(), torch.from_numpy(age)
    vectors = cascade.prerank.item_vectors(rows)
    vectors[:, -1] += cascade.prerank.moment.weight[0, 0] * ages
    vectors = cascade.prerank.searched(vectors)
    projection = projection_of(cascade, features)
    if asked is not None:
        moved = refit(cascade, rows, vectors, ages, asked)
        vectors += torch.from_numpy(moved.vectors)
        projection = projection.moved(moved.rows, moved.level)
    np.save(into / ITEMS, table.numpy())
    np.save(into / TAGS, features.tags)
    np.save(into / ITEM_VECTORS, vectors.numpy())
    projection.save(into)
    width = cascade.history.start.shape[0]
    read, judged = _read(table.shape[1], note.profile_width), _judged(table.shape[1], width)
    listed = {
        **judged,
        "prerank": torch.zeros(_BATCH, _CANDIDATES),
        "listed": torch.ones(_BATCH, _CANDIDATES, dtype=torch.bool),
    }
    graphs: dict[str, tuple[nn.Module, dict[str, Tensor], list[str]]] = {
        "history": (HistoryGraph(cascade), read, ["user", "tokens"]),
        "prerank": (PrerankGraph(cascade), judged, ["logit"]),
        "listwise": (ListGraph(cascade), listed, ["click", "diversity"]),
    }
    for name, (graph, sample, outputs) in graphs.items():
        axes = _axes(of_history=name == "history")
        write_graph(graph.eval(), sample, axes, outputs, into / GRAPHS[name])
    note.save(into)


@torch.no_grad()
def projection_of(cascade: Cascade, features: ItemFeatures) -> Projection:
    """What places a video that nobody has met."""
    tower, prerank = cascade.items, cascade.prerank
    return Projection(
        mean=features.mean,
        components=features.projection,
        content=tower.content.weight.T.numpy(),
        tags=tower.tags.weight.T.numpy(),
        creator=tower.creator.weight.numpy(),
        language=tower.language.weight.numpy(),
        standard=features.standard,
        static=tower.static.weight.T.numpy(),
        bias=tower.static.bias.numpy(),
        # The map is linear, so the images of the unit vectors are all of it.
        vector=prerank.item_vectors(torch.eye(len(tower.static.bias))).numpy(),
        level=np.zeros(USER_WIDTH, np.float32),
        age=prerank.moment.weight[0, :1].numpy(),
        floor=np.array([FLOOR if prerank.multiplies else 0.0], np.float32),
    )


def _read(row_width: int, profile_width: int) -> dict[str, Tensor]:
    """A sample of what the history encoder takes."""
    return {
        "rows": torch.zeros(_BATCH, _EVENTS, row_width).half(),
        "kinds": torch.ones(_BATCH, _EVENTS, dtype=torch.long),
        "ages": torch.zeros(_BATCH, _EVENTS),
        "filled": torch.ones(_BATCH, _EVENTS, dtype=torch.bool),
        "profile": torch.zeros(_BATCH, profile_width),
    }


def _judged(row_width: int, width: int) -> dict[str, Tensor]:
    """A sample of what the pre-rank takes, and the list ranker first of all."""
    return {
        "user": torch.zeros(_BATCH, USER_WIDTH),
        "tokens": torch.zeros(_BATCH, 1 + _EVENTS, width),
        "ages": torch.zeros(_BATCH, _EVENTS),
        "filled": torch.ones(_BATCH, _EVENTS, dtype=torch.bool),
        "rows": torch.zeros(_BATCH, _CANDIDATES, row_width).half(),
        "context": torch.zeros(_BATCH, CONTEXT_WIDTH),
        "moment": torch.zeros(_BATCH, _CANDIDATES, MOMENT_WIDTH),
    }


def _axes(*, of_history: bool) -> dict[str, _Axes]:
    """The free axes of each input and output."""
    events, candidates = {0: "batch", 1: "events"}, {0: "batch", 1: "candidates"}
    # The start of a history has a token too.
    user, tokens = {0: "batch"}, {0: "batch", 1: "tokens"}
    if of_history:
        read = ("rows", "kinds", "ages", "filled")
        return dict.fromkeys(read, events) | {"profile": user, "user": user, "tokens": tokens}
    judged = ("rows", "moment", "prerank", "listed", "logit", "click", "diversity")
    told = {"user": user, "tokens": tokens, "ages": events, "filled": events, "context": user}
    return told | dict.fromkeys(judged, candidates)
