"""Fit the world's equations by variational Bayes.

The logit of a click is a sum of a regression on what is visible, a user's readiness, a video's
appeal and the match of two vectors, the user's turning with the days; log watch seconds after a
click are linear in the logit. With Polya-Gamma variables the logistic likelihood becomes Gaussian,
so that every update is a small linear system, exact and without step sizes.

Sources: Polson, Scott and Windle, "Bayesian inference for logistic models using Polya-Gamma latent
variables", JASA 2013; Lim and Teh, "Variational Bayesian approach to movie rating prediction", KDD
Cup 2007.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.baselines.observer.blocks import times, transposed_times, weighted_gram
from shortlist.baselines.observer.design import Design
from shortlist.baselines.observer.evidence import Evidence
from shortlist.baselines.observer.moments import Beliefs, pack, posterior, triangle, unpack
from shortlist.baselines.observer.priors import Prior, learn_prior
from shortlist.progress import track

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 4_096  # Rows whose packed moments fit into a processor's cache.
_WATCH_FLOOR = 0.1
_TAG_DEVIATION = 0.15
_SELDOM, _RARELY = 2, 4  # Wide updates that move little.


@dataclass
class State:
    """All that is believed; every update replaces one part.

    Attributes:
        users: taste at the end of the log, its turn, readiness; [n_users] of width 2k + 1.
        videos: taste, appeal; [n_videos] of width k + 1.
        dense, tags: coefficients of the two blocks of the design.
        watch: intercept, slope and deviation of log watch seconds after a positive.
        user_prior, video_prior: what was expected before the evidence.
        history: mean log likelihood of the log at the start of each sweep.
    """

    users: Beliefs
    videos: Beliefs
    dense: Doubles
    tags: Doubles
    watch: tuple[float, float, float]
    user_prior: Prior
    video_prior: Prior
    history: list[float] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Dimensions of taste."""
        return int(self.videos.mean.shape[1]) - 1


def start(evidence: Evidence, width: int, seed: int) -> State:
    """A state that knows nothing but a random projection of the videos' features."""
    users, videos = len(evidence.user_features), len(evidence.video_features)
    rng = np.random.default_rng(seed)
    features = evidence.video_features
    spread = features.std(axis=0, dtype=np.float64) + 1e-9
    sketch = times(features, rng.standard_normal((features.shape[1], width)) / spread[:, None])
    sketch -= sketch.mean(axis=0)
    sketch /= sketch.std(axis=0) + 1e-9
    rate = float(np.clip(evidence.positive.mean(), 0.01, 0.99)) if len(evidence.user) else 0.5
    dense = np.zeros(evidence.design.dense.shape[1])
    dense[-1] = np.log(rate / (1 - rate))
    video_spread = np.r_[np.full(width, 0.5), 0.3]
    user_spread = np.r_[np.full(width, 0.1), np.full(width, 0.02), 0.4]
    mean = np.c_[sketch, np.zeros(videos)]
    zeros = np.zeros((users, 2 * width + 1))
    return State(
        users=Beliefs(zeros, np.tile(np.diag(user_spread), (users, 1, 1))),
        videos=Beliefs(mean, np.tile(np.diag(0.1 * video_spread), (videos, 1, 1))),
        dense=dense,
        tags=np.zeros(evidence.design.tags.shape[1]),
        watch=(3.0, 0.5, 1.0),
        user_prior=Prior(zeros.copy(), user_spread),
        video_prior=Prior(mean.copy(), video_spread),
    )


def fit(evidence: Evidence, width: int, sweeps: int, seed: int) -> State:
    """Run ``sweeps`` of updates over users, videos, coefficients and priors."""
    state = start(evidence, width, seed)
    has_watch = evidence.positive & np.isfinite(evidence.log_watch)
    for sweep in track(range(sweeps), "observer: sweeps"):
        visible = evidence.design.logit(state.dense, state.tags)
        mean, second = row_moments(state, evidence)
        variance = (second - mean**2).clip(min=0)
        logit = visible + mean
        # Expected Polya-Gamma weight at the root of the expected squared logit.
        size = np.sqrt(logit**2 + variance).clip(min=1e-6)
        weight = np.tanh(size / 2) / (2 * size)
        pull = evidence.positive - 0.5
        likelihood = _log_likelihood(logit, evidence.positive).sum() / max(len(logit), 1)
        state.history.append(float(likelihood))
        if has_watch.any():
            state.watch = _watch_line(
                evidence.log_watch[has_watch], logit[has_watch], variance[has_watch]
            )
            middle, slope, spread = state.watch
            weight[has_watch] += (slope / spread) ** 2
            pull[has_watch] += slope * (evidence.log_watch[has_watch] - middle) / spread**2
        _update_users(state, evidence, weight, pull - weight * visible)
        _update_user_prior(state, evidence)
        _update_videos(state, evidence, weight, pull - weight * visible)
        if sweep % _SELDOM == 0:
            _update_video_prior(state, evidence)
        mean, _ = row_moments(state, evidence, means_only=True)
        _update_dense(state, evidence.design, weight, pull - weight * mean)
        if sweep % _RARELY == 0:
            _update_tags(state, evidence.design, weight, pull - weight * mean)
    return state


def row_moments(
    state: State, evidence: Evidence, *, means_only: bool = False
) -> tuple[Doubles, Doubles]:
    """Mean and second moment of readiness + appeal + match for each row, two float64 [n]."""
    return moments_at(state, evidence.user, evidence.video, evidence.time, means_only=means_only)


def moments_at(
    state: State, user: Ints, video: Ints, time: Doubles, *, means_only: bool = False
) -> tuple[Doubles, Doubles]:
    """The same for any rows."""
    k = state.width
    means, seconds = np.empty(len(user)), np.zeros(len(user))
    u, v = state.users.mean, state.videos.mean
    if not means_only:
        video_side = pack(extended(state.videos.second(), v)).astype(np.float32)
        user_side = [triangle(part).astype(np.float32) for part in turning(state)]
    for low in range(0, len(user), _BLOCK):
        at = slice(low, low + _BLOCK)
        i, j, s = user[at], video[at], time[at]
        taste = u[i, :k] + s[:, None] * u[i, k : 2 * k]
        means[at] = np.einsum("nk,nk->n", taste, v[j, :k]) + u[i, 2 * k] + v[j, k]
        if not means_only:
            s32 = s.astype(np.float32)[:, None]
            moments = user_side[2][i]
            moments *= s32
            moments += user_side[1][i]
            moments *= s32
            moments += user_side[0][i]
            seconds[at] = np.einsum("np,np->n", moments, video_side[j])
    return means, seconds


def extended(second: Doubles, mean: Doubles) -> Doubles:
    """Second moments of [vector, 1], float64 [n, d + 1, d + 1]."""
    count, width = mean.shape
    whole = np.ones((count, width + 1, width + 1))
    whole[:, :width, :width] = second
    whole[:, :width, width] = whole[:, width, :width] = mean
    return whole


def turning(state: State) -> list[Doubles]:
    """Second moments of [taste at time s, 1, readiness] as coefficients of 1, s and s squared.

    In the order of the videos' [taste, appeal, 1], so that their inner product is the second moment
    of the logit's hidden part.
    """
    k = state.width
    second, mean = state.users.second(), state.users.mean
    count = len(mean)
    constant, linear, square = (np.zeros((count, k + 2, k + 2)) for _ in range(3))
    a, g, r = slice(0, k), slice(k, 2 * k), 2 * k
    cross = second[:, a, g]
    constant[:, :k, :k] = second[:, a, a]
    linear[:, :k, :k] = cross + cross.transpose(0, 2, 1)
    square[:, :k, :k] = second[:, g, g]
    for target, part in ((constant, a), (linear, g)):
        target[:, :k, k] = target[:, k, :k] = mean[:, part]
        target[:, :k, k + 1] = target[:, k + 1, :k] = second[:, part, r]
    constant[:, k, k] = 1.0
    constant[:, k, k + 1] = constant[:, k + 1, k] = mean[:, r]
    constant[:, k + 1, k + 1] = second[:, r, r]
    return [constant, linear, square]


def _update_users(state: State, evidence: Evidence, weight: Doubles, pull: Doubles) -> None:
    k = state.width
    second, mean = state.videos.second(), state.videos.mean
    taste = triangle(second[:, :k, :k])
    packed = np.c_[taste, mean, second[:, :k, k], np.ones(len(mean))]
    t = len(taste[0])

    def by_user(values: Doubles) -> Doubles:
        return evidence.by_user.sums(values, packed)

    w0, w1, w2 = (by_user(weight * evidence.time**power) for power in range(3))
    h0, h1 = by_user(pull), by_user(pull * evidence.time)
    precision = np.zeros((len(state.users.mean), 2 * k + 1, 2 * k + 1))
    a, g, r = slice(0, k), slice(k, 2 * k), 2 * k
    precision[:, a, a] = unpack(w0[:, :t], k)
    precision[:, a, g] = precision[:, g, a] = unpack(w1[:, :t], k)
    precision[:, g, g] = unpack(w2[:, :t], k)
    precision[:, a, r] = precision[:, r, a] = w0[:, t : t + k]
    precision[:, g, r] = precision[:, r, g] = w1[:, t : t + k]
    precision[:, r, r] = w0[:, -1]
    vector, appeal, both = slice(t, t + k), t + k, slice(t + k + 1, t + 2 * k + 1)
    rhs = np.c_[h0[:, vector] - w0[:, both], h1[:, vector] - w1[:, both], h0[:, -1] - w0[:, appeal]]
    state.users = posterior(
        precision, rhs, np.diag(1 / state.user_prior.spread), state.user_prior.mean
    )


def _update_videos(state: State, evidence: Evidence, weight: Doubles, pull: Doubles) -> None:
    k = state.width
    constant, linear, square = turning(state)
    parts = [
        np.c_[triangle(part[:, :k, :k]), part[:, :k, k], part[:, :k, k + 1], part[:, k, k + 1]]
        for part in (constant, linear, square)
    ]
    t = k * (k + 1) // 2

    def by_video(values: Doubles, part: Doubles) -> Doubles:
        return evidence.by_video.sums(values, part)

    time = evidence.time
    weighted = by_video(weight, parts[0])
    for power in (1, 2):
        weighted += by_video(weight * time**power, parts[power])
    pulled = by_video(pull, parts[0]) + by_video(pull * time, parts[1])
    total = np.bincount(evidence.video, weight, minlength=len(state.videos.mean))
    total_pull = np.bincount(evidence.video, pull, minlength=len(state.videos.mean))
    precision = np.zeros((len(state.videos.mean), k + 1, k + 1))
    precision[:, :k, :k] = unpack(weighted[:, :t], k)
    precision[:, :k, k] = precision[:, k, :k] = weighted[:, t : t + k]
    precision[:, k, k] = total
    rhs = np.c_[pulled[:, t : t + k] - weighted[:, t + k : t + 2 * k], total_pull - weighted[:, -1]]
    state.videos = posterior(
        precision, rhs, np.diag(1 / state.video_prior.spread), state.video_prior.mean
    )


def _update_dense(state: State, design: Design, weight: Doubles, pull: Doubles) -> None:
    dense = design.dense
    rest = pull - weight * (design.tags @ state.tags)
    gram = weighted_gram(dense, weight) + np.eye(dense.shape[1])
    state.dense = np.asarray(np.linalg.solve(gram, transposed_times(dense, rest)), np.float64)


def _update_tags(state: State, design: Design, weight: Doubles, pull: Doubles) -> None:
    tags = design.tags
    rest = pull - weight * times(design.dense, state.dense)
    gram = (tags.T @ sp.diags_array(weight) @ tags).toarray()
    gram += np.eye(tags.shape[1]) / _TAG_DEVIATION**2
    state.tags = np.linalg.solve(gram, tags.T @ rest)


def _update_user_prior(state: State, evidence: Evidence) -> None:
    k = state.width
    prior = learn_prior(state.users, state.user_prior, evidence.user_features, None)
    # Which way taste will turn is anybody's guess.
    prior.mean[:, k : 2 * k] = 0.0
    state.user_prior = prior


def _update_video_prior(state: State, evidence: Evidence) -> None:
    state.video_prior = learn_prior(
        state.videos, state.video_prior, evidence.video_features, evidence.creator
    )


def _watch_line(
    log_watch: Doubles, logit: Doubles, variance: Doubles
) -> tuple[float, float, float]:
    """Regress log watch seconds on a logit that is known with an error."""
    centred = logit - logit.mean()
    slope = float((centred * log_watch).mean() / ((centred**2).mean() + variance.mean()))
    middle = float(log_watch.mean() - slope * logit.mean())
    rest = ((log_watch - middle - slope * logit) ** 2).mean() + slope**2 * variance.mean()
    return middle, max(slope, 0.0), float(max(np.sqrt(rest), _WATCH_FLOOR))


def _log_likelihood(logit: Doubles, positive: Bools) -> Doubles:
    return np.asarray(-np.logaddexp(0.0, np.where(positive, -logit, logit)))
