"""LightGBM, re-ranking the union of what the other recommenders would show."""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from scipy.special import expit

from shortlist.baselines import lessons
from shortlist.baselines.boosting import (
    Loss,
    Searched,
    Tuned,
    log_loss,
    ndcg_loss,
    raw_scores,
    tune,
)
from shortlist.baselines.examples import HELD_OUT, Examples
from shortlist.baselines.histories import rank_below
from shortlist.baselines.protocol import Recommender
from shortlist.baselines.rerank_features import RerankFeatures, in_context
from shortlist.baselines.tail import hold_out_tail
from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.datasets.signals import positives, smoothed_rate, video_sums
from shortlist.progress import track

_NEGATIVES: Final = 30  # candidates a user did not go on to like that are kept for learning
_K: Final = 10  # length of the list whose NDCG trials are judged by


class LightGBMRerank:
    """Gradient-boosted trees (Ke et al., NeurIPS 2017) over the sources' best candidates.

    The sources are fitted twice: to the history without its tail, where the trees learn from how
    the sources see what came in the tail, and then to the whole history, where the same trees
    re-rank the union of each source's ``top`` best. No tree ever sees a score that knew its label.

    What the tail teaches depends on the log. Where a part of the traffic is random, trees learn
    the outcomes of impressions in their context, so that exposure is not mistaken for liking.
    Where none is, other trees learn which new candidates a user goes on to like. The trees of
    impressions predict rows in both cases. Videos outside the union follow by popularity.
    """

    name = "lightgbm"

    def __init__(
        self,
        sources: Sequence[Recommender],
        *,
        top: int,
        users: int,
        trials: int,
        trees: int,
        tail_days: int,
        tail_events: int,
        threads: int,
    ) -> None:
        self.sources = sources
        self.top = top
        self.users = users
        self.trials = trials
        self.trees = trees
        self.tail_days = tail_days
        self.tail_events = tail_events
        self.threads = threads
        self.details: dict[str, str] = {}
        """How the last fit went, by title, for a report."""

    def fit(self, view: TrainingView) -> Self:
        """Learn from the tail, then fit the sources to all of ``view``."""
        early, late = hold_out_tail(view, self.tail_days, self.tail_events)
        features = self._features(early, "fitting sources without the tail")
        rows = lessons.impressions(features, early, late, self.users)
        weights: Searched = {"objective": ["binary"], "uniform_weight": [1.0, 3.0, 10.0]}
        self._outcome = self._tune(rows, log_loss, weights, features.shown, None, view.seed)
        self._in_context = bool(rows.uniform.any())
        self._ranking = self._outcome
        if not self._in_context:
            lists, relevant = lessons.new_positives(features, early, late, self.users, _NEGATIVES)
            objectives: Searched = {"objective": ["binary", "lambdarank"]}
            loss = ndcg_loss(relevant, _K)
            self._ranking = self._tune(
                lists, loss, objectives, features.plain, _NEGATIVES, view.seed
            )
        self._features_now = self._features(view, "fitting sources")
        self._context = view.context
        self._popularity = video_sums(view, positives(view))
        self._rates = smoothed_rate(view, np.inf, 1.0).astype(np.float32)
        self.details = self._told(features, len(late))
        return self

    def score(self, users: Ints) -> Floats:
        """Raw scores of each user's candidates above popularity, float32 [m, n_videos]."""
        scores = np.zeros((len(users), len(self._popularity)), np.float32)
        judged = np.zeros(scores.shape, np.bool_)
        if self._ranking is not None:
            for block in self._features_now.of_candidates(users):
                features = block.features
                if self._in_context:
                    here = np.tile(in_context(self._context[None, :]), (len(features), 1))
                    features = np.concatenate([features, here], axis=1)
                found = raw_scores(self._ranking.booster, features, self.threads)
                scores[block.owner, block.video] = found
                judged[block.owner, block.video] = True
        return rank_below(scores, judged, self._popularity)

    def predict(self, rows: Interactions) -> Floats:
        """Probability of the target for each row, float32 [n].

        Where the tail held nothing to learn, the smoothed rate of the row's video.
        """
        if self._outcome is None:
            return self._rates[rows.video]
        features = self._features_now.of_impressions(rows.user, rows.video, rows.context)
        logits = raw_scores(self._outcome.booster, features, self.threads)
        return np.asarray(expit(logits), np.float32)

    def _features(self, view: TrainingView, description: str) -> RerankFeatures:
        for source in track(self.sources, description):
            source.fit(view)
        return RerankFeatures(self.sources, view, self.top)

    def _tune(
        self,
        examples: Examples,
        loss: Loss,
        searched: Searched,
        names: Sequence[str],
        negatives: int | None,
        seed: int,
    ) -> Tuned | None:
        if not examples.teachable:
            return None
        return tune(
            examples,
            loss,
            searched,
            names,
            negatives=negatives,
            trials=self.trials,
            trees=self.trees,
            threads=self.threads,
            seed=seed,
        )

    def _told(self, features: RerankFeatures, late: int) -> dict[str, str]:
        learned = (
            "outcomes of impressions"
            if self._in_context
            else f"new positives in lists, {_NEGATIVES} other candidates beside them,"
        )
        names = features.shown if self._in_context else features.plain
        return {
            "candidates": f"union of the {self.top} best of each of "
            + ", ".join(source.name for source in self.sources),
            "features": f"{len(names)}: {', '.join(names)}",
            "learned from": f"{learned} of at most {self.users} users in a tail of {late} rows "
            "that the sources had not seen",
            "budget": f"{self.trials} trials, each at three numbers of trees, judged on "
            f"{HELD_OUT:.0%} of the users",
            "order": _describe(self._ranking),
            "predictions": _describe(self._outcome),
        }


def _describe(tuned: Tuned | None) -> str:
    if tuned is None:
        return "the tail held nothing to learn"
    chosen = ", ".join(f"{name} {value}" for name, value in sorted(tuned.chosen.items()))
    return f"{chosen}; held-out loss {tuned.loss:.4f}; {tuned.rows} rows"
