"""What a log says of a user, a video and the two together, looked up for any pairs.

The features are a list of groups. A group counts what it needs in a view once, and gives back a
function from pairs to its columns. Counts enter as ``log(1 + n)``, ages in days, durations as the
logarithm of seconds; rates are shrunk to the log's mean. What is unknown is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from shortlist.datasets.interactions import Floats, Ints, TrainingView
from shortlist.datasets.signals import Weights, watch_trend, watches

Lookup = Callable[[Ints, Ints], list[Floats]]

_PRIOR: Final = 10.0  # impressions at the mean rate that every rate is shrunk by
_TAGS: Final = 256  # the most frequent tags; what one user thinks of rarer ones is noise
_SLOTS: Final = 8  # tags of a video that are looked at


@dataclass(frozen=True)
class Shown:
    """The rows of a view whose outcome is known."""

    view: TrainingView

    @cached_property
    def rows(self) -> Ints:
        """Their places in the log."""
        return np.flatnonzero(~np.isnan(self.view.log.outcome(self.view.target)))

    @cached_property
    def user(self) -> Ints:
        """The user of each."""
        return self.view.log.user[self.rows]

    @cached_property
    def video(self) -> Ints:
        """The video of each."""
        return self.view.log.video[self.rows]

    @cached_property
    def liked(self) -> Weights:
        """The outcome of each, 0 or 1."""
        return self.view.log.outcome(self.view.target)[self.rows].astype(np.float64)

    @cached_property
    def rate(self) -> float:
        """The mean outcome."""
        return float(self.liked.mean()) if len(self.rows) else 0.5

    def counts(self, key: Ints, number: int) -> tuple[Weights, Weights, Weights]:
        """Impressions, positives and the shrunk rate by the key of each row, [number] each."""
        shown = np.bincount(key, minlength=number).astype(np.float64)
        liked = np.bincount(key, self.liked, minlength=number).astype(np.float64)
        return shown, liked, (liked + _PRIOR * self.rate) / (shown + _PRIOR)


def user_counts(shown: Shown) -> Lookup:
    """How much a user has seen and liked."""
    seen, liked, rate = shown.counts(shown.user, len(shown.view.users))
    columns = [_log(seen), _log(liked), _single(rate)]
    return lambda user, _: [column[user] for column in columns]


def video_counts(shown: Shown) -> Lookup:
    """How much a video was watched, and how much of that lately."""
    view = shown.view
    watched = np.bincount(view.log.video[watches(view)], minlength=len(view.catalogue))
    trend = watch_trend(view, half_life_events=10.0, prior_impressions=_PRIOR)
    columns = [_log(watched), _single(trend)]
    return lambda _, video: [column[video] for column in columns]


def video_facts(shown: Shown) -> Lookup:
    """Age on the day of the recommendation, duration and number of tags."""
    catalogue = shown.view.catalogue
    age = _single(shown.view.as_of_day - catalogue.upload_day)
    duration = _log_duration(catalogue.duration_seconds)
    tags = _single(np.diff(catalogue.tags.indptr))
    return lambda _, video: [age[video], duration[video], tags[video]]


def creator_counts(shown: Shown) -> Lookup:
    """How a creator fares with everybody and with this user; NaN where the creator is unknown."""
    creator, creators = shown.view.catalogue.creator, shown.view.catalogue.creators
    known = creator[shown.video] >= 0
    seen = np.bincount(creator[shown.video[known]], minlength=creators)
    liked = np.bincount(creator[shown.video[known]], shown.liked[known], minlength=creators)
    rate = (liked + _PRIOR * shown.rate) / (seen + _PRIOR)
    pair = shown.user[known] * creators + creator[shown.video[known]]
    keys, place = np.unique(pair, return_inverse=True)
    met = _log(np.append(np.bincount(place, minlength=len(keys)), 0))
    met_liked = _log(np.append(np.bincount(place, shown.liked[known], minlength=len(keys)), 0))
    columns = [_log(seen), _single(rate)] if creators else [np.zeros(1, np.float32)] * 2

    def lookup(user: Ints, video: Ints) -> list[Floats]:
        by = creator[video]
        wanted = user * creators + by
        at = np.searchsorted(keys, wanted)
        at[np.append(keys, -1)[at] != wanted] = len(keys)
        found = [column[by] for column in columns] + [met[at], met_liked[at]]
        for column in found:
            column[by < 0] = np.nan
        return found

    return lookup


def tag_taste(shown: Shown) -> Lookup:
    """How often a user met the video's tags, and how much more than usual they liked them."""
    view, catalogue = shown.view, shown.view.catalogue
    users, kept = len(view.users), _frequent_tags(shown)
    incidence = catalogue.tags[:, kept].tocsr()
    slots = _slots(incidence.indptr, incidence.indices, len(kept))
    seen = np.zeros((users, len(kept) + 1), np.float32)
    liked = np.zeros_like(seen)
    for slot in slots.T:
        tag = slot[shown.video]
        np.add.at(seen, (shown.user, tag), np.float32(1))
        np.add.at(liked, (shown.user, tag), shown.liked.astype(np.float32))
    _, positives, usual = map(_single, shown.counts(shown.user, users))

    def lookup(user: Ints, video: Ints) -> list[Floats]:
        overlap = np.zeros(len(user), np.float32)
        lift = np.zeros(len(user), np.float32)
        number = np.zeros(len(user), np.float32)
        for slot in slots.T:
            tag = slot[video]
            real = tag < len(kept)
            good, met = liked[user, tag], seen[user, tag]
            overlap += np.where(real, good / (positives[user] + 1), 0)
            smooth = (good + _PRIOR * usual[user]) / (met + _PRIOR)
            lift += np.where(real, smooth - usual[user], 0)
            number += real
        with np.errstate(invalid="ignore"):
            return [overlap / number, lift / number]  # 0 / 0 where a video has no kept tag

    return lookup


def matches(shown: Shown) -> Lookup:
    """Whether languages agree, and how far a duration lies from those a user likes."""
    view, catalogue = shown.view, shown.view.catalogue
    place = {name: code for code, name in enumerate(catalogue.languages)}
    codes = np.array([place.get(name, -2) for name in view.users.languages] + [-1])
    language = codes[view.users.language]
    duration = _log_duration(catalogue.duration_seconds)
    timed = np.isfinite(duration[shown.video])
    weight = shown.liked * timed
    total = np.bincount(
        shown.user, weight * np.where(timed, duration[shown.video], 0), minlength=len(view.users)
    )
    number = np.bincount(shown.user, weight, minlength=len(view.users))
    liked = _single(np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0))

    def lookup(user: Ints, video: Ints) -> list[Floats]:
        same = (language[user] == catalogue.language[video]).astype(np.float32)
        same[(language[user] == -1) | (catalogue.language[video] == -1)] = np.nan
        return [same, np.abs(duration[video] - liked[user])]

    return lookup


GROUPS: Final[tuple[tuple[tuple[str, ...], Callable[[Shown], Lookup]], ...]] = (
    (("user impressions", "user positives", "user rate"), user_counts),
    (("video watches", "video trend"), video_counts),
    (("video age", "video duration", "video tags"), video_facts),
    (("creator impressions", "creator rate", "creator met", "creator liked"), creator_counts),
    (("tag overlap", "tag lift"), tag_taste),
    (("language match", "duration gap"), matches),
)

NAMES: Final = tuple(name for names, _ in GROUPS for name in names)
"""Names of the columns, in order."""


class PairFeatures:
    """All groups, counted in one view."""

    def __init__(self, view: TrainingView) -> None:
        shown = Shown(view)
        self._lookups = [build(shown) for _, build in GROUPS]

    def __call__(self, user: Ints, video: Ints) -> Floats:
        """Features of pairs, given as rows of users and of videos: float32 [n, len(NAMES)]."""
        columns = [column for lookup in self._lookups for column in lookup(user, video)]
        return np.stack(columns, axis=1)


def _single(values: Weights | Floats | Ints) -> Floats:
    return np.asarray(values, np.float32)


def _log(counts: Weights | Ints) -> Floats:
    return _single(np.log1p(counts))


def _log_duration(seconds: Floats) -> Floats:
    return _single(np.log(np.where(seconds > 0, seconds, np.nan)))


def _frequent_tags(shown: Shown) -> Ints:
    tags = shown.view.catalogue.tags
    use = np.bincount(shown.video, minlength=tags.shape[0]) @ tags
    return np.sort(np.argsort(-use, kind="stable")[:_TAGS])


def _slots(borders: Ints, tags: Ints, padding: int) -> Ints:
    """Up to ``_SLOTS`` tags of each video as a matrix, filled up with ``padding``."""
    counts = np.minimum(np.diff(borders), _SLOTS)
    slots = np.full((len(counts), int(counts.max(initial=0))), padding, np.int64)
    for slot in range(slots.shape[1]):
        has = counts > slot
        slots[has, slot] = tags[borders[:-1][has] + slot]
    return slots
