"""Where rows of the item table start when the next video is learned: a closed form of co-watching.

Steps of a gradient find slowly, and never quite, what videos are watched by the same people; linear
algebra finds it at once. With ``P = (X'X + l I)^-1`` of the recency-weighted watches ``X``, EASE
(Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019) scores video ``j`` by the
sum over a history of ``-P_ij / P_jj``. The partial correlations ``-P_ij / sqrt(P_ii P_jj)`` are a
symmetric matrix; its largest eigenvectors are the embeddings, and what the two square roots say
goes into the worth of an event and into the bias of a candidate. The bias also has the video's rate
of the target and its trend: the share of late ones among its watches.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse.linalg as spl

from shortlist.datasets.gram import inverse_gram
from shortlist.datasets.interactions import Floats, TrainingView, events_since
from shortlist.datasets.signals import (
    decay,
    most_popular,
    smoothed_rate,
    user_video,
    video_sums,
    watch_trend,
    watches,
)
from shortlist.ranker.memory import FADING

VIDEOS: Final = 8_000
"""Videos most watched lately that are solved for; memory grows by its square, time by its cube."""
_RIDGE: Final = 100.0
_TREND: Final = 3.0
"""Events of the same user after which a watch counts half for the trend."""
_DOUBT: Final = 10.0
"""Impressions by which rates and trends are shrunk to their means."""


@dataclass(frozen=True)
class CoWatch:
    """A start for rows, and how events and candidates meet in them.

    The affinity of a history and a candidate is ``scale`` times the sum over events of ``worth`` of
    the event and the inner product of both rows.

    Attributes:
        rows: deviation 1, the bias at the end with mean 0 over what is known, float32 [n, w + 1].
        worth: log worth of an event, linear in its row and, last, a constant, float32 [w + 2].
        scale: of the affinity; its deviation over users and videos is 1 then.
        mean: what the mean user's history adds up to, float32 [w].
    """

    rows: Floats
    worth: Floats
    scale: float
    mean: Floats

    def onto(self, other: "CoWatch") -> Floats:
        """These rows turned to lie as near as they can to another start's, float32 [n, w + 1].

        Eigenvectors are found up to a rotation, which no affinity knows, but whoever learned on the
        other's does (Schoenemann, "A generalized solution of the orthogonal Procrustes problem",
        Psychometrika 1966).
        """
        mine, there = self.rows[:, :-1], other.rows[:, :-1]
        left, _, right = np.linalg.svd(mine.T @ there)
        return np.concatenate([mine @ (left @ right), self.rows[:, -1:]], axis=1)


def co_watch(view: TrainingView, width: int) -> CoWatch:
    """Solve for the start.

    Args:
        view: the log.
        width: of the embeddings.
    """
    at = watches(view)
    weights = decay(events_since(view.log.user[at]), FADING)
    columns = most_popular(video_sums(view, at, weights), VIDEOS)
    history = user_video(view, at, weights)[:, columns]
    inverse = inverse_gram(history, _RIDGE)
    deviation = np.sqrt(np.diagonal(inverse)).astype(np.float64)
    correlation = -inverse / deviation / deviation[:, None]
    np.fill_diagonal(correlation, 0.0)
    embeddings = _embeddings(correlation, width)
    spread = max(float(embeddings.std()), 1e-12)
    rows = np.zeros((len(view.catalogue), width + 1), np.float32)
    rows[columns, :width] = embeddings / spread
    rate, trend = smoothed_rate(view, math.inf, _DOUBT), watch_trend(view, _TREND, _DOUBT)
    bias = 0.5 * np.log(rate) + np.log(trend)
    # Who was hardly watched is as sure of itself as the least sure of those that are known.
    bias[columns] -= np.log(deviation)
    others = np.setdiff1d(np.arange(len(bias)), columns)
    bias[others] -= np.log(deviation.max(initial=1.0 / math.sqrt(_RIDGE)))
    rows[:, -1] = bias - bias[columns].mean() if len(columns) else 0.0
    worth = _least_squares(rows[columns], np.log(deviation))
    told = history.multiply(np.exp(_linear(rows[columns], worth))[None]).tocsr()
    users = np.linspace(0, len(view.users) - 1, min(len(view.users), 500)).astype(np.int64)
    inner = (told[users] @ rows[columns, :width]) @ rows[columns, :width].T
    spread = float(inner.std()) if inner.any() else 1.0
    watched = max(int((np.diff(told.indptr) > 0).sum()), 1)
    mean: Floats = (told.sum(axis=0) / watched) @ rows[columns, :width]
    return CoWatch(rows, worth, 1.0 / max(spread, 1e-12), mean.astype(np.float32))


def _embeddings(correlation: npt.NDArray[np.floating], width: int) -> npt.NDArray[np.float64]:
    """Eigenvectors of the largest eigenvalues above 0, by their roots, [n, width]; 0 beyond."""
    number = len(correlation)
    found = np.zeros((number, width))
    if number == 0:
        return found
    if number <= 4 * width:
        values, vectors = np.linalg.eigh(correlation.astype(np.float64))
    else:
        start = np.ones(number, correlation.dtype)
        values, vectors = spl.eigsh(correlation, k=width, which="LA", v0=start)
    largest = np.argsort(-values, kind="stable")[:width]
    # A sign is chosen for every vector, so that the same log gives the same bytes.
    vectors = vectors[:, largest]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(largest))])
    found[:, : len(largest)] = vectors * signs * np.sqrt(values[largest].clip(0))
    return found


def _least_squares(rows: Floats, values: npt.NDArray[np.float64]) -> Floats:
    """Weights of each coordinate, and a constant, by which rows tell values, float32 [w + 2]."""
    told = np.concatenate([rows, np.ones((len(rows), 1))], axis=1).astype(np.float64)
    gram = told.T @ told + 1e-2 * np.eye(told.shape[1])
    return np.linalg.solve(gram, told.T @ values).astype(np.float32)


def _linear(rows: Floats, weights: Floats) -> Floats:
    return np.asarray(rows @ weights[:-1] + weights[-1], np.float32)
