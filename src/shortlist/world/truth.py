"""The sealed side of a world: its latents on disk, and the questions that a judge may ask of them.

Nothing here is ever read by a recommender. The latents lie in a directory of their own, outside
every dataset, readable by their owner alone.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.special import expit

from shortlist.datasets.interactions import Interactions
from shortlist.errors import CorruptError, NotFoundError
from shortlist.files import file_digest, staged_directory
from shortlist.settings.world import WorldSettings
from shortlist.world.exposure import LoggingPolicy
from shortlist.world.law import Law, Outcomes, tiredness
from shortlist.world.users import Users
from shortlist.world.videos import Videos
from shortlist.world.world import World, make_world

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_RECORD: Final = "truth.json"
_LATENTS: Final = "latents.npz"
_EPOCH: Final = dt.date(1970, 1, 1)


class TruthRecord(BaseModel):
    """What the truth belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    """The key of the dataset that this world wrote."""
    seed: int
    settings: WorldSettings
    latents: str
    """SHA-256 of the latents."""


@dataclass(frozen=True)
class Truth:
    """A world, asked by dataset rows and calendar days.

    Rows of users and videos are those of the dataset's tables, which list a world's users and
    videos in its own order.
    """

    world: World
    key: str

    @property
    def users(self) -> int:
        """How many there are: whoever has a later row is a newcomer of whom nothing is known."""
        return len(self.world.users)

    @property
    def law(self) -> Law:
        """The law between users and videos."""
        return self.world.law

    def day(self, date: dt.date) -> int:
        """Days between the first day of logs and ``date``."""
        return (date - self.world.settings.first_day).days

    def click(self, users: Ints, date: dt.date, context: Floats) -> Doubles:
        """Click probability of every video in an empty session.

        Args:
            users: rows of users, int64 [m].
            date: the day of the impression.
            context: context features, float32 [32].

        Returns:
            float64 [m, n_videos].
        """
        return np.asarray(expit(self.law.catalogue(users, self.day(date), context)))

    def long_view(self, users: Ints, date: dt.date, context: Floats) -> Doubles:
        """Long view probability of every video in an empty session; as ``click``."""
        logit = self.law.catalogue(users, self.day(date), context)
        return self.law.outcomes(logit, self.law.videos.duration_seconds).long_view

    def outcomes(self, rows: Interactions, *, gaps: bool = False) -> Outcomes:
        """Probabilities of all outcomes of logged rows, given their context and session so far.

        ``rows`` must carry their context, and hold whole sessions unless there may be ``gaps``;
        each array is float64 [n].
        """
        recovery = self.world.settings.recovery
        tired = session_tiredness(rows, self.law.videos.tag, recovery, gaps=gaps)
        first = (self.world.settings.first_day - _EPOCH).days
        logit = np.empty(len(rows))
        for day in np.unique(rows.day):
            at = np.flatnonzero(rows.day == day)
            logit[at] = self.law.pairs(
                rows.user[at], rows.video[at], int(day) - first, rows.context[at], tired[at]
            )
        return self.law.outcomes(logit, self.law.videos.duration_seconds[rows.video])

    def page_value(self, users: Ints, pages: Ints, date: dt.date, context: Floats) -> Doubles:
        """Expected clicks of a page seen from top to bottom, with fatigue inside the page.

        Args:
            users: rows of users, int64 [m].
            pages: rows of videos, int64 [m, k].
            date: the day of the page.
            context: context features at the top of the page, float32 [32].

        Returns:
            float64 [m].
        """
        tired = tiredness(self.law.videos.tag[pages], self.world.settings.recovery)
        day = self.day(date)
        value = np.zeros(len(users))
        contexts = np.tile(context, (len(users), 1))
        for place in range(pages.shape[1]):
            logit = self.law.pairs(users, pages[:, place], day, contexts, tired[:, place])
            value += expit(logit)
        return value

    def policy(self, date: dt.date) -> LoggingPolicy:
        """The logging policy of a day."""
        return self.world.policy(self.day(date))

    def save(self, path: Path) -> None:
        """Write the latents and their record to ``path``, readable by the owner alone.

        Raises:
            StorageError: the disk refused.
        """
        world = self.world
        with staged_directory(path) as aside:
            arrays = {
                **{f"users.{name}": value for name, value in asdict(world.users).items()},
                **{f"videos.{name}": value for name, value in asdict(world.videos).items()},
                "law.dayparts": world.law.dayparts,
            }
            np.savez(aside / _LATENTS, allow_pickle=False, **arrays)
            record = TruthRecord(
                key=self.key,
                seed=world.streams.seed,
                settings=world.settings,
                latents=file_digest(aside / _LATENTS),
            )
            (aside / _RECORD).write_text(record.model_dump_json(indent=2) + "\n")
            # Sealed before it is in place: a run killed in between leaves nothing open.
            for file in aside.iterdir():
                file.chmod(0o600)
        path.chmod(0o700)

    @classmethod
    def load(cls, path: Path, key: str) -> Self:
        """Read the truth behind the dataset of ``key``.

        Raises:
            NotFoundError: there is none at ``path``.
            CorruptError: the latents differ from their record, or belong to another dataset.
        """
        if not (path / _RECORD).is_file():
            raise NotFoundError(f"no truth at {path}; make the world with `shortlist world make`")
        try:
            record = TruthRecord.model_validate_json((path / _RECORD).read_bytes())
        except ValidationError as error:
            raise CorruptError(f"{path / _RECORD} is damaged; make the world again") from error
        if record.key != key:
            raise CorruptError(
                f"the truth at {path} belongs to another dataset (key {record.key[:12]}, not "
                f"{key[:12]}); make the world again"
            )
        latents = path / _LATENTS
        if not latents.is_file() or file_digest(latents) != record.latents:
            raise CorruptError(f"{latents} differs from its record; make the world again")
        base = make_world(record.settings, record.seed)
        with np.load(latents, allow_pickle=False) as arrays:
            users = Users(**_branch(arrays, "users."))
            videos = Videos(**_branch(arrays, "videos."))
            law = Law(record.settings, users, videos, arrays["law.dayparts"])
        world = World(record.settings, base.streams, base.space, users, videos, law)
        return cls(world=world, key=key)


def session_tiredness(
    rows: Interactions, tag: Ints, recovery: float, *, gaps: bool = False
) -> Doubles:
    """Tiredness at each logged row from the rows before it in its session, float64 [n].

    Args:
        rows: sessions; a row of none is alone.
        gaps: whether positions may lack some, of which nothing is known then; if not, they run
            from 0 without a gap.
        tag: main tag of each video, int64 [n_videos].
        recovery: share of tiredness left after each further video.

    Raises:
        CorruptError: a session has a gap, and none may.
    """
    own = np.where(rows.session < 0, -1 - np.arange(len(rows)), rows.session)
    order = np.lexsort((rows.position, own))
    session, position = own[order], rows.position[order]
    starts = np.flatnonzero(np.r_[True, session[1:] != session[:-1]][: len(order)])
    index = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    if gaps:
        position = index
    elif not bool((index == position).all()):
        raise CorruptError("a session in the log has a gap; make the dataset again")
    number = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))
    result = np.empty(len(order))
    block = 4_096
    for low in range(0, len(starts), block):
        inside = (number >= low) & (number < low + block)
        longest = int(position[inside].max()) + 1
        tags = np.full((min(block, len(starts) - low), longest), -1, np.int64)
        tags[number[inside] - low, position[inside]] = tag[rows.video[order[inside]]]
        tired = tiredness(tags, recovery)
        result[order[inside]] = tired[number[inside] - low, position[inside]]
    return result


def _branch(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    names = [name for name in arrays if name.startswith(prefix)]
    return {name.removeprefix(prefix): arrays[name] for name in names}
