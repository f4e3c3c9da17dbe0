"""The law of the world: how likely each outcome is when a user meets a video.

The probability is apart from the draw: nothing here is random, so the truth can be asked of any
pair, logged or not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.context import AT
from shortlist.world.streams import Streams
from shortlist.world.users import Users
from shortlist.world.videos import Videos

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LONG_VIEW_SECONDS: Final = 18.0
"""A view is long when it lasts this long, or the whole of a shorter video (as in KuaiRand)."""
SKIP_SECONDS: Final = 2.0
"""A view shorter than this is a skip."""

_CONTEXT_LOGITS: Final = {
    "evening": 0.12,
    "night": 0.08,
    "weekend": 0.06,
    "tablet": 0.1,
    "slow_network": -0.35,
    "low_battery": -0.15,
    "headphones": 0.08,
    "session_depth": -0.25,
    "first_of_session": 0.1,
    "session_of_day": -0.1,
    "hours_since_last": 0.2,
    "from_notification": 0.15,
}
_DAYPARTS: Final = ("night", "morning", "afternoon", "evening")
_DAYPART_DEVIATION: Final = 0.15
_HEADPHONES_FOR_MUSIC: Final = 0.35
_SLOW_NETWORK_FOR_LENGTH: Final = -0.2
_LOG_DURATION: Final = (float(np.log(55)), 1.1)

_GLANCE: Final = (float(np.log(2.2)), 0.75)
_VIEW: Final = (3.18, 0.66, 1.0)
_LIKE: Final = (-3.4, 0.5)


@dataclass(frozen=True)
class Outcomes:
    """Probabilities of what follows an impression, each float64 of one common shape."""

    click: Doubles
    long_view: Doubles
    like: Doubles
    skip: Doubles


@dataclass(frozen=True)
class Law:
    """Everything that decides an outcome.

    Attributes:
        settings: of the world.
        users, videos: their true selves.
        dayparts: logits by part of the day and genre, float64 [4, 12].
    """

    settings: WorldSettings
    users: Users
    videos: Videos
    dayparts: Doubles

    def pairs(self, user: Ints, video: Ints, day: int, context: Floats, tired: Doubles) -> Doubles:
        """Logit of a click for pairs of users and videos.

        Args:
            user: rows of users, int64 [n].
            video: rows of videos, int64 [n].
            day: days since the first day of logs.
            context: context features, float32 [n, 32].
            tired: recent videos of the same main tag in the session (see ``tiredness``),
                float64 [n].

        Returns:
            float64 [n].
        """
        taste = self.users.taste_on(day)[user]
        # einsum, not BLAS: its rounding does not depend on the number of rows or threads.
        match = np.einsum("nk,nk->n", taste, self.videos.taste[video])
        mood = np.einsum("nk,k->n", context.astype(np.float64), _context_weights())
        same = self.users.language[user] == self.videos.language[video]
        return np.asarray(
            self.settings.affinity_deviation * match
            + self.users.readiness[user]
            + self._standing(day)[video]
            - self.settings.language_penalty * ~same
            + mood
            + self._fit(context, video)
            - self.settings.tiring * tired
        )

    def catalogue(self, user: Ints, day: int, context: Floats) -> Doubles:
        """Logit of a click for every video, in an empty session and one context.

        Args:
            user: rows of users, int64 [m].
            day: days since the first day of logs.
            context: context features, float32 [32].

        Returns:
            float64 [m, n_videos]; videos uploaded after ``day`` get logits too.
        """
        video = np.arange(len(self.videos))
        everyone = self._standing(day) + self._fit(np.tile(context, (len(video), 1)), video)
        taste = self.settings.affinity_deviation * self.users.taste_on(day, user)
        logits = taste @ self.videos.taste.T
        logits += everyone
        logits += (self.users.readiness[user] + context @ _context_weights())[:, None]
        differs = self.users.language[user][:, None] != self.videos.language
        logits -= self.settings.language_penalty * differs
        return np.asarray(logits)

    def outcomes(self, logit: Doubles, duration_seconds: Doubles) -> Outcomes:
        """Probabilities of all outcomes, given the logit of a click and the video's length.

        Watch seconds are lognormal: a glance without a click, a view whose length grows with the
        logit after one. A long view and a skip are thresholds on them.
        """
        click = expit(logit)
        enough = np.log(np.minimum(duration_seconds, LONG_VIEW_SECONDS))
        short = np.log(SKIP_SECONDS)
        middle, spread = view_seconds(logit)
        after = ndtr((middle - enough) / spread)
        glance = ndtr((_GLANCE[0] - enough) / _GLANCE[1])
        return Outcomes(
            click=click,
            long_view=click * after + (1 - click) * glance,
            like=click * like_after_click(logit),
            skip=click * ndtr((short - middle) / spread)
            + (1 - click) * ndtr((short - _GLANCE[0]) / _GLANCE[1]),
        )

    def watch_seconds(self, logit: Doubles, clicked: npt.NDArray[np.bool_], z: Doubles) -> Doubles:
        """Watch seconds for standard normal draws ``z``, float64 [n]; medians ignore the length."""
        middle, spread = view_seconds(logit)
        return np.exp(np.where(clicked, middle + spread * z, _GLANCE[0] + _GLANCE[1] * z))

    def _standing(self, day: int) -> Doubles:
        """Appeal of each video on a day, faded by age, float64 [n_videos]."""
        age = (day - self.videos.upload_day).clip(min=0.0)
        faded = self.settings.fade * np.log1p(age / 7.0)
        return np.asarray(self.settings.base_logit + self.videos.appeal - faded)

    def _fit(self, context: Floats, video: Ints) -> Doubles:
        """How a video suits a context: its genre the hour, its length the network."""
        genre = np.array(vocabulary.TAG_GENRE)[self.videos.tag[video]]
        parts = context[:, [AT[name] for name in _DAYPARTS]]
        hour = np.einsum("nd,nd->n", parts.astype(np.float64), self.dayparts[:, genre].T)
        music = genre == vocabulary.GENRE_NAMES.index("music")
        middle, spread = _LOG_DURATION
        length = (np.log(self.videos.duration_seconds[video]) - middle) / spread
        return np.asarray(
            hour
            + _HEADPHONES_FOR_MUSIC * context[:, AT["headphones"]] * music
            + _SLOW_NETWORK_FOR_LENGTH * context[:, AT["slow_network"]] * length
        )


def make_law(settings: WorldSettings, users: Users, videos: Videos, streams: Streams) -> Law:
    """The law of one world."""
    shape = (len(_DAYPARTS), len(vocabulary.GENRE_NAMES))
    table = _DAYPART_DEVIATION * streams.normal_rows("dayparts", 0, *shape)
    return Law(settings=settings, users=users, videos=videos, dayparts=table)


def view_seconds(logit: Doubles) -> tuple[Doubles, float]:
    """Mean and deviation of log watch seconds after a click."""
    middle, slope, spread = _VIEW
    return middle + slope * logit, spread


def like_after_click(logit: Doubles) -> Doubles:
    """Probability of a like once the video was clicked."""
    return np.asarray(expit(_LIKE[0] + _LIKE[1] * logit))


def tiredness(tags: Ints, recovery: float) -> Doubles:
    """How tired of each video's main tag a viewer is when it comes up in a fresh session.

    Args:
        tags: main tags in the order of viewing, int64 [..., length]; -1 for nothing.
        recovery: share of tiredness left after each further video.

    Returns:
        Sum over earlier videos of the same tag of ``recovery`` to the power of the videos between,
        float64 of the shape of ``tags``.

    >>> tiredness(np.array([4, 4, 7, 4]), recovery=0.5).tolist()
    [0.0, 1.0, 0.0, 0.75]
    """
    length = tags.shape[-1]
    before = np.arange(length)[:, None] - np.arange(length)[None, :]
    weight = np.where(before > 0, recovery ** (before - 1.0).clip(min=0), 0.0)
    same = (tags[..., :, None] == tags[..., None, :]) & (tags[..., None] >= 0)
    return np.asarray((same * weight).sum(axis=-1))


def _context_weights() -> Doubles:
    weights = np.zeros(len(AT))
    for name, logit in _CONTEXT_LOGITS.items():
        weights[AT[name]] = logit
    return weights
