"""The names of the baselines, and how each is built from the settings.

Libraries that take long to load are imported when a model is built, not when its name is read.
The oracle is not here: it knows the truth, and nothing that learns may import it.
"""

# ruff: noqa: PLC0415

from collections.abc import Callable, Mapping
from typing import Final

from shortlist.baselines.protocol import Recommender
from shortlist.errors import NotFoundError
from shortlist.settings.baselines import BaselinesSettings
from shortlist.spelling import nearest


def _random(_: BaselinesSettings) -> Recommender:
    from shortlist.baselines.random import Random

    return Random()


def _popularity(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.popularity import Popularity

    return Popularity(settings.popularity_half_life_days)


def _popularity_rate(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.popularity import PopularityRate

    return PopularityRate(settings.popularity_half_life_days, settings.rate_prior_impressions)


def _item_knn(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.item_knn import ItemKNN

    return ItemKNN(settings.knn_neighbours, settings.knn_shrinkage)


def _als(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.als import ALS

    return ALS(
        settings.als_factors, settings.als_iterations, settings.als_l2, settings.als_confidence
    )


def _ease(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.ease import EASE

    return EASE(settings.ease_videos, settings.ease_l2)


def _weighted_ease(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.weighted_ease import WeightedEASE

    return WeightedEASE(
        settings.ease_videos,
        settings.weighted_ease_l2,
        settings.weighted_ease_half_life_events,
        settings.weighted_ease_trend_events,
        settings.weighted_ease_rate_power,
        settings.rate_prior_impressions,
    )


def _content(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.content import Content

    return Content(settings.content_half_life_events, settings.content_aversion)


def _lightgbm(settings: BaselinesSettings) -> Recommender:
    from shortlist.baselines.lightgbm_rerank import LightGBMRerank

    return LightGBMRerank(
        [CONSTRUCTORS[name](settings) for name in RERANKED],
        top=settings.rerank_top,
        users=settings.rerank_users,
        trials=settings.rerank_trials,
        trees=settings.rerank_trees,
        tail_days=settings.rerank_tail_days,
        tail_events=settings.rerank_tail_events,
        threads=settings.rerank_threads,
    )


RERANKED: Final = (
    "popularity",
    "popularity-rate",
    "content",
    "item-knn",
    "als",
    "ease",
    "weighted-ease",
)
"""Sources of the candidates that LightGBM re-ranks."""

CONSTRUCTORS: Final[Mapping[str, Callable[[BaselinesSettings], Recommender]]] = {
    "random": _random,
    "popularity": _popularity,
    "popularity-rate": _popularity_rate,
    "content": _content,
    "item-knn": _item_knn,
    "als": _als,
    "ease": _ease,
    "weighted-ease": _weighted_ease,
    "lightgbm": _lightgbm,
}
"""Constructors by name, from the simplest to the strongest: the order of a report."""


def build(name: str, settings: BaselinesSettings) -> Recommender:
    """An unfitted baseline.

    Raises:
        NotFoundError: there is no baseline of that name; the message gives the nearest.
    """
    if name not in CONSTRUCTORS:
        raise NotFoundError(f"no baseline is called {name!r}{nearest(name, CONSTRUCTORS)}")
    return CONSTRUCTORS[name](settings)
