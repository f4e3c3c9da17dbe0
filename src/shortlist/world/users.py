"""The users of the world: what they truly like, how that drifts, and what they show of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets import schema
from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.streams import Streams, choose
from shortlist.world.taste import TasteSpace

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_USER_ID = 1
_MOST_INTERESTS = 5
_NOISE = 0.55
_AGE_PULL = 0.35
_DECLARED = 3


@dataclass(frozen=True)
class Users:
    """What users truly are; row ``i`` everywhere is the user ``FIRST_USER_ID + i``.

    Attributes:
        taste: unit vector of taste on the first day, float64 [n, k].
        next_taste: orthogonal unit vector towards which taste turns, float64 [n, k].
        turn: radians turned a day, float64 [n].
        readiness: logits by which the user clicks anything more, float64 [n].
        sessions_per_day: expected sessions, float64 [n].
        session_length: expected impressions of a session, float64 [n].
        evening: how much later in the day the user comes, in hours, float64 [n].
        language: index into ``vocabulary.LANGUAGES``, int64 [n].
        age_band: index into ``vocabulary.AGE_BANDS``, int64 [n].
        device: index of the main device, int64 [n].
        registered_days: days since registration on the first day of logs, int64 [n].
    """

    taste: Doubles
    next_taste: Doubles
    turn: Doubles
    readiness: Doubles
    sessions_per_day: Doubles
    session_length: Doubles
    evening: Doubles
    language: Ints
    age_band: Ints
    device: Ints
    registered_days: Ints

    def __len__(self) -> int:
        return len(self.turn)

    @property
    def ids(self) -> Ints:
        """Public ids, ascending, int64 [n]."""
        return np.arange(FIRST_USER_ID, FIRST_USER_ID + len(self), dtype=np.int64)

    def taste_on(self, day: float, rows: Ints | None = None) -> Doubles:
        """Unit vectors of taste on a day of the world, float64 [m, k]."""
        at: Ints | slice = slice(None) if rows is None else rows
        angle = (self.turn[at] * max(day, 0.0))[:, None]
        return np.cos(angle) * self.taste[at] + np.sin(angle) * self.next_taste[at]


def make_users(settings: WorldSettings, space: TasteSpace, streams: Streams) -> Users:
    """Draw every user of the world."""
    count = settings.users
    age = choose(np.cumsum(vocabulary.AGE_SHARES)[None], streams.uniform("age", 0, count))
    ages = streams.normal_rows("taste of ages", 0, len(vocabulary.AGE_BANDS), settings.dimensions)
    pull = _AGE_PULL * ages[age]
    taste = _unit(_interests(settings, space, streams, "interest") + pull)
    later = _interests(settings, space, streams, "later interest") + pull
    towards = _unit(later - np.einsum("nk,nk->n", later, taste)[:, None] * taste)

    # Lognormal deviation .8: the most active tenth make about a third of the impressions.
    activity = np.exp(0.8 * streams.normal("activity", 0, count).clip(max=2.5))
    length = settings.session_length * np.exp(0.3 * streams.normal("session length", 0, count))
    wanted = settings.impressions / settings.days
    sessions = activity * wanted / (activity * length).sum()
    devices = np.cumsum([0.62, 0.27, 0.06, 0.05])
    return Users(
        taste=taste,
        next_taste=towards,
        turn=np.radians(settings.drift_degrees * np.exp(0.6 * streams.normal("drift", 0, count))),
        readiness=settings.user_deviation * streams.normal("readiness", 0, count),
        sessions_per_day=sessions,
        session_length=length,
        evening=2.0 * streams.normal("evening", 0, count),
        language=choose(
            np.cumsum(vocabulary.LANGUAGE_SHARES)[None], streams.uniform("language", 0, count)
        ),
        age_band=age,
        device=choose(devices[None], streams.uniform("device", 0, count)),
        registered_days=(np.exp(5.5 + 1.2 * streams.normal("registered", 0, count)))
        .clip(0, 3_000)
        .astype(np.int64),
    )


def users_table(users: Users, space: TasteSpace, streams: Streams) -> pa.Table:
    """What users show of themselves, as the ``users`` table of the schema.

    Declared interests are up to three tags near the taste of the first day; nobody updates them.
    """
    count, tags = len(users), len(vocabulary.TAG_NAMES)
    nearness = np.einsum("nk,tk->nt", users.taste, space.tags)
    race = -np.log(-np.log(streams.uniform_rows("declared race", 0, count, tags)))
    order = np.argsort(-(2.0 * nearness + race), axis=1)[:, :_DECLARED]
    how_many = (streams.uniform("declared count", 0, count) * (_DECLARED + 1)).astype(np.int64)
    names = vocabulary.TAG_NAMES
    # Classes of activity are cut at quartiles of what a registration form would estimate.
    noisy = np.log(users.sessions_per_day) + 0.4 * streams.normal("activity class", 0, count)
    level = np.searchsorted(np.quantile(noisy, [0.25, 0.5, 0.75]), noisy)
    return pa.table(
        {
            "user_id": users.ids,
            "external_id": pa.nulls(count, pa.string()),
            "language": np.array(vocabulary.LANGUAGES)[users.language],
            "age_band": np.array(vocabulary.AGE_BANDS)[users.age_band],
            "activity": np.array(vocabulary.ACTIVITIES)[level],
            "interests": [[names[t] for t in r[:n]] for r, n in zip(order, how_many, strict=True)],
            "registered_days": users.registered_days.astype(np.int32),
        },
        schema=schema.USERS,
    )


def _interests(settings: WorldSettings, space: TasteSpace, streams: Streams, kind: str) -> Doubles:
    """Mixtures of one to five tags: users differ in breadth."""
    count = settings.users
    breadth = 1 + (streams.uniform(f"{kind} breadth", 0, count) * _MOST_INTERESTS).astype(np.int64)
    total = np.zeros((count, settings.dimensions))
    weight = np.cumsum(space.tag_weights)[None]
    strengths = -np.log(streams.uniform_rows(f"{kind} strength", 0, count, _MOST_INTERESTS))
    for place in range(_MOST_INTERESTS):
        tag = choose(weight, streams.uniform(kind, 0, count, step=place))
        total += np.where(place < breadth, strengths[:, place], 0.0)[:, None] * space.tags[tag]
    noise = streams.normal_rows(f"{kind} noise", 0, count, settings.dimensions)
    return np.asarray(_unit(total) + _NOISE * noise / np.sqrt(settings.dimensions))


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / np.sqrt(np.einsum("nk,nk->n", rows, rows))[:, None])
