"""Cards of videos from a catalogue, by id."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shortlist.datasets.catalogue import Catalogue
from shortlist.wire.videos import VideoCard

_COLUMNS = ("video_id", "title", "tags", "creator_id", "duration_seconds", "language")


def cards_of(
    catalogue: Catalogue, ids: Sequence[int]
) -> tuple[tuple[VideoCard, ...], tuple[int, ...]]:
    """Cards of the videos that there are, in order, and the ids that no video has.

    Args:
        catalogue: the videos.
        ids: of 64 bits, distinct.
    """
    wanted = np.array(ids, np.int64)
    place = np.searchsorted(catalogue.ids, wanted)
    there = place < len(catalogue)
    there[there] = catalogue.ids[place[there]] == wanted[there]
    rows = catalogue.table.select(_COLUMNS).take(place[there]).to_pylist()
    return tuple(map(_card, rows)), tuple(wanted[~there].tolist())


def _card(row: dict[str, Any]) -> VideoCard:
    seconds = row["duration_seconds"]
    known = seconds is not None and math.isfinite(seconds) and seconds >= 0
    return VideoCard(
        video_id=row["video_id"],
        title=row["title"],
        tags=tuple(row["tags"]),
        creator_id=row["creator_id"],
        duration_seconds=round(seconds, 1) if known else None,
        language=row["language"],
    )
