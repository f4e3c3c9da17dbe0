"""The logging policy: who was shown what, with a probability that can be told exactly.

A small part of the traffic is drawn uniformly from all live videos. The rest comes from shelves,
one for each main tag and language: a shelf is chosen by a blurred and slightly outdated view of
the user's taste, a video on it by appeal, hype and freshness. Nothing is shown twice in a session.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.streams import Streams, choose
from shortlist.world.taste import TasteSpace
from shortlist.world.users import Users
from shortlist.world.videos import Videos

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BLUR = 0.5
_LAG_DAYS = 3
_OWN_LANGUAGE = 2.5
_LANGUAGES = len(vocabulary.LANGUAGES)


@dataclass(frozen=True)
class LoggingPolicy:
    """The logging policy of one day.

    Attributes:
        random_share: probability that a slot is filled uniformly.
        live: rows of the videos that can be shown, by shelf, int64 [n_live].
        shelf: shelf of each video, int64 [n_videos].
        weight: weight of each video on its shelf; 0 if it is not live, float64 [n_videos].
        cumulative: running sum of the live videos' weights, float64 [n_live].
        shelf_end: where each shelf ends in ``live``, int64 [n_shelves + 1] with a leading 0.
        shelf_weight: sum of weights of each shelf, float64 [n_shelves].
        taste: what the logging system believes of each user's taste for tags, [n_users, 60].
        language: language of each user, int64 [n_users].
    """

    random_share: float
    live: Ints
    shelf: Ints
    weight: Doubles
    cumulative: Doubles
    shelf_end: Ints
    shelf_weight: Doubles
    taste: Doubles
    language: Ints

    def shelves(self, user: Ints) -> Doubles:
        """Cumulative probability of each shelf for given users, float64 [m, n_shelves]."""
        tag = np.arange(len(self.shelf_weight)) // _LANGUAGES
        language = np.arange(len(self.shelf_weight)) % _LANGUAGES
        own = language == self.language[user][:, None]
        weight = np.exp(self.taste[user][:, tag] + _OWN_LANGUAGE * own) * self.shelf_weight
        cumulative = np.cumsum(weight, axis=1)
        return np.asarray(cumulative / cumulative[:, -1:])

    def draw(self, shelves: Doubles, at: tuple[Doubles, Doubles, Doubles]) -> tuple[Ints, Bools]:
        """Draw one video per row.

        Args:
            shelves: the result of ``shelves`` for the rows' users.
            at: three uniform values per row: random or not, shelf, video.

        Returns:
            Rows of videos, int64 [m], and whether the random part chose them, bool [m].
        """
        uniform = at[0] < self.random_share
        shelf = choose(shelves, at[1])
        start, end = self.shelf_end[shelf], self.shelf_end[shelf + 1]
        base = np.where(start > 0, self.cumulative[start - 1], 0.0)
        point = base + at[2] * self.shelf_weight[shelf]
        place = np.searchsorted(self.cumulative, point, side="right").clip(start, end - 1)
        anywhere = (at[2] * len(self.live)).astype(np.int64)
        return self.live[np.where(uniform, anywhere, place)], uniform

    def probability(self, shelves: Doubles, video: Ints) -> Doubles:
        """Probability of each row's video in an empty session, both parts of the traffic together.

        Args:
            shelves: the result of ``shelves`` for the rows' users, float64 [m, n_shelves].
            video: rows of live videos, int64 [m].

        Returns:
            float64 [m].
        """
        shelf = self.shelf[video]
        rows = np.arange(len(video))
        upto = shelves[rows, shelf]
        chosen = upto - np.where(shelf > 0, shelves[rows, shelf - 1], 0.0)
        within = self.weight[video] / self.shelf_weight[shelf]
        return np.asarray(
            self.random_share / len(self.live) + (1 - self.random_share) * chosen * within
        )


def logging_policy(
    settings: WorldSettings,
    users: Users,
    videos: Videos,
    space: TasteSpace,
    streams: Streams,
    *,
    day: int,
) -> LoggingPolicy:
    """The logging policy of ``day`` (days since the first day of logs)."""
    shelf = videos.tag * _LANGUAGES + videos.language
    age = day - videos.upload_day
    live_now = age > 0
    liking = settings.appeal_focus * videos.appeal + videos.hype
    weight = np.where(live_now, np.exp(liking - age.clip(min=0) / settings.freshness_days), 0.0)
    order = np.argsort(shelf, kind="stable")
    live = order[live_now[order]]
    shelves = len(vocabulary.TAG_NAMES) * _LANGUAGES
    shelf_end = np.searchsorted(shelf[live], np.arange(shelves + 1))
    cumulative = np.cumsum(weight[live])
    upto = np.r_[0.0, cumulative][shelf_end]
    blur = streams.normal_rows("blur", 0, len(users), len(vocabulary.TAG_NAMES))
    seen = np.einsum("nk,tk->nt", users.taste_on(day - _LAG_DAYS), space.tags)
    return LoggingPolicy(
        random_share=settings.random_share,
        live=live,
        shelf=shelf,
        weight=weight,
        cumulative=cumulative,
        shelf_end=shelf_end,
        shelf_weight=np.diff(upto),
        taste=settings.personal_focus * (seen + _BLUR * blur),
        language=users.language,
    )
