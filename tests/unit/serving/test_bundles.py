"""A process serves the published bundle and the one before, and no other's faults stop it."""

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    write_bundle,
)
from shortlist.bundle.pointer import POINTER
from shortlist.errors import CorruptError, NotFoundError
from shortlist.serving.bundles import Bundles

DAY = dt.date(2026, 1, 5)


@pytest.fixture(autouse=True)
def _nothing_is_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles")


@pytest.fixture
def make(store: BundleStore, tmp_path: Path) -> Callable[[int], str]:
    """Write the bundle of a seed; returns its id."""

    def made(seed: int) -> str:
        part = tmp_path / f"part-{seed}"
        part.mkdir(exist_ok=True)
        (part / "table").write_text(f"bundle {seed}")
        data = DataFacts(
            name="small",
            digest="d",
            users=1,
            videos=1,
            impressions=1,
            first_day=DAY,
            last_day=DAY,
            fitted_to=DAY,
        )
        record = BundleRecord(data=data, encoder="none", seed=seed, settings={})
        card = CardFacts("A bundle.", [], [], "", [], [])
        return write_bundle(store.root, {"part": part}, record, card, RunRecord.here("run")).id

    return made


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def text_of(bundle: Bundle) -> str:
    return (bundle.part("part") / "table").read_text()


def becomes(bundles: Bundles[str], wanted: str) -> bool:
    """Whether a bundle serves within ten seconds."""
    for _ in range(1_000):
        if bundles.current.id == wanted:
            return True
        threading.Event().wait(0.01)
    return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bundles(store: BundleStore, clock: Clock) -> Iterator[Bundles[str]]:
    following = Bundles(store, text_of, clock=clock, poll_seconds=0.01, linger_seconds=60.0)
    yield following
    following.stop()


def test_nothing_is_served_before_something_is_published(bundles, store, make, caplog) -> None:
    make(1)
    bundles.look()
    assert bundles.current is None
    assert bundles.ids == ()
    assert bundles.fault == "no bundle is published"
    assert str(store.root) in caplog.text


def test_the_published_one_and_the_one_before_are_held(bundles, store, make) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    bundles.look()
    assert bundles.current.id == first
    store.publish(second)
    bundles.look()
    assert bundles.current.id == second
    assert bundles.ids == (second, first)
    assert (bundles.get(first), bundles.get(second)) == ("bundle 1", "bundle 2")
    assert bundles.fault is None


def test_a_process_that_starts_late_holds_the_one_before_too(bundles, store, make) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    store.publish(second)
    bundles.look()
    assert bundles.ids == (second, first)


def test_a_rollback_takes_the_one_before_again_without_loading_it(store, make, clock) -> None:
    loaded: list[str] = []

    def load(bundle: Bundle) -> str:
        loaded.append(bundle.id)
        return text_of(bundle)

    bundles = Bundles(store, load, clock=clock)
    first, second = make(1), make(2)
    store.publish(first)
    bundles.look()
    store.publish(second)
    bundles.look()
    store.rollback()
    bundles.look()
    assert bundles.current.id == first
    assert loaded == [first, second]


def test_a_third_one_drops_the_first_but_not_while_somebody_asks_for_it(
    bundles, store, make, clock
) -> None:
    ids = [make(seed) for seed in (1, 2, 3)]
    for one in ids:
        store.publish(one)
        bundles.look()
    assert bundles.ids == (ids[2], ids[0], ids[1])
    clock.now += 59
    assert bundles.get(ids[0]) == "bundle 1"
    clock.now += 59
    bundles.look()
    assert ids[0] in bundles.ids
    clock.now += 2
    bundles.look()
    assert bundles.ids == (ids[2], ids[1])
    assert bundles.get(ids[0]) is None


@pytest.mark.parametrize("fault", ["torn", "foreign", "missing"])
def test_a_bundle_that_is_not_whole_is_refused_and_the_old_one_goes_on(
    bundles, store, make, fault, caplog
) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    bundles.look()
    store.publish(second)
    table = store.root / second / "part" / "table"
    if fault == "torn":
        table.unlink()
        table.write_text("bund")
    elif fault == "foreign":
        (store.root / second / "bundle.json").write_bytes(
            (store.root / first / "bundle.json").read_bytes()
        )
    else:
        table.unlink()
    bundles.look()
    assert bundles.current.id == first
    assert bundles.wanted == second
    assert bundles.fault == f"bundle {second} is not whole"
    assert str(store.root) in caplog.text
    assert bundles.ids == (first,)


def test_a_process_that_starts_with_a_torn_one_serves_the_one_before(bundles, store, make) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    store.publish(second)
    (store.root / second / "part" / "table").unlink()
    bundles.look()
    assert bundles.current.id == first
    assert second in str(bundles.fault)


def test_a_mended_bundle_is_taken_after_a_pause_that_grows(bundles, store, make, clock) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    bundles.look()
    store.publish(second)
    table = store.root / second / "part" / "table"
    whole = table.read_text()
    table.unlink()
    bundles.look()
    table.write_text(whole)
    bundles.look()
    assert bundles.current.id == first
    clock.now += 0.02
    bundles.look()
    assert bundles.current.id == second
    assert bundles.fault is None


def test_a_torn_bundle_is_not_read_at_every_look(store, make, clock) -> None:
    reads: list[str] = []

    def load(bundle: Bundle) -> str:
        reads.append(bundle.id)
        raise CorruptError("of different runs")

    store.publish(make(1))
    bundles = Bundles(store, load, clock=clock, poll_seconds=1.0)
    for _ in range(100):
        bundles.look()
        clock.now += 1.0
    # After 1, 2, 4, 8, 16, 32 and then 60 seconds.
    assert len(reads) == 7


def test_a_loader_that_fails_in_any_way_stops_nothing(store, make, clock, caplog) -> None:
    first, second = make(1), make(2)

    def load(bundle: Bundle) -> str:
        if bundle.id == second:
            raise MemoryError("too large")
        return text_of(bundle)

    bundles = Bundles(store, load, clock=clock)
    store.publish(first)
    bundles.look()
    store.publish(second)
    bundles.look()
    assert bundles.current.id == first
    assert bundles.fault == f"bundle {second} cannot be loaded"
    assert "too large" in caplog.text


def test_a_damaged_pointer_leaves_what_is_served(bundles, store, make, caplog) -> None:
    store.publish(make(1))
    bundles.look()
    before = bundles.current.id
    (store.root / POINTER).write_text("{")
    bundles.look()
    assert bundles.current.id == before
    assert bundles.fault == "the pointer to the published bundle cannot be read"
    assert "no pointer" in caplog.text


def test_a_pinned_bundle_ignores_the_pointer(store, make, clock) -> None:
    first, second = make(1), make(2)
    store.publish(second)
    bundles = Bundles(store, text_of, pinned=first[:8], clock=clock)
    bundles.look()
    assert (bundles.current.id, bundles.ids) == (first, (first,))
    store.publish(first)
    store.publish(second)
    bundles.look()
    assert (bundles.current.id, bundles.ids) == (first, (first,))


def test_a_new_bundle_waits_aside_until_it_may_be_served(store, make, clock) -> None:
    allowed: set[str] = set()
    first, second = make(1), make(2)
    bundles = Bundles(store, text_of, may_switch=allowed.__contains__, clock=clock)
    store.publish(first)
    bundles.look()
    assert bundles.current.id == first, "nobody to ask for, so the only one serves"
    store.publish(second)
    bundles.look()
    assert bundles.current.id == first
    assert bundles.get(second) == "bundle 2"
    allowed.add(second)
    bundles.look()
    assert bundles.current.id == second


def test_a_late_process_begins_with_the_bundle_that_may_be_served(store, make, clock) -> None:
    first, second = make(1), make(2)
    bundles = Bundles(store, text_of, may_switch={first}.__contains__, clock=clock)
    store.publish(first)
    store.publish(second)
    bundles.look()
    assert bundles.current.id == first


def test_the_thread_follows_the_pointer_and_asking_never_waits(store, make) -> None:
    first, second = make(1), make(2)
    begun, go = threading.Event(), threading.Event()

    def load(bundle: Bundle) -> str:
        if bundle.id == second:
            begun.set()
            assert go.wait(10)
        return text_of(bundle)

    store.publish(first)
    bundles = Bundles(store, load, poll_seconds=0.01)
    bundles.start()
    try:
        store.publish(second)
        assert begun.wait(10)
        assert bundles.current.id == first
        assert bundles.get(first) == "bundle 1"
        go.set()
        assert becomes(bundles, second)
    finally:
        go.set()
        bundles.stop()


def test_waiting_ends_with_the_first_bundle_or_with_the_reason(store, make) -> None:
    bundles = Bundles(store, text_of, poll_seconds=0.01)
    with pytest.raises(NotFoundError, match=r"within 0 s.*no bundle is published"):
        bundles.wait(0.03)
    store.publish(one := make(1))
    assert bundles.wait(5).id == one


def test_what_becomes_of_a_publication_is_told_once_with_its_time(store, make, clock) -> None:
    told: list[tuple[str, float]] = []
    allowed: set[str] = set()
    bundles = Bundles(
        store,
        text_of,
        may_switch=allowed.__contains__,
        told=lambda *one: told.append(one),
        clock=clock,
    )
    first, second, third = make(1), make(2), make(3)
    store.publish(first)
    bundles.look()
    assert told == [], "the first one is no publication"
    store.publish(second)
    bundles.look()
    clock.now += 3
    allowed.add(second)
    bundles.look()
    bundles.look()
    assert told == [("switched", 3.0)]
    store.publish(third)
    (store.root / third / "part" / "table").unlink()
    for _ in range(3):
        bundles.look()
        clock.now += 100
    assert told[1:] == [("refused", 0.0)]
    allowed.add(first)
    store.rollback(second)
    store.rollback(first)
    bundles.look()
    assert told[2:] == [("rolled_back", 0.0)]


def test_a_pointer_that_cannot_be_read_is_told_once_until_it_can_be(store, make, clock) -> None:
    told: list[tuple[str, float]] = []
    bundles = Bundles(store, text_of, told=lambda *one: told.append(one), clock=clock)
    bundles.look()
    assert told == [], "nothing is published, so nothing is refused"
    store.publish(first := make(1))
    whole = (store.root / POINTER).read_bytes()
    bundles.look()
    for count in (1, 2):
        (store.root / POINTER).write_text("{")
        for _ in range(3):
            bundles.look()
            clock.now += 100
        assert told == [("refused", 0.0)] * count
        (store.root / POINTER).write_bytes(whole)
        bundles.look()
        assert bundles.fault is None
    assert bundles.current.id == first
    store.publish(second := make(2))
    bundles.look()
    assert (bundles.current.id, told[2:]) == (second, [("switched", 0.0)])


def test_after_each_look_it_tells_what_it_holds(store, make, clock) -> None:
    held: list[tuple[str, ...]] = []
    first, second = make(1), make(2)
    bundles = Bundles(store, text_of, holding=held.append, clock=clock)
    store.publish(first)
    bundles.look()
    store.publish(second)
    bundles.look()
    assert held == [(first,), (second, first)]


def test_asked_to_hurry_it_looks_at_once(store, make) -> None:
    first, second = make(1), make(2)
    store.publish(first)
    bundles = Bundles(store, text_of, poll_seconds=3_600)
    bundles.start()
    try:
        store.publish(second)
        bundles.hurry()
        assert becomes(bundles, second)
    finally:
        bundles.stop()
