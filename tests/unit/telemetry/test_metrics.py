"""What is counted, under which names, and that counting is cheap to ask for."""

import itertools
import re
from enum import Enum

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from shortlist.recall.source import SOURCES
from shortlist.telemetry.metrics import (
    OUTCOMES,
    PARTS,
    REQUEST_BUCKETS,
    STAGE_BUCKETS,
    TASKS,
    ServingMetrics,
)
from shortlist.wire.causes import Cause, Ignored


class State(Enum):
    CLOSED = 0
    OPEN = 2


@pytest.fixture
def metrics() -> ServingMetrics:
    return ServingMetrics(CollectorRegistry())


def value(metrics: ServingMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"shortlist_{name}", labels)


def test_a_page_is_counted_and_timed_by_stage(metrics: ServingMetrics) -> None:
    metrics.page({"recall": 2.0, "rank": 7.0}, 30.0, cached=False, degraded=True)
    metrics.page({"recall": 4.0}, 60.0, cached=False, degraded=False)
    assert value(metrics, "pages_total", path="full", degraded="true") == 1
    assert value(metrics, "pages_total", path="full", degraded="false") == 1
    assert value(metrics, "pages_total", path="cached", degraded="false") == 0
    assert value(metrics, "page_seconds_sum", path="full") == pytest.approx(0.09)
    assert value(metrics, "page_seconds_bucket", path="full", le="0.05") == 1
    assert value(metrics, "page_seconds_bucket", path="full", le="0.075") == 2
    assert value(metrics, "stage_seconds_sum", stage="recall") == pytest.approx(0.006)
    assert value(metrics, "stage_seconds_count", stage="rank") == 1


def test_a_request_is_counted_by_route_and_status(metrics: ServingMetrics) -> None:
    for status in (200, 200, 400):
        metrics.request("/v1/events", status, 0.004)
    assert value(metrics, "requests_total", route="/v1/events", status="200") == 2
    assert value(metrics, "requests_total", route="/v1/events", status="400") == 1
    assert value(metrics, "request_seconds_count", route="/v1/events") == 3


def test_everything_else_is_counted_once(metrics: ServingMetrics) -> None:
    metrics.error("malformed")
    metrics.rate_limited()
    metrics.cause(Cause.STORE_DOWN)
    metrics.ignored(Ignored.UNKNOWN_VIDEO, 3)
    metrics.ignored(Ignored.DUPLICATE_VIDEO, 0)
    metrics.cache("slate", hit=True)
    metrics.cache("slate", hit=False)
    metrics.candidates("tags", 250)
    metrics.vector("kept")
    metrics.event("accepted", "like")
    metrics.event("duplicate")
    metrics.retried()
    metrics.lost(4)
    metrics.takedown(down=True)
    metrics.blocked(7)
    metrics.turn_failed("encoder")
    metrics.breaker("store", State.OPEN)
    metrics.publication("switched", 3.0)
    assert value(metrics, "errors_total", kind="malformed") == 1
    assert value(metrics, "rate_limited_total") == 1
    assert value(metrics, "fallbacks_total", cause="store_down") == 1
    assert value(metrics, "ignored_total", what="unknown_video") == 3
    assert value(metrics, "ignored_total", what="duplicate_video") == 0
    assert value(metrics, "cache_lookups_total", cache="slate", result="hit") == 1
    assert value(metrics, "cache_lookups_total", cache="slate", result="miss") == 1
    assert value(metrics, "candidates_total", source="tags") == 250
    assert value(metrics, "user_vectors_total", how="kept") == 1
    assert value(metrics, "events_total", kind="like", status="accepted") == 1
    assert value(metrics, "events_total", kind="unstated", status="duplicate") == 1
    assert value(metrics, "predictor_retries_total") == 1
    assert value(metrics, "log_lost_total") == 4
    assert value(metrics, "task_failures_total", task="encoder") == 1
    assert value(metrics, "takedowns_total", what="taken_down") == 1
    assert value(metrics, "takedowns_total", what="restored") == 0
    assert value(metrics, "blocked_videos") == 7
    assert value(metrics, "breaker_state", part="store") == 2
    assert value(metrics, "publications_total", outcome="switched") == 1
    assert value(metrics, "publication_seconds_sum") == 3


def test_what_never_happened_is_seen_at_zero(metrics: ServingMetrics) -> None:
    assert [value(metrics, "fallbacks_total", cause=cause) for cause in Cause] == [0] * len(Cause)
    assert [value(metrics, "candidates_total", source=name) for name in SOURCES] == [0] * 4
    assert value(metrics, "cache_lookups_total", cache="features", result="miss") == 0
    assert [value(metrics, "breaker_state", part=part) for part in PARTS] == [0, 0]
    assert [value(metrics, "publications_total", outcome=one) for one in OUTCOMES] == [0] * 3
    assert [value(metrics, "task_failures_total", task=task) for task in TASKS] == [0] * 3


def test_only_the_bundles_that_are_held_are_shown(metrics: ServingMetrics) -> None:
    def held() -> dict[tuple[str, str], float]:
        (family,) = [one for one in metrics.registry.collect() if one.name.endswith("bundle_info")]
        return {(one.labels["bundle"], one.labels["standing"]): one.value for one in family.samples}

    metrics.bundles("a", None)
    assert held() == {("a", "current"): 1}
    since = value(metrics, "bundle_since_timestamp_seconds")
    metrics.bundles("b", "a")
    assert held() == {("b", "current"): 1, ("a", "previous"): 1}
    later = value(metrics, "bundle_since_timestamp_seconds")
    metrics.bundles("b", None)
    assert held() == {("b", "current"): 1}
    assert since is not None
    assert later is not None
    assert value(metrics, "bundle_since_timestamp_seconds") == later >= since


def test_names_say_their_unit_and_their_help(metrics: ServingMetrics) -> None:
    families = list(metrics.registry.collect())
    assert len(families) == 23
    for family in families:
        assert family.name.startswith("shortlist_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        assert re.fullmatch(r"[a-z_]+", family.name)


def test_prometheus_can_read_the_page(metrics: ServingMetrics) -> None:
    kind, body = metrics.exposition()
    assert kind.startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(body.decode())}
    assert "shortlist_fallbacks" in names


@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
@pytest.mark.parametrize("version", ["abc", "1.x", "1..0"])
def test_who_asks_for_a_version_that_is_none_gets_the_plain_page(
    metrics: ServingMetrics, kind: str, version: str
) -> None:
    assert metrics.exposition(f"{kind}; version={version}") == metrics.exposition()


@pytest.mark.parametrize("buckets", [REQUEST_BUCKETS, STAGE_BUCKETS])
def test_buckets_rise_and_have_edges_at_the_promises(buckets: tuple[float, ...]) -> None:
    assert list(buckets) == sorted(set(buckets))
    assert {0.05, 0.1} <= set(buckets)
    steps = [
        right / left
        for left, right in itertools.pairwise(buckets)
        if left >= 0.002 and right <= 0.05
    ]
    assert max(steps) <= 1.7


def test_two_servers_in_one_process_have_two_registries() -> None:
    registry = CollectorRegistry()
    ServingMetrics(registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        ServingMetrics(registry)
    ServingMetrics(CollectorRegistry())
