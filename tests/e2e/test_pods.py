"""Pods go, gracefully and not, while clients ask: what is lost is what nobody could have saved."""

import time

import pytest
from cluster import run, wait_for  # type: ignore[import-not-found]
from traffic import load  # type: ignore[import-not-found]

RATE = 10
BEFORE_SECONDS, AFTER_SECONDS = 3, 3
RETRY_SECONDS = 5
"""Longer than it takes the cluster to know that a pod is gone."""
FORWARD_SECONDS = 2
"""In which kube-proxy follows."""
BROKEN = "predictor_down"
KILL = "kill -9 -1"
"""Everything but the first process of the container, which is a bare init, and ends with it."""


@pytest.mark.parametrize("component", ["transformer", "predictor"])
def test_pods_that_are_deleted_one_after_the_other_lose_nothing(shortlist, component, seen) -> None:
    pods = shortlist.ready(component)
    logged, deleted = shortlist.logged(), list[float]()
    with load(shortlist.address, RATE, reconnect=True) as told:
        for name in pods:
            time.sleep(BEFORE_SECONDS)
            deleted.append(time.time())
            shortlist.cluster.kubectl("delete", "pod", name, "--wait=true", seconds=180)
            wait_for(
                f"another {component} is ready",
                lambda: len(shortlist.ready(component)) == len(shortlist.pods(component)) == 2,
                300,
            )
        time.sleep(AFTER_SECONDS)
    seen(f"{component}s deleted: {told.summary()}")
    for one in (*told.lost, *told.degraded):
        since = ", ".join(f"{one.began - at:+.2f}" for at in deleted)
        seen(f"  sent {since} s after deletions: {one.fault or one.page['degraded_by']}")
    assert not set(pods) & set(shortlist.ready(component))
    assert told.lost == []
    assert told.degraded == []
    # That no address is answered at which the cluster sends clients is its own doing, and rare.
    assert len(told.reconnected) <= len(told.asked) // 100
    # The event log has every page that a client got: those that the deleted pods made as well.
    wait_for("every page is logged", lambda: shortlist.logged() >= logged + len(told.asked), 30)
    assert shortlist.logged() == logged + len(told.asked)


def killed(shortlist, pod: str) -> float:
    """Kill everything that runs in a pod with SIGKILL; when that began."""
    began = time.time()
    run(
        *("kubectl", "--namespace", shortlist.cluster.namespace, "exec", pod),
        *("--container", "kserve-container", "--", "sh", "-c", KILL),
        failing=True,
    )
    return began


@pytest.mark.parametrize("component", ["transformer", "predictor"])
def test_a_killed_pod_takes_only_requests_with_it_that_were_on_their_way_to_it(
    shortlist, component, seen
) -> None:
    pod = shortlist.ready(component)[0]
    with (
        load(shortlist.address, RATE / 2) as told,
        load(shortlist.address, RATE / 2, retry_after=RETRY_SECONDS) as patient,
    ):
        time.sleep(BEFORE_SECONDS)
        began = killed(shortlist, pod)
        # Until the cluster knows that a pod is gone, it sends others there.
        wait_for("the cluster knows", lambda: pod not in shortlist.ready(component), 30, 0.1)
        known = time.time() + FORWARD_SECONDS
        wait_for(f"{component} is ready again", lambda: pod in shortlist.ready(component), 300)
        time.sleep(AFTER_SECONDS)
    seen(f"{component} killed, known after {known - began:.1f} s: {told.summary()}")
    for one in (*told.lost, *told.degraded):
        seen(
            f"  from {one.began - began:+.2f} to {one.ended - began:+.2f} s: "
            f"{one.fault or one.page['degraded_by']}"
        )
        assert one.ended >= began
        assert one.began <= known
    seen(f"  of clients that ask once more: {patient.summary()}")
    assert patient.lost == []
    # Nobody was told of an error: what broke were connections to that pod.
    assert {one.status for one in told.lost} <= {0}
    degraded = (*told.degraded, *patient.degraded)
    if component == "predictor":
        assert told.lost == []
        assert {why for one in degraded for why in one.page["degraded_by"]} <= {BROKEN}
    else:
        assert degraded == ()
    assert told.since(known).asked
