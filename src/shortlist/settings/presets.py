"""What `tiny` (tests, two minutes) and `demo` (ten) change in `full`, the defaults; what logs do.

Each is one dictionary from dotted names to values, differences only. Names and values go through
the same checks as those of every other source.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Preset = Literal["tiny", "demo", "full"]

_TINY: dict[str, object] = {
    "world.name": "world-tiny",
    "world.users": 300,
    "world.videos": 600,
    "world.creators": 90,
    "world.days": 14,
    "world.impressions": 24_000,
    "baselines.rerank_users": 150,
    "baselines.rerank_trials": 3,
    "baselines.rerank_trees": 40,
    "baselines.observer_sweeps": 6,
    "ranker.dropout": 0.4,
    "ranker.epochs": 8,
    "ranker.batch_windows": 4,
    "ranker.averaging": 0.98,
    "ranker.threads": 1,
    "recall.candidates": 200,
    # More is out of reach of a recommender that has learned as little as from so small a world.
    "slate.more_tags": 0.15,
    "slate.tuning_users": 100,
    "evaluation.users": 100,
    "evaluation.ablation_users": 50,
    "evaluation.bootstrap": 200,
}

_DEMO: dict[str, object] = {
    "world.name": "world-demo",
    "world.users": 3_000,
    "world.videos": 10_000,
    "world.creators": 1_200,
    "world.impressions": 375_000,
    "baselines.rerank_users": 1_500,
    "baselines.rerank_trees": 150,
    "baselines.rerank_trials": 12,
    "ranker.dropout": 0.4,
    "slate.tuning_users": 1_000,
    "evaluation.users": 1_000,
    "evaluation.ablation_users": 200,
}

PRESETS: Final[Mapping[Preset, Mapping[str, object]]] = MappingProxyType(
    {
        "tiny": MappingProxyType(_TINY),
        "demo": MappingProxyType(_DEMO),
        "full": MappingProxyType({}),
    }
)

_KUAIRAND: dict[str, object] = {
    # Its only judge is what was watched next: of novelty it knows nothing but what it costs.
    "slate.trade_off": 0.0,
    # As many as a page has videos: no limit.
    "slate.tag_limit": 10,
    # A pass is 1,600 steps, and what it learns is little beside the closed form of the start.
    "ranker.epochs": 1,
}

LOGS: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {"world": MappingProxyType({}), "kuairand": MappingProxyType(_KUAIRAND)}
)
"""What each kind of `datasets.source` changes in whatever preset it is run with."""
