"""When and how people come: sessions, and the 32 context features of an impression."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import pdtr

from shortlist.datasets.schema import CONTEXT_FEATURES, CONTEXT_WIDTH
from shortlist.settings.world import WorldSettings
from shortlist.world.streams import Streams, choose
from shortlist.world.users import Users

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LONGEST_SESSION: Final = 60
_MOST_SESSIONS: Final = 24
_PER_DAY: Final = 10_000_000  # Ids of sessions of different days never meet.

AT: Final = {name: place for place, name in enumerate(CONTEXT_FEATURES)}
"""Place of each context feature in the vector."""


@dataclass(frozen=True)
class Sessions:
    """Sessions, ascending by start.

    Attributes:
        id: unique over all days, int64 [n].
        user: row of the user, int64 [n].
        day: days since the first day of logs, int64 [n].
        start_hour: hour of the day, 0 to 24, float64 [n].
        length: impressions, int64 [n].
        context: the features at position 0, float32 [n, 32].
    """

    id: Ints
    user: Ints
    day: Ints
    start_hour: Doubles
    length: Ints
    context: Floats

    def __len__(self) -> int:
        return len(self.id)


def sessions_of_day(settings: WorldSettings, users: Users, streams: Streams, day: int) -> Sessions:
    """All sessions that start on ``day`` (days since the first day of logs)."""
    user, hour, place = _starts(settings, users, streams, day)
    order = np.lexsort((place, user, hour))
    user, hour, place = user[order], hour[order], place[order]
    index = user * _MOST_SESSIONS + place
    size = len(users) * _MOST_SESSIONS

    def draw(kind: str) -> Doubles:
        return np.asarray(streams.uniform(kind, 0, size, day=day)[index])

    # Geometric lengths: leaving is as likely after one video as after twenty.
    stay = 1.0 - 1.0 / users.session_length[user].clip(min=1.001)
    length = 1 + np.floor(np.log(draw("length")) / np.log(stay)).astype(np.int64)
    weekday = (settings.first_day.weekday() + day) % 7
    context = np.zeros((len(user), CONTEXT_WIDTH), np.float32)

    def put(name: str, values: Doubles | npt.NDArray[np.bool_] | float) -> None:
        context[:, AT[name]] = values

    put("hour_sin", np.sin(2 * np.pi * hour / 24))
    put("hour_cos", np.cos(2 * np.pi * hour / 24))
    for part, name in enumerate(("night", "morning", "afternoon", "evening")):
        put(name, np.floor(hour / 6) == part)
    context[:, AT["monday"] + weekday] = 1.0
    put("weekend", float(weekday >= 5))
    other = choose(np.array([[0.7, 0.85, 0.9, 1.0]]), draw("other device"))
    device = np.where(draw("keeps device") < 0.9, users.device[user], other)
    context[np.arange(len(user)), AT["android"] + device] = 1.0
    home = draw("home") < np.where((hour < 8) | (hour > 18), 0.8, 0.45)
    network = np.where(home, draw("network") * 0.75, 0.4 + draw("network") * 0.6)
    put("wifi", network < 0.6)
    put("cellular", (network >= 0.6) & (network < 0.92))
    put("slow_network", network >= 0.92)
    put("headphones", draw("headphones") < 0.3)
    put("low_battery", draw("battery") < 0.12)
    put("first_of_session", 1.0)
    put("session_of_day", np.log1p(place.astype(np.float64)))
    put("hours_since_last", _hours_since_last(settings, users, streams, day, user, hour))
    put("new_user", users.registered_days[user] + day < 30)
    put("at_home_region", home)
    put("from_notification", draw("notification") < 0.15)
    put("app_version", np.floor(draw("version") * 5) / 4)
    return Sessions(
        id=(day + 1) * _PER_DAY + np.arange(len(user)),
        user=user,
        day=np.full(len(user), day, np.int64),
        start_hour=hour,
        length=length.clip(1, LONGEST_SESSION),
        context=context,
    )


def context_at(first: Floats, position: int) -> Floats:
    """Context at a later position of sessions whose context at position 0 is ``first``."""
    context = first.copy()
    context[:, AT["session_depth"]] = np.log1p(position) / np.log1p(LONGEST_SESSION)
    context[:, AT["first_of_session"]] = float(position == 0)
    context[:, AT["deep_session"]] = float(position >= 10)
    return context


def standard_context() -> Floats:
    """The fixed context of the judge, float32 [32]: an evening at home, on Android over Wi-Fi."""
    context = np.zeros(CONTEXT_WIDTH, np.float32)
    hour = 20.0
    context[AT["hour_sin"]] = np.sin(2 * np.pi * hour / 24)
    context[AT["hour_cos"]] = np.cos(2 * np.pi * hour / 24)
    for name in ("evening", "thursday", "android", "wifi", "first_of_session", "at_home_region"):
        context[AT[name]] = 1.0
    context[AT["hours_since_last"]] = 0.5
    context[AT["app_version"]] = 0.5
    return context


def _starts(
    settings: WorldSettings, users: Users, streams: Streams, day: int
) -> tuple[Ints, Doubles, Ints]:
    """User, hour and number within the day of each session of a day, by user and hour."""
    weekend = (settings.first_day.weekday() + day) % 7 >= 5
    rate = users.sessions_per_day * (1.12 if weekend else 0.952)
    at_most = pdtr(np.arange(_MOST_SESSIONS)[None], rate[:, None])
    count = (at_most < streams.uniform("sessions", 0, len(users), day=day)[:, None]).sum(axis=1)
    count = count.clip(max=_MOST_SESSIONS)
    user = np.repeat(np.arange(len(users)), count)
    place = np.arange(len(user)) - np.repeat(np.cumsum(count) - count, count)
    size = len(users) * _MOST_SESSIONS
    spread = streams.normal("hour", 0, size, day=day)[user * _MOST_SESSIONS + place]
    hour = (17.0 + users.evening[user] + 4.5 * spread) % 24.0
    order = np.lexsort((hour, user))
    return user, hour[order], place


def _hours_since_last(
    settings: WorldSettings,
    users: Users,
    streams: Streams,
    day: int,
    user: Ints,
    hour: Doubles,
) -> Doubles:
    """Log-scaled hours since the user's last session, looking back one day; 1 where longer."""
    last = np.full(len(users), -np.inf)
    if day > 0:
        before, then, _ = _starts(settings, users, streams, day - 1)
        np.maximum.at(last, before, then - 24.0)
    gap = np.empty(len(user))
    order = np.lexsort((hour, user))
    first = np.r_[True, user[order][1:] != user[order][:-1]] if len(user) else np.zeros(0, bool)
    previous = np.where(first, last[user[order]], np.r_[-np.inf, hour[order][:-1]][: len(user)])
    gap[order] = hour[order] - previous
    return np.asarray(np.log1p(gap.clip(0, 48)) / np.log1p(48))
