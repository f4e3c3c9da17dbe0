"""A bundle is trained, gated and published by a job, and rolled back, while clients ask."""

import itertools
import time
from collections import Counter

from cluster import wait_for  # type: ignore[import-not-found]
from traffic import load  # type: ignore[import-not-found]

RATE = 6
ROLLBACKS = 4
TRAINING_SECONDS = 1_200
# Trained otherwise, so another bundle; whether it is better is not what this is about.
OTHERWISE = {"ranker__epochs": "7", "pipeline__gate_tolerance": "0.9"}


def serve(shortlist, bundle: str) -> float:
    """Wait until every transformer serves a bundle; how long that took."""
    began = time.time()
    with shortlist.each_transformer() as addresses:
        for address in addresses:
            wait_for(
                f"bundle {bundle} is served at {address}",
                lambda at=address: shortlist.page(1, at=at)["bundle"] == bundle,
                120,
                0.2,
            )
    return time.time() - began


def test_a_job_publishes_a_bundle_under_load_and_rollbacks_follow_without_a_degraded_page(
    shortlist, seen
) -> None:
    first = shortlist.pointer()["current"]
    name = f"publish-{int(time.time())}"
    with load(shortlist.address, RATE) as told:
        shortlist.job_from_retrain(name, **OTHERWISE)
        said = shortlist.finish(name, TRAINING_SECONDS)
        second = shortlist.pointer()["current"]
        took = [serve(shortlist, second)]
        for bundle in itertools.islice(itertools.cycle((first, second)), ROLLBACKS):
            code, answer = shortlist.tool("bundle", "rollback", bundle)
            assert code == 0
            assert f"to {bundle}" in answer
            took.append(serve(shortlist, bundle))
        time.sleep(2)
    pages = Counter(page["bundle"] for page in told.pages)
    seen(
        f"published and rolled back: {told.summary()}; pages by bundle "
        f"{dict(pages)}; moves seen everywhere after "
        f"{', '.join(f'{one:.1f}' for one in took)} s"
    )
    assert second != first, said["pipeline"]
    assert told.lost == []
    assert told.degraded == []
    assert set(pages) == {first, second}
    assert min(pages.values()) > 5
    for pod in shortlist.ready("transformer"):
        assert shortlist.metric(pod, 'shortlist_fallbacks_total{cause="bundle_mismatch"}') == 0
        assert shortlist.metric(pod, 'shortlist_publications_total{outcome="refused"}') == 0
    pointer = shortlist.pointer()
    assert pointer["current"] == second
    assert first in pointer["previous"]


def test_a_rollback_without_an_id_goes_to_the_bundle_before(shortlist) -> None:
    before = shortlist.pointer()
    assert before["previous"], "the test before publishes a second bundle"
    code, said = shortlist.tool("bundle", "rollback")
    assert code == 0
    assert f"to {before['previous'][0]}" in said
    serve(shortlist, before["previous"][0])
    code, _ = shortlist.tool("bundle", "rollback", before["current"])
    assert code == 0
    serve(shortlist, before["current"])


def test_a_pinned_bundle_is_served_whatever_is_published_and_upgrades_lose_nothing(
    shortlist, seen
) -> None:
    pointer = shortlist.pointer()
    assert pointer["previous"], "the first test publishes a second bundle"
    pinned = pointer["previous"][0]
    with load(shortlist.address, RATE) as told:
        shortlist.install("upgrade", shortlist.values | {"bundle": {"id": pinned}})
        shortlist.settle()
        held = time.time()
        serve(shortlist, pinned)
        time.sleep(3)
        released = time.time()
        shortlist.install("upgrade")
        shortlist.settle()
        serve(shortlist, pointer["current"])
    seen(f"pinned and released by upgrades: {told.summary()}")
    assert told.lost == []
    assert told.degraded == []
    between = [one for one in told.asked if held <= one.began and one.ended <= released]
    assert {one.page["bundle"] for one in between} == {pinned}
