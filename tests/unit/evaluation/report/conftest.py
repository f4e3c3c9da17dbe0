"""Scorecards as the judge would write them: one of a world, one of a real log."""

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pytest

from shortlist.evaluation.report.page import render_html
from shortlist.evaluation.scorecard import (
    Ablation,
    Breakdown,
    Curve,
    Estimate,
    Fact,
    FrontierPoint,
    Goal,
    Marginal,
    ModelResult,
    PageResult,
    PairedDifference,
    Scorecard,
    Stage,
    Study,
)

# name, family, share of the way from random to the oracle, distinct tags, content distance,
# coverage, popularity share
_MODELS = [
    ("random", "reference", 0.00, 18.4, 0.931, 0.98, 0.010),
    ("popularity", "reference", 0.42, 12.1, 0.874, 0.004, 0.962),
    ("item-knn", "baseline", 0.50, 8.9, 0.801, 0.23, 0.351),
    ("als", "baseline", 0.57, 9.6, 0.822, 0.31, 0.242),
    ("ease", "baseline", 0.60, 9.1, 0.815, 0.12, 0.412),
    ("ease-weighted", "baseline", 0.64, 9.4, 0.818, 0.14, 0.388),
    ("lightgbm", "baseline", 0.67, 8.6, 0.796, 0.19, 0.301),
    ("informed-observer", "observer", 0.86, 7.4, 0.762, 0.34, 0.094),
    ("oracle", "oracle", 1.00, 6.8, 0.744, 0.52, 0.048),
]
_RANDOM_GAIN = 0.312


def around(value: float, half: float, n: int = 2000) -> Estimate:
    """An estimate whose interval is a little wider below than above."""
    return Estimate(value=value, low=value - 1.05 * half, high=value + 0.95 * half, n=n)


def _curve(label: str, slope: float, shift: float, top: float) -> Curve:
    x = np.linspace(0.02, top, 10)
    y = np.clip(slope * x + shift * np.sin(6 * x), 0.002, 0.98)
    half = 0.012 + 0.03 * x
    return Curve(
        label=label,
        x=x.round(4).tolist(),
        y=y.round(4).tolist(),
        low=np.maximum(y - half, 0).round(4).tolist(),
        high=(y + half).round(4).tolist(),
    )


def _model(index: int, *, truth: bool) -> ModelResult:
    name, family, way, tags, distance, coverage, popular = _MODELS[index]
    logged = {
        "ndcg@10": around(0.004 + 0.071 * way, 0.0022),
        "hit_rate@10": around(0.03 + 0.31 * way, 0.011),
        "recall@50": around(0.01 + 0.22 * way, 0.006),
        "mrr": around(0.006 + 0.082 * way, 0.0031),
        "coverage@10": around(coverage, coverage * 0.01),
        "popularity_share@10": around(popular, popular * 0.02),
        "content_distance@10": around(distance, 0.003),
        "distinct_tags@10": around(tags, 0.11),
    }
    predicts = name in ("lightgbm", "informed-observer", "oracle")
    if predicts:
        logged |= {
            "auc_logged": around(0.70 + 0.09 * way, 0.004, 148_211),
            "auc_random": around(0.66 + 0.1 * way, 0.009, 21_060),
            "calibration_error_logged": around(0.012 if way > 0.7 else 0.031, 0.002, 148_211),
            "calibration_error_random": around(0.014 if way > 0.7 else 0.112, 0.004, 21_060),
        }
    against: dict[str, Estimate] = {}
    if truth:
        gain = _RANDOM_GAIN + way * (1 - _RANDOM_GAIN)
        half = 0.0 if family == "oracle" else 0.0061
        against = {
            "expected_gain_ndcg@10": around(gain, half),
            "page_value": around(1.62 + 3.31 * way, 0.048),
            "policy_value": around(0.18 + 0.29 * way, 0.004),
        }
    off_policy: dict[str, Estimate | str] = {}
    if truth and family in ("baseline", "reference"):
        worth = 0.18 + 0.29 * way
        if name in ("item-knn", "ease"):
            refusal = (
                "no verdict: the effective sample is 0.4 % of 21,060 rows, below 1 %; log more "
                "random traffic or compare a policy nearer to the logging one"
            )
            off_policy = {"IPS": refusal, "SNIPS": refusal, "DR": refusal}
        else:
            off_policy = {
                "IPS": around(worth + 0.021, 0.044, 21_060),
                "SNIPS": around(worth - 0.012, 0.031, 21_060),
                "DR": around(worth + (0.028 if name == "als" else 0.004), 0.018, 21_060),
            }
    details = {"features": "none"}
    if name == "lightgbm":
        details = {
            "features": "scores and ranks of the five recallers, video age, duration, tag match",
            "tuning": "20 trials on the last 3 days of the history; num_leaves 63, learning 0.05",
            "candidates": "the union of the best 100 of each recaller, 312 on average",
        }
    return ModelResult(
        name=name,
        family=family,
        description=f"What {name} does, in one sentence that a product person can follow.",
        logged=logged,
        truth=against,
        off_policy=off_policy,
        calibration=[
            _curve("logged traffic", 0.97, 0.01, 0.85),
            _curve("random traffic", 0.97 if way > 0.7 else 0.62, 0.01, 0.6),
        ]
        if predicts
        else [],
        fit_seconds=0.02 + 38 * way**2,
        score_seconds=0.4 + 3 * way,
        peak_memory_mb=310 + 900 * way,
        details=details,
    )


def _differences(models: list[ModelResult], metric: str, group: str) -> list[PairedDifference]:
    by_name = {model.name: getattr(model, group)[metric].value for model in models}
    pairs = [
        ("informed-observer", "lightgbm"),
        ("lightgbm", "ease-weighted"),
        ("lightgbm", "popularity"),
        ("ease-weighted", "ease"),
        ("ease-weighted", "als"),
        ("als", "item-knn"),
        ("item-knn", "popularity"),
        ("popularity", "random"),
    ]
    scale = max(by_name.values())
    return [
        PairedDifference(
            metric=metric,
            first=first,
            second=second,
            difference=around(
                by_name[first] - by_name[second],
                scale * (0.031 if (first, second) == ("lightgbm", "ease-weighted") else 0.009),
            ),
        )
        for first, second in pairs
    ]


def _density(label: str, x: np.ndarray, mean: float, spread: float) -> Curve:
    y = np.exp(-(((x - mean) / spread) ** 2) / 2)
    return Curve(label=label, x=x.tolist(), y=(y / y.sum()).round(6).tolist())


def _marginals() -> list[Marginal]:
    seconds = np.linspace(-1, 2.7, 40)
    rows = []
    for quantity, unit, mean, other in (
        ("watch time of a view", "seconds", 0.72, 0.80),
        ("impressions per user", "impressions", 1.3, 1.1),
        ("impressions per video", "impressions", 0.6, 0.9),
    ):
        curves = [
            _density("this world", seconds, mean, 0.45),
            _density("KuaiRand", seconds, other, 0.52),
        ]
        curves = [c.model_copy(update={"x": (10**seconds).round(4).tolist()}) for c in curves]
        rows.append(Marginal(quantity=quantity, unit=unit, log_scale=True, curves=curves))
    hours = np.arange(24.0)
    rates = np.linspace(0, 1, 30)
    rows.append(
        Marginal(
            quantity="hour of day",
            unit="hour",
            curves=[
                _density("this world", hours, 19, 5),
                _density("KuaiRand", hours, 17, 6),
            ],
        )
    )
    rows.append(
        Marginal(
            quantity="click rate of a user",
            unit="clicks per impression",
            curves=[
                _density("this world", rates, 0.44, 0.14),
                _density("KuaiRand", rates, 0.41, 0.2),
            ],
        )
    )
    return rows


def _facts() -> list[Fact]:
    rows: list[tuple[str, float, str, float | None, bool | None]] = [
        ("click rate, logged", 0.4412, "0.43 to 0.45", 0.41, True),
        ("long-view rate, logged", 0.3082, "0.30 to 0.32", 0.29, True),
        ("click rate, random exposure", 0.1811, "0.17 to 0.19", None, True),
        ("median watch time, seconds", 5.12, "4 to 6", 4.87, True),
        ("popularity Gini", 0.792, "0.73 to 0.77", 0.81, False),
        ("oracle AUC", 0.7893, "0.78 to 0.80", None, True),
        ("days with traffic", 28, "any", 30, None),
    ]
    return [
        Fact(name=name, value=value, expected=expected, real_log=real, holds=holds)
        for name, value, expected, real, holds in rows
    ]


def make_world_card() -> Scorecard:
    """The judgement of all baselines on a world whose truth is known."""
    models = [_model(index, truth=True) for index in range(len(_MODELS))]
    return Scorecard(
        title="Baselines on the demo world",
        made_at=dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC),
        dataset="world demo, seed 20260101",
        dataset_digest="9f2b7c61d0e4a85533f1bb90e0cf7d2e6a4c1d3b58e27f90c6a1e4d2b7f80913",
        protocol=[
            "A world of 3,000 users and 10,000 videos was generated; its probabilities are known.",
            "Models saw the first 24 days; the last 4 days were held out and scored once.",
            "Every model orders the full catalogue for every user; videos seen before are left "
            "out, and no negatives are sampled.",
            "Against the truth, each of 2,000 fixed users is judged at one fixed context and at "
            "the start of a session.",
            "Intervals are 95 % bootstrap intervals over users, 1,000 resamples.",
        ],
        users=3000,
        videos=10_000,
        impressions=312_480,
        target="click",
        models=models,
        differences=_differences(models, "expected_gain_ndcg@10", "truth")
        + _differences(models, "ndcg@10", "logged"),
        facts=_facts(),
        marginals=_marginals(),
        stages=[
            Stage(name="make the world", seconds=21.3, peak_memory_mb=612),
            Stage(name="encode the videos", seconds=8.8, peak_memory_mb=944, reused=True),
            Stage(name="fit and score the baselines", seconds=212.9, peak_memory_mb=1871),
            Stage(name="judge", seconds=64.2, peak_memory_mb=1240),
        ],
        settings={
            "world.users": "3000",
            "world.videos": "10000",
            "world.fatigue": "0.35",
            "evaluation.k": "10",
            "evaluation.bootstrap": "1000",
            "encoders.kind": "hashing",
            "paths.work": "work",
        },
    )


def make_log_card() -> Scorecard:
    """The judgement of the baselines on a real log: no truth, no marginals, no random traffic."""
    models = [_model(index, truth=False) for index in range(7)]
    models = [model.model_copy(update={"calibration": model.calibration[:1]}) for model in models]
    lightgbm = models[-1]
    models[-1] = lightgbm.model_copy(
        update={
            "logged": {
                name: figure for name, figure in lightgbm.logged.items() if "random" not in name
            }
            | {"content_distance@10": Estimate(value=math.nan, low=math.nan, high=math.nan, n=0)}
        }
    )
    return make_world_card().model_copy(
        update={
            "title": "Baselines on KuaiRand",
            "dataset": "KuaiRand, history to 24 April, judged on 25 to 30 April",
            "target": "long_view",
            "models": models,
            "differences": _differences(models, "ndcg@10", "logged")[1:] if len(models) > 7 else [],
            "facts": [],
            "marginals": [],
        }
    )


def _page(value: float, static: float, tags: float, distance: float) -> dict[str, Estimate]:
    return {
        "page_value@10": around(value, 0.05, 1000),
        "static_value@10": around(static, 0.05, 1000),
        "distinct_tags@10": around(tags, 0.1, 1000),
        "content_distance@10": around(distance, 0.002, 1000),
        "coverage@10": Estimate(value=0.3, low=0.3, high=0.3, n=1000),
    }


def make_study() -> Study:
    """A study of a model that passes all but one of its goals."""
    missing = Estimate(value=math.nan, low=math.nan, high=math.nan, n=0)
    return Study(
        model="shortlist",
        goals=[
            Goal(
                key="ahead",
                name="Lead in the expected_gain_ndcg@10 over lightgbm, the hardest to beat of 7",
                against="lightgbm",
                measured=around(0.061, 0.004, 1000),
                demanded="interval above 0",
                holds=True,
            ),
            Goal(
                key="lift",
                name="Share of the observer's lift over random lists",
                measured=around(0.93, 0.01, 1000),
                demanded="at least 90\N{NO-BREAK SPACE}%",
                holds=True,
            ),
            Goal(key="recall", name="Share of recall", measured=around(0.95, 0.01), holds=True),
            Goal(key="auc_logged", name="AUC below", measured=around(0.004, 0.002), holds=True),
            Goal(key="auc_random", name="AUC below", measured=around(-0.001, 0.002), holds=True),
            Goal(
                key="tags",
                name="Gain in distinct tags",
                measured=around(0.43, 0.02, 1000),
                demanded="at least 40\N{NO-BREAK SPACE}%",
                holds=True,
            ),
            Goal(
                key="value_loss",
                name="Loss of page value",
                measured=around(0.014, 0.002, 1000),
                demanded="at most 1\N{NO-BREAK SPACE}%",
                holds=False,
            ),
            Goal(key="distance", name="Gain in distance", measured=around(0.12, 0.01), holds=True),
        ],
        pages=[
            PageResult(name="shortlist, page", kind="page", figures=_page(4.34, 4.5, 12.6, 0.93)),
            PageResult(
                name="shortlist, without a slate", kind="plain", figures=_page(4.4, 4.7, 8.8, 0.83)
            ),
            PageResult(name="random", kind="other", figures=_page(1.6, 1.7, 18.4, 0.93)),
        ],
        changes={"page_value@10": around(-0.014, 0.002), "distinct_tags@10": around(0.43, 0.02)},
        frontier=[
            FrontierPoint(
                method=method,
                trade_off=at,
                default=(method, at) == ("dpp", 0.5),
                figures=_page(4.4 - 0.24 * at**2, 4.7 - 0.8 * at, 8.8 + 7.6 * at, 0.83 + 0.2 * at),
            )
            for method, grid in (("dpp", (0.1, 0.5, 0.9)), ("mmr", (0.05, 0.2)))
            for at in grid
        ],
        ablations=[
            Ablation(
                part=part,
                differences={
                    "expected_gain_ndcg@10": around(change, 0.004, 300),
                    "page:distinct_tags@10": around(change * 10, 0.2, 300),
                },
            )
            for part, change in (("history", -0.21), ("context", -0.002), ("listwise stage", -0.02))
        ],
        breakdowns=[
            Breakdown(
                by="events in the user's history",
                metric="expected_gain_ndcg@10",
                groups=["0 to 9", "10 to 900"],
                models={
                    "shortlist": [around(0.61, 0.02, 500), around(0.74, 0.01, 500)],
                    "lightgbm": [around(0.5, 0.02, 500), around(0.71, 0.01, 500)],
                },
            ),
            Breakdown(
                by="days since the video's upload",
                metric="place_share@10",
                groups=["no event yet", "0 to 2"],
                models={"shortlist": [missing, around(0.4, 0.01)]},
            ),
        ],
        training=[
            Curve(label="train/outcome", x=[1, 2, 3], y=[0.7, 0.6, 0.55]),
            Curve(label="validation/outcome", x=[1, 2, 3], y=[0.69, 0.62, 0.64]),
            Curve(label="train/lists", x=[1, 2, 3], y=[0.4, 0.3, 0.2]),
        ],
        best_epoch=2,
        facts=[Fact(name="AUC lost to half precision", value=0.00012, expected="below 0.001")],
    )


def make_model_card() -> Scorecard:
    """The judgement of a model of this system beside the baselines of the demo world."""
    card = make_world_card()
    like = card.models[-2]
    own = like.model_copy(update={"name": "shortlist", "family": "model"})
    pairs = [
        PairedDifference(
            metric="expected_gain_ndcg@10",
            first="shortlist",
            second=second,
            difference=around(size, 0.004),
        )
        for second, size in (("oracle", -0.1), ("informed-observer", -0.002), ("lightgbm", 0.061))
    ]
    return card.model_copy(
        update={
            "models": [*card.models, own],
            "differences": [*pairs, *card.differences],
            "study": make_study(),
        }
    )


@pytest.fixture(scope="session")
def model_card() -> Scorecard:
    return make_model_card()


@pytest.fixture(scope="session")
def model_page(model_card: Scorecard) -> str:
    return render_html(model_card)


@pytest.fixture(scope="session")
def world_card() -> Scorecard:
    return make_world_card()


@pytest.fixture(scope="session")
def log_card() -> Scorecard:
    return make_log_card()


@pytest.fixture(scope="session")
def world_page(world_card: Scorecard) -> str:
    return render_html(world_card)


@pytest.fixture(scope="session")
def log_page(log_card: Scorecard) -> str:
    return render_html(log_card)


@pytest.fixture(scope="session")
def small_card() -> Callable[..., Scorecard]:
    """Makes a scorecard from figures: ``{metric: {model: figure}}``, truth apart."""
    return make_small_card


def make_small_card(
    logged: dict[str, dict[str, float]] | None = None,
    truth: dict[str, dict[str, float]] | None = None,
    differences: list[tuple[str, str, str, float, float, float]] | None = None,
    **parts: object,
) -> Scorecard:
    """A scorecard whose intervals are the figure plus and minus 0.01."""
    logged, truth = logged or {}, truth or {}
    names = dict.fromkeys(
        name for figures in (*logged.values(), *truth.values()) for name in figures
    )
    families = {"random": "reference", "observer": "observer", "oracle": "oracle"}
    models = [
        ModelResult(
            name=name,
            family=families.get(name, "baseline"),
            description="",
            logged={m: _plain(f[name]) for m, f in logged.items() if name in f},
            truth={m: _plain(f[name]) for m, f in truth.items() if name in f},
            fit_seconds=1.0,
            score_seconds=1.0,
            peak_memory_mb=1.0,
        )
        for name in names
    ]
    pairs = [
        PairedDifference(
            metric=metric,
            first=first,
            second=second,
            difference=Estimate(value=value, low=low, high=high, n=100),
        )
        for metric, first, second, value, low, high in differences or []
    ]
    blank = {
        "title": "",
        "made_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        "dataset": "",
        "dataset_digest": "",
        "protocol": [],
        "users": 1,
        "videos": 1,
        "impressions": 1,
        "target": "click",
        "models": models,
        "differences": pairs,
    }
    return Scorecard.model_validate(blank | parts)


def _plain(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.01, high=value + 0.01, n=100)
