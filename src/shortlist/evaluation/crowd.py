"""A world's users in front of a service: who comes, and what they do with a page, by the truth."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from shortlist.datasets.schema import CONTEXT_FEATURES
from shortlist.errors import RefusedError
from shortlist.world.context import Sessions, context_at, sessions_of_day
from shortlist.world.law import SKIP_SECONDS, like_after_click
from shortlist.world.truth import Truth

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_PAGE_SIZE: Final = 10


@dataclass
class Viewer:
    """What one session did.

    Attributes:
        user: row of the user.
        arm: of the user.
        seen, clicks, skips: videos.
        value: sum of the true probabilities of a click.
        watched: seconds.
        pages, degraded: pages that came, and those of them that were degraded.
        failed: requests without an answer.
    """

    user: int
    arm: str
    seen: int = 0
    clicks: int = 0
    skips: int = 0
    value: float = 0.0
    watched: float = 0.0
    pages: int = 0
    degraded: int = 0
    failed: int = 0


class Crowd:
    """Users of a world, and what they do when something is put before them."""

    def __init__(
        self, truth: Truth, date: dt.date, sessions: int, arms: Sequence[str], seed: int
    ) -> None:
        """Choose who comes.

        Args:
            truth: of the world.
            date: whose sessions they are.
            sessions: how many come; all of that day where it has fewer.
            arms: experiment keys between which users are divided; "" is none.
            seed: of who comes, and of what they do.
        """
        self._truth, self._law, self._day = truth, truth.law, truth.day(date)
        world = truth.world
        day = sessions_of_day(world.settings, world.users, world.streams, self._day)
        rng = np.random.default_rng(seed)
        self.sessions: Sessions = day
        self.chosen = np.sort(rng.permutation(len(day))[:sessions])
        self._arm = [arms[place] for place in rng.integers(len(arms), size=len(world.users))]
        self._row = {int(one): row for row, one in enumerate(self._law.videos.ids)}
        self._seed = seed

    def visitor(self, session: int) -> "Visitor":
        """Who comes with a session."""
        user = int(self.sessions.user[session])
        return Visitor(self, session, Viewer(user, self._arm[user]))

    def meets(
        self, user: int, video_id: int, context: Floats, tired: Doubles
    ) -> tuple[int, float, float]:
        """Main tag of a video, the logit of a click on it, and its probability.

        Raises:
            RefusedError: the world has no such video.
        """
        row = self._row.get(video_id)
        if row is None:
            raise RefusedError(
                f"the service shows video {video_id}, which this world does not have; serve a "
                "bundle of the same dataset"
            )
        tag = int(self._law.videos.tag[row])
        pair = (np.array([user]), np.array([row]))
        (logit,) = self._law.pairs(*pair, self._day, context[None], tired[[tag]])
        return tag, float(logit), float(expit(logit))

    def draws(self, session: int) -> np.random.Generator:
        """The chance of a session."""
        return np.random.default_rng([self._seed, int(self.sessions.id[session])])

    def user_id(self, user: int) -> int:
        """As in the dataset."""
        return int(self._law.users.ids[user])

    def watched(self, logit: float, clicked: bool, z: float) -> float:
        """Seconds, for a standard normal draw."""
        seconds = self._law.watch_seconds(np.array([logit]), np.array([clicked]), np.array([z]))
        return float(seconds[0])

    def fresh(self) -> Doubles:
        """Tiredness by main tag, at the beginning of a session."""
        return np.zeros(int(self._law.videos.tag.max()) + 1)

    @property
    def recovery(self) -> float:
        """Share of tiredness left after each further video."""
        return self._truth.world.settings.recovery


@dataclass
class Visitor:
    """Somebody in the middle of a session.

    Attributes:
        crowd: to which they belong.
        session: row of the day's sessions.
        did: so far.
    """

    crowd: Crowd
    session: int
    did: Viewer
    _tired: Doubles = field(init=False)
    _draws: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._tired = self.crowd.fresh()
        self._draws = self.crowd.draws(self.session)

    @property
    def left(self) -> int:
        """Videos until the session is over."""
        return int(self.crowd.sessions.length[self.session]) - self.did.seen

    def context(self) -> Floats:
        """Features of the moment, float32 [32]."""
        context: Floats = context_at(self.crowd.sessions.context[[self.session]], self.did.seen)[0]
        return context

    def asks(self, number: int, run: str) -> dict[str, Any]:
        """The request for the session's next page."""
        named = zip(CONTEXT_FEATURES, self.context().tolist(), strict=True)
        asked: dict[str, Any] = {
            "user_id": self.crowd.user_id(self.did.user),
            "page_size": _PAGE_SIZE,
            "page": number,
            "session_id": f"{run}-{self.session}",
            "context": {name: value for name, value in named if value},
        }
        return asked | ({"experiment": self.did.arm} if self.did.arm else {})

    def goes_through(self, page: Mapping[str, Any], run: str) -> list[dict[str, Any]]:
        """Meet the videos of a page from top to bottom; the events that tell of it."""
        did, events = self.did, list[dict[str, Any]]()
        did.pages += 1
        did.degraded += bool(page["degraded"])
        for video in page["videos"][: self.left]:
            tag, logit, chance = self.crowd.meets(
                did.user, video["video_id"], self.context(), self._tired
            )
            clicked = bool(self._draws.random() < chance)
            seconds = self.crowd.watched(logit, clicked, float(self._draws.standard_normal()))
            liked = clicked and bool(self._draws.random() < like_after_click(np.array(logit)))
            skipped = seconds < SKIP_SECONDS
            kinds = ["impression", *["click"] * clicked, "watch", *["skip"] * skipped]
            common = {
                "user_id": page["user_id"],
                "video_id": video["video_id"],
                "at": time.time(),
                "request_id": page["request_id"],
                "position": video["position"],
                "propensity": video["propensity"],
            }
            for kind in [*kinds, *["like"] * liked]:
                event = {
                    **common,
                    "kind": kind,
                    "event_id": f"{run}-{self.session}-{did.seen}-{kind}",
                }
                events.append(event | ({"watch_seconds": seconds} if kind == "watch" else {}))
            did.seen += 1
            did.clicks += clicked
            did.skips += skipped
            did.value += chance
            did.watched += seconds
            self._tired *= self.crowd.recovery
            self._tired[tag] += 1.0
        return events
