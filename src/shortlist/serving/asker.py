"""Who asks for a page, in rows of one bundle; what cannot be used is left out and counted."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from shortlist.datasets.declared import declared_row
from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Floats, Ints
from shortlist.online.packing import UserVector, rows_of
from shortlist.online.store import UserState
from shortlist.ranker.profile import tally
from shortlist.recall.query import Query
from shortlist.serving.asked import Asked
from shortlist.serving.live import Live
from shortlist.wire.causes import Cause, Ignored

_SKEW_DAYS: Final = 5 / 1_440
"""Clocks that differ by minutes are nothing to tell of."""
_NEEDED: Final = frozenset({"history", "features"})


@dataclass(frozen=True, slots=True)
class Asker:
    """A request and its user.

    Attributes:
        history: what the user did, the oldest first; rows of the bundle.
        declared: float32 [p].
        profile: declared and tallies, float32 [p + 2].
        shown: rows of the videos of the session so far, the oldest first, int64 [s].
        excluded: rows of all that must not be shown, int64, ascending and distinct.
        context: float32 [32].
        day: now, days since 1970-01-01.
        vector: the stored user vector, float32 [w]; None where it is not of this bundle and
            history.
        causes: why the page is not what it could be, as far as is known yet.
        ignored: what was left out.
    """

    history: Events
    declared: Floats
    profile: Floats
    shown: Ints
    excluded: Ints
    context: Floats
    day: float
    vector: Floats | None
    causes: tuple[Cause, ...]
    ignored: Counter[Ignored]

    @classmethod
    def of(cls, asked: Asked, live: Live, day: float) -> Self:
        """Translate what is known of a user.

        Args:
            asked: by the client, with what the store knows.
            live: whose rows are wanted.
            day: now, days since 1970-01-01.
        """
        state, ignored = asked.state, Counter[Ignored]()
        history, unknown = state.history.events(live.ids)
        ignored[Ignored.UNKNOWN_VIDEO] += unknown
        ignored[Ignored.FUTURE_EVENT] += int((history.day > day + _SKEW_DAYS).sum())
        ignored[Ignored.NOT_FINITE] += "vector" in state.damaged
        declared = declared_of(state, live)
        counts = tally(state.history.shown, state.history.clicked)
        shown, known = rows_of(state.shown, live.ids)
        excluded, named = rows_of(asked.exclude, live.ids)
        ignored[Ignored.UNKNOWN_VIDEO] += len(named) - int(named.sum())
        shown = shown[known]
        seen = history.video[:0] if asked.request.again else history.video
        causes: tuple[Cause, ...] = ()
        if not _NEEDED.isdisjoint(state.damaged):
            causes = (Cause.BAD_FEATURES,)
        elif not state.known:
            causes = (Cause.UNKNOWN_USER,)
        elif not len(history):
            causes = (Cause.EMPTY_HISTORY,)
        return cls(
            history=history,
            declared=declared,
            profile=np.concatenate([declared, counts]),
            shown=shown,
            excluded=np.unique(
                np.concatenate([seen, shown, excluded[named], state.blocked.rows(live.ids)])
            ),
            context=asked.request.context_vector(),
            day=day,
            vector=fresh(state.vector, live, state.history.version),
            causes=causes,
            ignored=ignored,
        )

    def query(self, live: Live, vector: Floats) -> Query:
        """What recall is asked.

        Args:
            live: whose rows these are.
            vector: of the user, float32 [w].
        """
        tags = len(live.parts.vocabulary.interests)
        interests = np.flatnonzero(self.declared[:tags])
        return Query(self.history, self.excluded, vector, interests, self.day)


def declared_of(state: UserState, live: Live) -> Floats:
    """What the user said, as the bundle's columns have it, float32 [p]."""
    said = state.declared
    if said is None:
        return np.zeros(len(live.parts.vocabulary), np.float32)
    return declared_row(
        live.parts.vocabulary,
        interests=said.interests,
        language=said.language,
        activity=said.activity,
        age_band=said.age_band,
    )


def fresh(vector: UserVector | None, live: Live, version: int) -> Floats | None:
    """The stored vector, where this bundle made it of this history; else None."""
    if vector is None or (vector.bundle, vector.version) != (live.id, version):
        return None
    width = live.parts.vectors.shape[1]
    return vector.vector if len(vector.vector) == width else None
