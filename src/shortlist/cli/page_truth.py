"""What the truth behind a world says of a page; only verbs and the judge may ask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import datetime as dt

    from shortlist.datasets.interactions import Target
    from shortlist.world.truth import Truth


@dataclass(frozen=True)
class PageTruth:
    """The truth of one page.

    Attributes:
        probability: true one of the target for each video, in an empty session.
        rank: place of each among all videos that could be shown, by that probability, from 1.
        videos: how many could be shown: live, and new to the user.
        page_value: expected clicks of the page from top to bottom, with fatigue inside it.
        best_value: of a page of the truth's own best videos.
    """

    probability: list[float]
    rank: list[int]
    videos: int
    page_value: float
    best_value: float


def truth_of_page(
    truth: "Truth",
    user: int,
    page: npt.NDArray[np.int64],
    allowed: npt.NDArray[np.bool_],
    date: "dt.date",
    context: npt.NDArray[Any],
    target: "Target",
) -> PageTruth:
    """Ask the truth.

    Args:
        truth: of the world.
        user: row of the users table.
        page: rows of the videos table, int64 [s].
        allowed: which videos could be shown, bool [n_videos].
        date: of the page.
        context: float32 [32].
        target: whose probability is asked for; the value of a page is in clicks.
    """
    asked = np.array([user])
    ask = truth.click if target == "click" else truth.long_view
    chance = ask(asked, date, context)[0]
    rows = np.flatnonzero(allowed)
    best = rows[np.argsort(-chance[rows], kind="stable")[: len(page)]]
    values = [
        float(truth.page_value(asked, videos[None], date, context)[0]) for videos in (page, best)
    ]
    return PageTruth(
        probability=chance[page].tolist(),
        rank=[1 + int((chance[rows] > own).sum()) for own in chance[page]],
        videos=len(rows),
        page_value=values[0],
        best_value=values[1],
    )
