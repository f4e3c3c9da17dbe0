"""Figures that describe a log of any source, so that a world can be laid beside a real one."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.interactions import Interactions
from shortlist.evaluation.metrics.beyond_accuracy import gini

Bools = npt.NDArray[np.bool_]

RATES: Final = ("click", "long_view", "like", "skip")
TRAFFIC: Final = ("policy traffic", "random traffic")
QUARTERS: Final = ("shortest", "second", "third", "longest")
_NAMES: Final = {"click": "click rate", "long_view": "long-view rate"}


def rate_name(outcome: str, traffic: str) -> str:
    """The name of a rate among the facts.

    >>> rate_name("long_view", "random traffic")
    'long-view rate, random traffic'
    """
    return f"{_NAMES.get(outcome, f'{outcome} rate')}, {traffic}"


def median_name(quarter: str) -> str:
    """The name of a median among the facts.

    >>> median_name("longest")
    'median watch seconds, longest quarter of videos'
    """
    return f"median watch seconds, {quarter} quarter of videos"


def log_facts(log: Interactions, catalogue: Catalogue) -> dict[str, float]:
    """What a log says of itself.

    Rates and medians are means and medians over the rows that know the outcome; quarters of videos
    are cut at the quartiles of the lengths shown. Policy traffic is all that is not marked as
    random.

    Args:
        log: rows of any source; outcomes may be unknown.
        catalogue: the videos that its rows point to.

    Returns:
        Figures by name, in reading order; NaN where the log cannot know one.
    """
    random = log.random_exposure
    traffic = dict(zip(TRAFFIC, (~random, random), strict=True))
    facts = {
        rate_name(outcome, name): _mean(getattr(log, outcome)[rows])
        for outcome in RATES
        for name, rows in traffic.items()
    }
    watched = log.watch_seconds
    facts["median watch seconds, policy traffic"] = _median(watched[~random])
    length = catalogue.duration_seconds[log.video]
    known = np.isfinite(watched) & np.isfinite(length)
    borders = np.quantile(length[known], [0.25, 0.5, 0.75]) if known.any() else np.zeros(3)
    quarter = np.searchsorted(borders, length)
    for place, name in enumerate(QUARTERS):
        facts[median_name(name)] = _median(watched[known & (quarter == place)])
    shown = np.bincount(log.video, minlength=len(catalogue))
    seen = np.bincount(log.user)
    active = seen[seen > 0]
    facts["popularity Gini over the catalogue"] = gini(shown) if len(log) else math.nan
    facts["share of the catalogue ever shown"] = _mean(shown > 0)
    facts["share of random traffic"] = _mean(random) if random.any() else math.nan
    for share in (10, 50, 90):
        name = f"impressions of an active user, {share} % have at most"
        facts[name] = float(np.quantile(active, share / 100)) if len(active) else math.nan
    return facts


def _mean(values: npt.NDArray[np.float32] | Bools) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else math.nan


def _median(values: npt.NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
