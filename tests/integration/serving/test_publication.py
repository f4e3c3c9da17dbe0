"""Bundles are published and rolled back under load: no page is degraded, wrong or lost."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from running import ids, wait_for  # type: ignore[import-not-found]
from whole import Whole  # type: ignore[import-not-found]

WORKERS = 2
MOVES = 6
ASKING = 3


@pytest.fixture(scope="module")
def running(store, redis_server, tmp_path_factory) -> Iterator[Whole]:
    told = {"SERVING__LINGER_SECONDS": "0", "SERVING__POLL_SECONDS": "0.5"}
    scratch = tmp_path_factory.mktemp("whole")
    with Whole(store.root, scratch, told, workers=WORKERS, budget_ms=2_000) as service:
        service.wait_for_workers()  # One that still starts holds up no switch.
        service.whole(1)
        yield service


def test_the_old_one_serves_until_the_last_worker_has_the_new_one(
    running, store, trained, earlier
) -> None:
    lagging = running.worker_pids()[-1]
    with running.paused(lagging):
        store.publish(trained.bundle.id)
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            assert running.page(1)["bundle"] == earlier.bundle.id
        ready = running.get("/v2/health/ready").body
    assert (ready["bundle"], ready["wanted"]) == (earlier.bundle.id, trained.bundle.id)
    wait_for(lambda: running.page(1)["bundle"] == trained.bundle.id, 30)
    running.whole(1)
    store.rollback()
    wait_for(lambda: running.page(1)["bundle"] == earlier.bundle.id, 30)


def test_publications_and_rollbacks_under_load(running, store, trained, earlier) -> None:
    known = {one.bundle.id: set(one.view.catalogue.ids.tolist()) for one in (trained, earlier)}
    stop, pages, failed = threading.Event(), Counter[str](), []

    def ask_for_ever(user: int) -> None:
        while not stop.is_set():
            try:
                page = running.page(user)
            except Exception as error:
                failed.append(error)
                return
            pages[page["bundle"]] += 1
            shown = set(ids(page))
            if page["degraded"] or len(shown) != 10 or not shown <= known[page["bundle"]]:
                failed.append(page)

    series = ("shortlist_errors_total", 'shortlist_pages_total{degraded="true"')
    before = [running.metric(one) for one in series]
    outcomes = {
        name: running.metric(f'shortlist_publications_total{{outcome="{name}"}}')
        for name in ("switched", "rolled_back", "refused")
    }
    asking = [threading.Thread(target=ask_for_ever, args=(user,)) for user in range(ASKING)]
    for one in asking:
        one.start()
    took = []
    try:
        for move in range(MOVES):
            began = time.monotonic()
            if move % 2 == 0:
                store.publish(trained.bundle.id)
            else:
                store.rollback()
            wanted = store.pointer().current

            def served(wanted: str | None = wanted) -> bool:
                return running.get("/v2/health/ready").body["bundle"] == wanted

            wait_for(served, 30)
            took.append(time.monotonic() - began)
            time.sleep(0.3)
    finally:
        stop.set()
        for one in asking:
            one.join()
    assert failed == []
    assert set(pages) == set(known)
    assert min(pages.values()) > 10
    assert [running.metric(one) for one in series] == before
    assert running.metric('shortlist_fallbacks_total{cause="bundle_mismatch"}') == 0
    for name, more in {"switched": MOVES / 2, "rolled_back": MOVES / 2, "refused": 0}.items():
        now = running.metric(f'shortlist_publications_total{{outcome="{name}"}}')
        assert now == outcomes[name] + more, name
    assert running.metric("shortlist_publication_seconds_count") >= MOVES
    assert np.median(took) < 10
