"""Who asks for what: requests for the generator, made beforehand from a seed."""

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import numpy as np

from benchmarks.serving.generator import Target, attack
from benchmarks.serving.running import Running
from benchmarks.serving.timing import answered
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.recommend import V1_PATH

_CONTEXT: Final = {"evening": 1.0, "wifi": 1.0}
_MOST_A_SECOND: Final = 1_000
_sessions = itertools.count()


class Service(Protocol):
    """Who is asked, on this machine or through it."""

    @property
    def address(self) -> str:
        """Of the transformer."""

    @property
    def key(self) -> str | None:
        """Of a caller who may write."""


def asking(running: Service, user: int, session: str, page: int = 0) -> Target:
    """For a page of ten."""
    asked: dict[str, Any] = {"user_id": user, "context": _CONTEXT, "session_id": session}
    if page:
        asked["page"] = page
    return Target(running.address + V1_PATH, {"instances": [asked]}, running.key)


def first_pages(
    running: Service, users: Sequence[int], count: int, rng: np.random.Generator
) -> list[Target]:
    """First pages of new sessions: each takes the whole path, from recall to slate."""
    chosen = rng.choice(np.asarray(users), count)
    return [asking(running, user, f"first-{next(_sessions)}") for user in chosen.tolist()]


def warmed(
    running: Service, users: Sequence[int], rng: np.random.Generator, seconds: float = 15.0
) -> None:
    """Ask until Java has compiled what it runs, and each user's vector is kept.

    Every user is asked for at least once, so that what follows finds their vectors, as an event
    just before would have left them.

    Args:
        running: the service.
        users: who will ask.
        rng: draws who asks again.
        seconds: in all, unless asking for every user takes longer.
    """
    targets = [asking(running, user, f"warm-{next(_sessions)}") for user in users]
    left = seconds - attack(targets, 0.0, at_once=2).seconds
    if left > 0:
        more = first_pages(running, users, round(left * _MOST_A_SECOND), rng)
        attack(more, 0.0, at_once=2, seconds=left)


def settled(running: Service, users: Sequence[int], seconds: float = 20.0) -> None:
    """Wait until pages are whole again, ten in a row, after more was asked than can be answered.

    Raises:
        RuntimeError: they were not in time.
    """
    rng = np.random.default_rng(0)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = answered(attack(first_pages(running, users, 10, rng), 0.0, at_once=1).sent, 0.0)
        if all(one.whole for one in found):
            return
        time.sleep(0.5)
    raise RuntimeError(f"pages were still degraded {seconds:.0f} s after the load")


def sessions(
    running: Running,
    users: Sequence[int],
    videos: Sequence[int],
    count: int,
    rng: np.random.Generator,
    *,
    stay: float = 0.8,
    event: float = 0.3,
) -> list[Target]:
    """Requests of people who look at page after page, and now and then click.

    An event changes the history, so the page after it takes the whole path again.

    Args:
        running: the service.
        users: who may come.
        videos: that may be clicked.
        count: of requests.
        rng: by which they come and go.
        stay: chance that somebody looks at one more page.
        event: chance that a click follows a page.
    """
    open_: list[Iterator[Target]] = []
    made: list[Target] = []
    while len(made) < count:
        # Few enough that most of them begin and end within the run.
        while len(open_) < max(1, count // 40):
            user = int(rng.choice(np.asarray(users)))
            open_.append(_session(running, user, videos, rng, stay, event))
        place = int(rng.integers(len(open_)))
        target = next(open_[place], None)
        if target is None:
            open_.pop(place)
        else:
            made.append(target)
    return made


def _session(
    running: Running,
    user: int,
    videos: Sequence[int],
    rng: np.random.Generator,
    stay: float,
    event: float,
) -> Iterator[Target]:
    number = next(_sessions)
    at = running.prepared.morning
    for page in range(9):
        yield asking(running, user, f"mixed-{number}", page)
        if rng.random() < event:
            clicked = {
                "event_id": f"e-{number}-{page}",
                "user_id": user,
                "video_id": videos[int(rng.integers(len(videos)))],
                "kind": "click",
                "at": at + number % 86_400,
            }
            yield Target(running.address + EVENTS_PATH, {"events": [clicked]}, running.key)
        if rng.random() > stay:
            return
