"""Everything that serving counts and measures, declared once, with units in the names.

What is counted on every request is bound when the metrics are made: a hot path pays an addition,
no look-up by labels. Labels are closed sets of our own words, never what a client sent. The
processes of one server are told as one (see `shortlist.telemetry.shared`); pods are summed by
whoever scrapes them.
"""

import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from shortlist.datasets.origins import Origin
from shortlist.telemetry import shared as several
from shortlist.wire.causes import Cause, Ignored

REQUEST_BUCKETS: Final = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05),
    *(0.075, 0.1, 0.15, 0.25, 0.5, 1.0),
)
"""Seconds of a request: fine up to 50 ms, with edges at 50 and 100 ms, where promises are made."""
STAGE_BUCKETS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02),
    *(0.03, 0.05, 0.1, 0.25),
)
"""Seconds of one stage of it."""
PUBLICATION_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

CACHES: Final = ("features", "vector", "slate", "plan")
VECTORS: Final = ("kept", "encoded", "dropped")
OUTCOMES: Final = ("switched", "refused", "rolled_back")
PARTS: Final = ("predictor", "store")
TAKEDOWNS: Final = ("restored", "taken_down")
TASKS: Final = ("encoder", "recorder", "waking")
_HELD: Final = "shortlist_bundle_info"


class ServingMetrics:
    """Counters and histograms of one server."""

    def __init__(
        self, registry: CollectorRegistry = REGISTRY, *, shared: Path | None = None
    ) -> None:
        """Declare them.

        Args:
            registry: by default the one that servers publish by themselves.
            shared: directory in which the processes of one server count, where there are several;
                this one must have joined it by `shortlist.telemetry.shared.share`.

        Raises:
            ValueError: the registry has them already.
        """
        self.registry = registry
        self._told = registry if shared is None else several.together(shared, frozenset({_HELD}))
        self._alone = shared is None
        self._requests = Counter(
            "shortlist_requests",
            "Requests answered, by route and HTTP status.",
            ["route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "shortlist_request_seconds",
            "Time from a request's arrival to its answer.",
            ["route"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._pages = Counter(
            "shortlist_pages",
            "Pages made: cached ones from a stored list, full ones by the cascade.",
            ["path", "degraded"],
            registry=registry,
        )
        self._page_seconds = Histogram(
            "shortlist_page_seconds",
            "Time to make one page.",
            ["path"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "shortlist_stage_seconds",
            "Time of one stage of a page.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "shortlist_errors", "Requests refused or failed, by kind.", ["kind"], registry=registry
        )
        self._limited = Counter(
            "shortlist_rate_limited", "Requests refused for their rate.", registry=registry
        )
        self._fallbacks = Counter(
            "shortlist_fallbacks",
            "Pages that were made in a simpler way, by cause.",
            ["cause"],
            registry=registry,
        )
        self._ignored = Counter(
            "shortlist_ignored",
            "Entries of requests or of the store that were left out.",
            ["what"],
            registry=registry,
        )
        self._cache = Counter(
            "shortlist_cache_lookups",
            "Look-ups in caches: features, user vectors, ranked lists, planned pages of a list.",
            ["cache", "result"],
            registry=registry,
        )
        self._candidates = Counter(
            "shortlist_candidates", "Candidates recalled, by source.", ["source"], registry=registry
        )
        self._vectors = Counter(
            "shortlist_user_vectors",
            "User vectors: kept from before, encoded anew, or dropped unencoded.",
            ["how"],
            registry=registry,
        )
        self._events = Counter(
            "shortlist_events",
            "Events reported, by kind and by what became of them.",
            ["kind", "status"],
            registry=registry,
        )
        self._takedowns = Counter(
            "shortlist_takedowns",
            "Videos taken down or restored through this server.",
            ["what"],
            registry=registry,
        )
        self._blocked = Gauge(
            "shortlist_blocked_videos",
            "Videos that are taken down, as far as this server knows.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._retries = Counter(
            "shortlist_predictor_retries",
            "Calls of the predictor that were made again.",
            registry=registry,
        )
        self._lost = Counter(
            "shortlist_log_lost",
            "Served pages that never reached the event log.",
            registry=registry,
        )
        self._failed_turns = Counter(
            "shortlist_task_failures",
            "Turns of tasks in the background that failed unforeseen; the log says why.",
            ["task"],
            registry=registry,
        )
        self._breaker = Gauge(
            "shortlist_breaker_state",
            "0: everybody asks, 1: one tries, 2: nobody asks.",
            ["part"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._bundle = Gauge(
            _HELD,
            "Always 1; the labels say which bundle is held.",
            ["bundle", "standing"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._bundle_since = Gauge(
            "shortlist_bundle_since_timestamp_seconds",
            "When the current bundle began to serve.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._publications = Counter(
            "shortlist_publications",
            "Bundles that were switched to, refused (or their pointer was), or rolled back to.",
            ["outcome"],
            registry=registry,
        )
        self._publication_seconds = Histogram(
            "shortlist_publication_seconds",
            "Time from a new pointer to the switch.",
            buckets=PUBLICATION_BUCKETS,
            registry=registry,
        )
        self._held: set[tuple[str, str]] = set()
        self._bind()

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered.

        Args:
            route: the pattern of its path, never the path.
            status: of HTTP.
            seconds: in all.
        """
        key = (route, status)
        bound = self._by_request.get(key)
        if bound is None:
            bound = self._by_request[key] = (
                self._requests.labels(route, str(status)),
                self._request_seconds.labels(route),
            )
        bound[0].inc()
        bound[1].observe(seconds)

    def page(
        self, stages: Mapping[str, float], total_ms: float, *, cached: bool, degraded: bool
    ) -> None:
        """A page was made, in milliseconds, also by stage."""
        self._by_page[cached, degraded].inc()
        self._by_path[cached].observe(total_ms / 1e3)
        for stage, took in stages.items():
            bound = self._by_stage.get(stage)
            if bound is None:
                bound = self._by_stage[stage] = self._stage_seconds.labels(stage)
            bound.observe(took / 1e3)

    def error(self, kind: str) -> None:
        """A request was refused or failed; the kind is the label of a `ShortlistError`."""
        self._errors.labels(kind).inc()

    def rate_limited(self) -> None:
        """A caller asked too often."""
        self._limited.inc()

    def cause(self, cause: Cause) -> None:
        """A page is simpler than it could be."""
        self._by_cause[cause].inc()

    def ignored(self, what: Ignored, count: int) -> None:
        """Something was left out."""
        if count:
            self._by_ignored[what].inc(count)

    def cache(self, name: str, *, hit: bool) -> None:
        """A cache of `CACHES` was asked."""
        self._by_cache[name, hit].inc()

    def candidates(self, source: str, count: int) -> None:
        """A source recalled so many candidates of a page."""
        self._by_source[source].inc(count)

    def vector(self, how: str) -> None:
        """A user vector was ``kept`` from before, ``encoded`` anew, or ``dropped`` unencoded."""
        self._by_vector[how].inc()

    def event(self, status: str, kind: str = "unstated") -> None:
        """An event was reported, and became this.

        Args:
            status: a value of `shortlist.wire.events.Receipt`.
            kind: of the event, where whoever counts knows it.
        """
        self._events.labels(kind, status).inc()

    def takedown(self, *, down: bool) -> None:
        """A video was taken down, or restored."""
        self._takedowns.labels(TAKEDOWNS[down]).inc()

    def blocked(self, count: int) -> None:
        """So many videos are down."""
        self._blocked.set(count)

    def retried(self) -> None:
        """The predictor was asked again."""
        self._retries.inc()

    def lost(self, count: int) -> None:
        """Served pages never reached the log."""
        self._lost.inc(count)

    def turn_failed(self, task: str) -> None:
        """One of `TASKS` met what nobody foresaw, and goes on."""
        self._failed_turns.labels(task).inc()

    def breaker(self, part: str, state: Enum) -> None:
        """The breaker of one of `PARTS` changed; the value of its state is shown."""
        self._by_part[part].set(state.value)

    def bundles(self, current: str, previous: str | None) -> None:
        """These bundles are held now; those before are forgotten."""
        held = {(current, "current")} | ({(previous, "previous")} if previous else set())
        for gone in self._held - held:
            if self._alone:
                self._bundle.remove(*gone)
            else:  # From a file nothing can be removed; what is 0 is not told.
                self._bundle.labels(*gone).set(0)
        for bundle, standing in held:
            self._bundle.labels(bundle, standing).set(1)
        if (current, "current") not in self._held:
            self._bundle_since.set(time.time())
        self._held = held

    def publication(self, outcome: str, seconds: float) -> None:
        """A bundle met one of `OUTCOMES`, so many seconds after the pointer came to name it."""
        self._publications.labels(outcome).inc()
        self._publication_seconds.observe(seconds)

    def exposition(self, accepted: str | None = None) -> tuple[str, bytes]:
        """Content type and body of the page that Prometheus reads.

        Args:
            accepted: what it says that it can read, in a header of HTTP; nothing where it makes no
                sense.
        """
        try:
            encode, kind = choose_encoder(accepted or "")
        except (TypeError, ValueError):  # It names a version that is none.
            encode, kind = choose_encoder("")
        return kind, encode(self._told)

    def _bind(self) -> None:
        """Every series that is known beforehand begins at 0: what never happened can be seen."""
        both = (False, True)
        paths = {cached: "cached" if cached else "full" for cached in both}
        self._by_request: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._by_stage: dict[str, Histogram] = {}
        self._by_path = {one: self._page_seconds.labels(name) for one, name in paths.items()}
        self._by_page = {
            (cached, degraded): self._pages.labels(paths[cached], str(degraded).lower())
            for cached in both
            for degraded in both
        }
        self._by_cause = {cause: self._fallbacks.labels(cause.value) for cause in Cause}
        self._by_ignored = {what: self._ignored.labels(what.value) for what in Ignored}
        self._by_cache = {
            (name, hit): self._cache.labels(name, "hit" if hit else "miss")
            for name in CACHES
            for hit in both
        }
        names = [str(origin.name).lower() for origin in Origin]
        self._by_source = {name: self._candidates.labels(name) for name in names}
        self._by_vector = {how: self._vectors.labels(how) for how in VECTORS}
        for outcome in OUTCOMES:
            self._publications.labels(outcome)
        for what in TAKEDOWNS:
            self._takedowns.labels(what)
        for task in TASKS:
            self._failed_turns.labels(task)
        self._by_part = {part: self._breaker.labels(part) for part in PARTS}
