"""Where a model errs: its figures by how active users are, and by how old videos are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Bools, Doubles, Ints
from shortlist.errors import RefusedError
from shortlist.evaluation.against_truth import gains
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.logged import odds, traffics
from shortlist.evaluation.metrics.discrimination import auc
from shortlist.evaluation.metrics.intervals import mean_interval, mean_ratio, unknown
from shortlist.evaluation.pages import audience
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.scorecard import Breakdown, Estimate
from shortlist.evaluation.tally import Tally
from shortlist.world.truth import Truth

_QUANTILES: Final = 4
_LAST_DAYS: Final = (2, 7, 30)
"""Last day of each group of ages but the oldest."""
_AUC_RESAMPLES: Final = 200
_HISTORY: Final = "events in the user's history"
_AGE: Final = "days since the video's upload"
_NEW: Final = "no event yet"


@dataclass(frozen=True)
class Groups:
    """Things put into groups.

    Attributes:
        labels: of the groups, in reading order.
        place: which group each thing is in, int64 [n].
    """

    labels: list[str]
    place: Ints

    def masks(self) -> list[Bools]:
        """Which things are in each group, bool [n] each."""
        return [self.place == group for group in range(len(self.labels))]


def breakdowns(
    performances: Mapping[str, Performance],
    tally: Tally,
    arena: Arena,
    truth: Truth | None,
    k: int,
    resamples: int,
    seed: int,
) -> list[Breakdown]:
    """Every breakdown of some models.

    Args:
        performances: of the models to break down, by name.
        tally: figures of each user.
        arena: the arena.
        truth: of its world; None for a real log.
        k: length of the judged list.
        resamples: behind each interval.
        seed: of the resamples.
    """
    events = np.bincount(arena.view.log.user, minlength=len(arena.view.users))
    of = audience(arena, truth, k)
    users = arena.judged[of.rows]
    activity = by_quantiles(events, users)
    metric, figures = tally.headline(k)
    found = [
        Breakdown(
            by=_HISTORY,
            metric=metric,
            groups=activity.labels,
            models={
                name: [
                    _estimate(figures[name][mask], resamples, seed)
                    for mask in Groups(activity.labels, activity.place[users]).masks()
                ]
                for name in performances
            },
        )
    ]
    test = arena.test
    age = by_age(arena, test.video, test.day)
    for groups, by in ((Groups(activity.labels, activity.place[test.user]), _HISTORY), (age, _AGE)):
        found += _of_rows(performances, arena, groups, by, seed)
    return found + _of_places(performances, arena, truth, k, resamples, seed)


def by_quantiles(counts: Ints, chosen: Ints, parts: int = _QUANTILES) -> Groups:
    """Groups of everybody by a count, with about equally many of some chosen ones in each.

    Args:
        counts: of everybody, int64 [n].
        chosen: whom the borders are made for, rows, int64 [m].
        parts: how many groups; fewer where counts are equal.

    >>> found = by_quantiles(np.array([0, 0, 5, 9, 3]), np.array([0, 1, 2, 3]), parts=2)
    >>> found.labels, found.place.tolist()
    (['0', '1 to 9'], [0, 0, 1, 1, 1])
    """
    steps = np.arange(1, parts + 1) / parts
    # A border is a count that somebody has, so no group is empty.
    last = np.unique(np.quantile(counts[chosen], steps, method="inverted_cdf"))
    last[-1] = max(last[-1], counts.max())
    first = np.concatenate([[counts.min()], last[:-1] + 1])
    return Groups(
        labels=[_span(int(low), int(high)) for low, high in zip(first, last, strict=True)],
        place=np.searchsorted(last, counts, side="left"),
    )


def by_age(arena: Arena, video: Ints, day: Ints | int) -> Groups:
    """Groups of videos by their age; those without any event in the history apart.

    Args:
        arena: the arena.
        video: rows of videos, int64 [n].
        day: on which they are looked at, days since 1970-01-01, [n] or one.
    """
    age = day - arena.catalogue.upload_day[video]
    known = np.bincount(arena.view.log.video, minlength=len(arena.catalogue))[video] > 0
    place = np.where(known, 1 + np.searchsorted(_LAST_DAYS, age, side="left"), 0)
    first = [0, *(last + 1 for last in _LAST_DAYS[:-1])]
    spans = [_span(low, high) for low, high in zip(first, _LAST_DAYS, strict=True)]
    return Groups([_NEW, *spans, f"over {_LAST_DAYS[-1]}"], place)


def _of_rows(
    performances: Mapping[str, Performance], arena: Arena, groups: Groups, by: str, seed: int
) -> list[Breakdown]:
    """AUC on the test rows of each group, for each kind of traffic."""
    found = []
    for traffic in traffics(arena):
        users = arena.test.user[traffic.rows]
        masks = Groups(groups.labels, groups.place[traffic.rows]).masks()
        models = {}
        for name, done in performances.items():
            said = odds(done, traffic)
            models[name] = [_auc(traffic.positive[m], said[m], users[m], seed) for m in masks]
        found.append(
            Breakdown(by=by, metric=f"auc_{traffic.name}", groups=groups.labels, models=models)
        )
    return found


def _of_places(
    performances: Mapping[str, Performance],
    arena: Arena,
    truth: Truth | None,
    k: int,
    resamples: int,
    seed: int,
) -> list[Breakdown]:
    """Share of the best k that goes to videos of each age, and what those places are worth.

    Worth is the true probability of the target, or without a truth the share of places that the
    held-out log knows as liked.
    """
    of = audience(arena, truth, k)
    worth_name = f"place_worth@{k}"
    shares: dict[str, list[Estimate]] = {}
    worths: dict[str, list[Estimate]] = {}
    labels: list[str] = []
    for name, done in performances.items():
        lists = of.plain(done)
        worth = _worth(lists, arena, truth, of.rows)
        groups = by_age(arena, lists.ravel(), arena.view.as_of_day)
        labels = groups.labels
        listed = lists >= 0
        length = listed.sum(axis=1).astype(np.float64)
        masks = [mask.reshape(lists.shape) & listed for mask in groups.masks()]
        counts = [mask.sum(axis=1).astype(np.float64) for mask in masks]
        shares[name] = [_ratio(count, length, resamples, seed) for count in counts]
        worths[name] = [
            _ratio((worth * mask).sum(axis=1), count, resamples, seed)
            for mask, count in zip(masks, counts, strict=True)
        ]
    return [
        Breakdown(by=_AGE, metric=f"place_share@{k}", groups=labels, models=shares),
        Breakdown(by=_AGE, metric=worth_name, groups=labels, models=worths),
    ]


def _worth(lists: Ints, arena: Arena, truth: Truth | None, rows: Ints) -> Doubles:
    if truth is not None:
        return gains(truth, arena, lists)
    return np.stack(
        [
            np.isin(page, arena.relevant[row]).astype(np.float64)
            for page, row in zip(lists, rows, strict=True)
        ]
    )


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _estimate(values: Doubles, resamples: int, seed: int) -> Estimate:
    try:
        return mean_interval(values, resamples=resamples, seed=seed)
    except RefusedError:
        return unknown(len(values))


def _ratio(top: Doubles, bottom: Doubles, resamples: int, seed: int) -> Estimate:
    return mean_ratio(top, bottom, resamples, seed) if bottom.any() else unknown()


def _auc(positive: Bools, said: npt.NDArray[np.float32], users: Ints, seed: int) -> Estimate:
    try:
        return auc(positive, said, users, _AUC_RESAMPLES, seed)
    except RefusedError:
        return unknown(len(positive))
