"""A day of the world: sessions unfold, slot by slot, and leave impressions behind."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets import schema
from shortlist.world import context as contexts
from shortlist.world import vocabulary
from shortlist.world.exposure import LoggingPolicy
from shortlist.world.law import LONG_VIEW_SECONDS, SKIP_SECONDS, Law, like_after_click
from shortlist.world.streams import Streams

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Uniform = Callable[[str, int], Doubles]

_REDRAWS = 64
_IDS_PER_SESSION = 100


@dataclass(frozen=True)
class Slots:
    """Impressions of some sessions, in any order; ``session`` is a row of the day's sessions."""

    session: Ints
    position: Ints
    video: Ints
    random_exposure: Bools
    propensity: Doubles
    click: Bools
    watch_seconds: Doubles
    like: Bools
    tired: Doubles
    logit: Doubles


def simulate(
    law: Law,
    policy: LoggingPolicy,
    sessions: contexts.Sessions,
    streams: Streams,
    *,
    rows: slice,
    day: int,
) -> Slots:
    """Let the sessions of ``rows`` unfold.

    Every draw is found by session, position and attempt, so that any split of a day into chunks of
    sessions gives the same impressions. A session ends early where the policy has nothing new left
    to show, as it may in a catalogue hardly larger than a session.
    """
    if len(policy.live) == 0:
        return _NOTHING
    first, last = rows.start, rows.stop
    count = last - first
    user = sessions.user[rows]
    shelves = policy.shelves(user)
    tired = np.zeros((count, len(vocabulary.TAG_NAMES)))
    shown = np.full((count, contexts.LONGEST_SESSION), -1, np.int64)
    gone = np.zeros(count)  # Probability of what the session has already shown.
    length = sessions.length[rows].copy()

    def uniform(kind: str, step: int) -> Doubles:
        return streams.uniform(kind, first, count, day=day, step=step)

    parts: list[Slots] = []
    for position in range(int(length.max(initial=0))):
        here = np.flatnonzero(length > position)
        video, randomly, is_new = _draw_unseen(policy, shelves, shown, here, position, uniform)
        length[here[~is_new]] = position
        here, video, randomly = here[is_new], video[is_new], randomly[is_new]
        mass = policy.probability(shelves[here], video)
        tag = law.videos.tag[video]
        fatigue = tired[here, tag]
        logit = law.pairs(
            user[here],
            video,
            day,
            contexts.context_at(sessions.context[rows][here], position),
            fatigue,
        )
        click = uniform("click", position)[here] < 1 / (1 + np.exp(-logit))
        z = streams.normal("watch", first, count, day=day, step=position)[here]
        parts.append(
            Slots(
                session=first + here,
                position=np.full(len(here), position),
                video=video,
                random_exposure=randomly,
                propensity=np.minimum(mass / (1 - gone[here]), 1.0),
                click=click,
                watch_seconds=law.watch_seconds(logit, click, z),
                like=click & (uniform("like", position)[here] < like_after_click(logit)),
                tired=fatigue,
                logit=logit,
            )
        )
        shown[here, position] = video
        gone[here] += mass
        tired[here] *= law.settings.recovery
        tired[here, tag] += 1.0
    return join_slots(parts)


def impressions_table(
    law: Law, sessions: contexts.Sessions, slots: Slots, first_day: dt.date
) -> pa.Table:
    """Impressions of whole sessions as the schema's table, ascending by id; no latents in it."""
    order = np.lexsort((slots.position, slots.session))
    session, position, video = slots.session[order], slots.position[order], slots.video[order]
    watched = slots.watch_seconds[order].astype(np.float32)
    # The moment of an impression follows from what was watched before it in the session.
    pause = 1.0
    spent = np.cumsum(watched.astype(np.float64) + pause)
    starts = np.flatnonzero(position == 0)
    before = (spent - watched - pause) - np.repeat(
        (spent - watched - pause)[starts], np.diff(np.r_[starts, len(position)])
    )
    day = sessions.day[session]
    epoch = (first_day - dt.date(1970, 1, 1)).days
    seconds = (epoch + day) * 86_400.0 + sessions.start_hour[session] * 3_600.0 + before
    context = _contexts(sessions, session, position)
    enough = np.minimum(law.videos.duration_seconds[video], LONG_VIEW_SECONDS)
    return pa.table(
        {
            "impression_id": sessions.id[session] * _IDS_PER_SESSION + position,
            "user_id": law.users.ids[sessions.user[session]],
            "video_id": law.videos.ids[video],
            "day": pa.array((epoch + day).astype(np.int32)).cast(pa.date32()),
            "shown_at": pa.array((seconds * 1_000).astype(np.int64), pa.timestamp("ms", tz="UTC")),
            "session_id": sessions.id[session],
            "position": position.astype(np.int16),
            "context": pa.FixedSizeListArray.from_arrays(context.ravel(), schema.CONTEXT_WIDTH),
            "propensity": slots.propensity[order],
            "random_exposure": slots.random_exposure[order],
            "click": slots.click[order],
            "watch_seconds": watched,
            "long_view": watched >= enough.astype(np.float32),
            "like": slots.like[order],
            "skip": watched < SKIP_SECONDS,
        },
        schema=schema.IMPRESSIONS,
    )


def _draw_unseen(
    policy: LoggingPolicy,
    shelves: Doubles,
    shown: Ints,
    here: Ints,
    position: int,
    uniform: Uniform,
) -> tuple[Ints, Bools, Bools]:
    """Draw until the video is new to its session; that is the policy without what was shown.

    Returns:
        For each session of ``here``: the video, whether the random part chose it, and whether it
        is new; where it is not, the draws ran out.
    """
    video, randomly = np.empty(len(here), np.int64), np.empty(len(here), np.bool_)
    waiting = np.arange(len(here))
    for attempt in range(_REDRAWS):
        step = position * _REDRAWS + attempt
        rows = here[waiting]
        is_random, shelf, place = (
            uniform(kind, step)[rows] for kind in ("is random", "shelf", "place")
        )
        chosen, by_chance = policy.draw(shelves[rows], (is_random, shelf, place))
        video[waiting], randomly[waiting] = chosen, by_chance
        repeated = (shown[rows, :position] == chosen[:, None]).any(axis=1)
        waiting = waiting[repeated]
        if len(waiting) == 0:
            break
    is_new = np.ones(len(here), np.bool_)
    is_new[waiting] = False
    return video, randomly, is_new


def _contexts(
    sessions: contexts.Sessions, session: Ints, position: Ints
) -> npt.NDArray[np.float32]:
    context = sessions.context[session]
    for place in np.unique(position):
        at = position == place
        context[at] = contexts.context_at(context[at], int(place))
    return context


def join_slots(parts: Sequence[Slots]) -> Slots:
    """The same impressions as one object; on a day without sessions there may be none."""
    parts = [_NOTHING, *parts]
    return Slots(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Slots)}
    )


_NOTHING = Slots(
    session=np.zeros(0, np.int64),
    position=np.zeros(0, np.int64),
    video=np.zeros(0, np.int64),
    random_exposure=np.zeros(0, np.bool_),
    propensity=np.zeros(0),
    click=np.zeros(0, np.bool_),
    watch_seconds=np.zeros(0),
    like=np.zeros(0, np.bool_),
    tired=np.zeros(0),
    logit=np.zeros(0),
)
