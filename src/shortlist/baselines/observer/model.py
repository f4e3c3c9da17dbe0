"""The informed observer as a recommender: the ceiling of what can be learned from the log."""

from dataclasses import replace
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import expit
from threadpoolctl import threadpool_limits

from shortlist.baselines.observer import design as columns
from shortlist.baselines.observer import fit as fitting
from shortlist.baselines.observer.evidence import Evidence
from shortlist.baselines.observer.moments import pack, triangle
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.datasets.schema import CONTEXT_FEATURES

Doubles = npt.NDArray[np.float64]


class InformedObserver:
    """Knows the form of the world's equations, and nothing of their values.

    It is a yardstick, not a product: no real log follows equations that are known beforehand.
    """

    name = "informed-observer"

    def __init__(self, dimensions: int = 16, sweeps: int = 30) -> None:
        self.dimensions = dimensions
        self.sweeps = sweeps

    def fit(self, view: TrainingView) -> Self:
        """Fit to the log, the content vectors and the features of users and videos."""
        outcome = view.log.outcome(view.target)
        tags = columns.soft_tags(view.catalogue)
        built = columns.design(view.log, view.users, view.catalogue, tags)
        known = ~np.isnan(outcome)
        # Contexts are in the design by now; a second copy would weigh as much as all the rest.
        log = replace(view.log, context=view.log.context[:, :0]).take(known)
        self._view, self._tags = view, tags
        first = int(log.day.min(initial=view.as_of_day))
        self._span = max(view.as_of_day - first, 1)
        watched = log.watch_seconds.astype(np.float64)
        evidence = Evidence(
            user=log.user,
            video=log.video,
            time=self._time(log.day),
            positive=outcome[known] > 0,
            log_watch=np.log(np.where(watched > 0, watched, np.nan)),
            design=built.take(known),
            user_features=user_features(view.users, shown_profile(log, len(view.users), tags)),
            video_features=video_features(view.catalogue, view.content, shown_often(log, view)),
            creator=view.catalogue.creator,
        )
        # Many small systems: a second BLAS thread waits more than it works.
        with threadpool_limits(1, user_api="blas"):
            self._state = fitting.fit(evidence, self.dimensions, self.sweeps, view.seed)
        self._prepare()
        return self

    def _time(self, day: Ints | int) -> Doubles:
        return np.asarray((np.asarray(day, np.float64) - self._view.as_of_day) / self._span)

    def _prepare(self) -> None:
        view, state = self._view, self._state
        built = columns.standing(view.context, view.as_of_day, view.catalogue, self._tags)
        self._everyone = built.logit(state.dense, state.tags)
        second = fitting.extended(state.videos.second(), state.videos.mean)
        self._video_side = pack(second).astype(np.float32).T.copy()
        self._user_side = triangle(fitting.turning(state)[0]).astype(np.float32)
        self._heard = np.array([*view.catalogue.languages, ""])[view.catalogue.language]
        self._spoken = np.array([*view.users.languages, ""])[view.users.language]

    def score(self, users: Ints) -> Floats:
        """Expected probability of the target, float32 [m, n_videos]."""
        state, k = self._state, self._state.width
        u, v = state.users.mean[users], state.videos.mean
        mean = u[:, :k] @ v[:, :k].T + u[:, [2 * k]] + v[:, k]
        second = self._user_side[users] @ self._video_side
        variance = (second - mean**2).clip(min=0)
        mean += self._everyone
        mean += state.dense[len(CONTEXT_FEATURES)] * (self._spoken[users][:, None] != self._heard)
        return expected_probability(mean, variance).astype(np.float32)

    def predict(self, rows: Interactions) -> Floats:
        """Expected probability of the target in each row's context and session, float32 [n]."""
        view, state = self._view, self._state
        built = columns.design(rows, view.users, view.catalogue, self._tags)
        visible = built.logit(state.dense, state.tags)
        # Taste is not extrapolated past the end of the log.
        time = np.minimum(self._time(rows.day), 0.0)
        mean, second = fitting.moments_at(state, rows.user, rows.video, time)
        variance = (second - mean**2).clip(min=0)
        return expected_probability(visible + mean, variance).astype(np.float32)


def expected_probability(mean: Doubles, variance: Doubles) -> Doubles:
    """Expected logistic function of a Gaussian logit.

    Source: MacKay, "The evidence framework applied to classification networks", 1992.
    """
    return np.asarray(expit(mean / np.sqrt(1 + np.pi * variance / 8)))


def shown_profile(log: Interactions, users: int, tags: sp.csr_array) -> Doubles:
    """How much more of each tag a user was shown than others were, float64 [n_users, n_tags].

    A logging policy that knows its users tells what it knows by what it shows.
    """
    chosen = ~log.random_exposure
    shape = (users, tags.shape[0])
    ones = np.ones(int(chosen.sum()))
    shown = (
        sp.csr_array((ones, (log.user[chosen], log.video[chosen])), shape=shape) @ tags
    ).toarray()
    total = shown.sum(axis=0)
    usual = total / max(total.sum(), 1.0)
    expected = shown.sum(axis=1, keepdims=True) * usual
    return np.asarray(np.log((shown + 1.0) / (expected + 1.0)))


def shown_often(log: Interactions, view: TrainingView) -> Doubles:
    """How much more a video was shown than others of its age, log ratio and square, [n_videos, 2].

    A logging policy that knows appeal tells what it knows by how often it shows. A video that had
    no time to be shown gets 0.
    """
    chosen = ~log.random_exposure
    upload, video = view.catalogue.upload_day, log.video[chosen]
    first = int(log.day.min(initial=view.as_of_day))
    days = np.arange(first, view.as_of_day)
    age = days[:, None] - upload
    oldest = int(max(age.max(initial=0), 0))
    alive = np.bincount(age[age >= 0], minlength=oldest + 1)
    shown = np.bincount((log.day[chosen] - upload[video]).clip(0), minlength=oldest + 1)
    rate = shown[: oldest + 1] / alive.clip(min=1)
    expected = np.where(age >= 0, rate[age.clip(0)], 0.0).sum(axis=0)
    ratio = np.log((np.bincount(video, minlength=len(upload)) + 1.0) / (expected + 1.0))
    return np.stack([ratio, ratio**2 - np.mean(ratio**2)], axis=1)


def user_features(users: Users, shown: Doubles) -> Floats:
    """One, age band, activity, declared interests and what was shown, float32 [n_users, f]."""
    columns_ = [np.ones((len(users), 1)), shown]
    for name in ("age_band", "activity"):
        values = np.array(users.table.column(name).fill_null("").to_pylist())
        columns_ += [(values == value)[:, None].astype(np.float64) for value in np.unique(values)]
    interests = users.table.column("interests").to_pylist()
    names = sorted({name for listed in interests if listed for name in listed})
    declared = np.zeros((len(users), len(names)))
    place = {name: at for at, name in enumerate(names)}
    for row, listed in enumerate(interests):
        for name in listed or ():
            declared[row, place[name]] = 1.0 / np.sqrt(len(listed))
    return np.concatenate([*columns_, declared], axis=1, dtype=np.float32)


def video_features(catalogue: Catalogue, content: Floats, shown: Doubles) -> Floats:
    """One, tags, exposure and content vectors of videos, float32 [n_videos, g]."""
    tags = catalogue.tags.toarray()
    first = tags.shape[1] + 1
    features = np.ones((len(catalogue), first + shown.shape[1] + content.shape[1]), np.float32)
    features[:, 1:first] = tags
    features[:, first : first + shown.shape[1]] = shown
    np.multiply(content, 3, out=features[:, first + shown.shape[1] :])
    return features
