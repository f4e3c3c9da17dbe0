"""What the recall tables find for every user: the company in which the ranker learns to rank."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Ints, TrainingView
from shortlist.progress import track
from shortlist.recall.blend import make_blend
from shortlist.recall.query import Query
from shortlist.recall.tables import Tables
from shortlist.settings.recall import RecallSettings

READ: Final = (
    "tag_half_life_days",
    "tag_interest",
    "tag_aversion",
    "tag_rate_weight",
    "als_l2",
    "als_confidence",
    "fusion_offset",
    "popularity_weight",
    "tags_weight",
    "collaborative_weight",
    "popularity_quota",
    "tags_quota",
    "collaborative_quota",
)
"""Settings of recall that say what the tables find, beside those that they were fitted with."""


def recalled_by_tables(
    view: TrainingView, tables: Path, settings: RecallSettings, count: int
) -> Ints:
    """Ask the sources that need no ranker, as serving would on the day the history ends.

    Args:
        view: whose users ask.
        tables: directory that `fit_recall` wrote.
        settings: of recall; see `READ`.
        count: how many videos are wanted for each user.

    Returns:
        Rows of live videos that the user has not seen, the best first, int64 [n_users, r]; r is
        ``count``, or less where a user has seen most of a small catalogue.
    """
    if count == 0:
        return np.zeros((len(view.users), 0), np.int64)
    fitted = replace(Tables.load(tables), settings=settings)
    blend = make_blend(fitted, None, settings.model_copy(update={"candidates": count}))
    histories = Histories.from_log(view.log, len(view.users))
    place = {name: row for row, name in enumerate(view.catalogue.tag_names)}
    declared = view.users.table.column("interests").to_pylist()
    found = []
    for user in track(range(len(view.users)), "recalling"):
        events = histories.of(user)
        known = [place[name] for name in declared[user] or () if name in place]
        asked = Query(
            history=events,
            excluded=np.unique(events.video),
            user_vector=None,
            interests=np.array(known, np.int64),
            day=float(view.as_of_day),
        )
        found.append(blend.recall(asked).video)
    width = min(len(videos) for videos in found)
    return np.stack([videos[:width] for videos in found])
