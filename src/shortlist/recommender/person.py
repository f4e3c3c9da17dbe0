"""Somebody who may ask for a page: a user of a dataset, or a newcomer of whom nothing is known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Users
from shortlist.datasets.declared import declared_row, declared_rows
from shortlist.datasets.events import Events, kinds
from shortlist.datasets.interactions import Floats, Interactions
from shortlist.datasets.profiles import row_of
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.spelling import nearest

_SHOWN = ("external_id", "language", "age_band", "activity", "interests")
_SKIPPED = frozenset({"impression_id", "shown_at", "context"})


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, in rows of the parts' catalogue.

    Attributes:
        user_id: None for a newcomer.
        row: of the users table; None for a newcomer.
        said: what is known of them besides events, by column of the users table.
        history: what they did before the day that the parts recommend for, the oldest first.
        declared: float32 [p].
        ignored: events of videos that the parts do not know.
    """

    user_id: int | None
    row: int | None
    said: dict[str, object]
    history: Events
    declared: Floats
    ignored: int = 0

    def request(self, context: Floats) -> Request:
        """Ask in a context, float32 [32], for videos that are new to them."""
        return Request(self.history, self.declared, np.unique(self.history.video), context)


def person_of(dataset: Dataset, who: str, parts: Parts) -> Person:
    """Look a user up.

    Args:
        dataset: whose user.
        who: the user's name in the source, where the dataset keeps such names; else the id.
        parts: whose page they want.

    Raises:
        NotFoundError: there is no such user.
    """
    table = dataset.users()
    row, users = row_of(table, who), Users.from_table(table)
    known = table.slice(row, 1).to_pylist()[0]
    last = dt.date(1970, 1, 1) + dt.timedelta(days=parts.as_of_day - 1)
    columns = [name for name in schema.IMPRESSIONS.names if name not in _SKIPPED]
    mine = dataset.impressions(columns, last=last, where=pc.field("user_id") == known["user_id"])
    kept = mine.filter(np.isin(mine.column("video_id").to_numpy(), parts.catalogue.ids))
    log = Interactions.from_table(kept, users, parts.catalogue)
    return Person(
        user_id=known["user_id"],
        row=row,
        said={name: known[name] for name in _SHOWN if known[name]},
        history=Events(log.video, kinds(log), log.day.astype(np.float64)),
        declared=declared_rows(parts.vocabulary, table.slice(row, 1))[0],
        ignored=mine.num_rows - kept.num_rows,
    )


def newcomer(interests: Sequence[str], parts: Parts) -> Person:
    """Somebody new, who may say what interests them.

    Args:
        interests: names of tags.
        parts: whose page they want.

    Raises:
        InputError: there is no such tag.
    """
    names = parts.vocabulary.interests
    for name in interests:
        if name not in names:
            raise InputError(f"no tag is called {name!r}{nearest(name, names)}")
    said = declared_row(parts.vocabulary, interests=interests)
    known: dict[str, object] = {"interests": list(interests)} if interests else {}
    return Person(None, None, known, Events.none(), said)
