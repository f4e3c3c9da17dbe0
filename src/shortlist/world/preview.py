"""A look at one user of a world, the truth beside each impression: for people, not models."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.catalogue import Users as UsersTable
from shortlist.datasets.interactions import Interactions
from shortlist.datasets.store import Dataset
from shortlist.world import vocabulary
from shortlist.world.truth import Truth, session_tiredness


@dataclass(frozen=True)
class Glimpse:
    """One impression and what was true of it; prints as one line of a table."""

    date: dt.date
    position: int
    title: str
    main_tag: str
    tired: float
    click_probability: float
    click: bool
    watch_seconds: float
    random_exposure: bool


def glimpses(dataset: Dataset, truth: Truth, user_id: int, last: int) -> list[Glimpse]:
    """The last ``last`` impressions of a user, oldest first.

    Raises:
        NotFoundError: there is no such user.
    """
    users = UsersTable.from_table(dataset.users())
    catalogue = Catalogue.from_table(dataset.videos())
    users.row(user_id)
    rows = dataset.impressions(where=pc.field("user_id") == user_id)
    mine = Interactions.from_table(rows, users, catalogue)
    tag = truth.law.videos.tag
    tired = session_tiredness(mine, tag, truth.world.settings.recovery)
    click = truth.outcomes(mine).click
    titles = catalogue.table.column("title")
    epoch = dt.date(1970, 1, 1)
    return [
        Glimpse(
            date=epoch + dt.timedelta(days=int(mine.day[i])),
            position=int(mine.position[i]),
            title=titles[int(mine.video[i])].as_py(),
            main_tag=vocabulary.TAG_NAMES[tag[mine.video[i]]],
            tired=float(tired[i]),
            click_probability=float(click[i]),
            click=bool(mine.click[i]),
            watch_seconds=float(mine.watch_seconds[i]),
            random_exposure=bool(mine.random_exposure[i]),
        )
        for i in range(max(0, len(mine) - last), len(mine))
    ]


def leanings(
    dataset: Dataset, truth: Truth, user_id: int, date: dt.date, count: int = 5
) -> list[tuple[str, float]]:
    """The main tags nearest to a user's true taste on a day, with the logits they are worth.

    Raises:
        NotFoundError: there is no such user.
    """
    row = np.array([UsersTable.from_table(dataset.users()).row(user_id)])
    taste = truth.law.users.taste_on(truth.day(date), row)[0]
    settings = truth.world.settings
    worth = (
        settings.affinity_deviation * np.sqrt(settings.tag_share) * truth.world.space.tags @ taste
    )
    best = np.argsort(-worth)[:count]
    return [(vocabulary.TAG_NAMES[t], float(worth[t])) for t in best]
