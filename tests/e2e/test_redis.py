"""Redis is restarted under load: pages get simpler for a moment, and nothing is lost."""

import threading
import time

import httpx
from cluster import wait_for  # type: ignore[import-not-found]
from release import event, ids, newcomer  # type: ignore[import-not-found]
from traffic import load  # type: ignore[import-not-found]

RATE = 8
USERS = 5


def test_a_restart_of_redis_loses_no_page_and_no_event(shortlist, seen) -> None:
    videos = ids(shortlist.whole(1)) * 20
    users = [newcomer() for _ in range(USERS)]
    accepted: dict[int, list[int]] = {user: [] for user in users}
    refused: list[str] = []
    taken_down = ids(shortlist.whole(2))[0]
    shortlist.ask("POST", f"/v1/videos/{taken_down}/takedown")
    stop = threading.Event()

    def report() -> None:
        for number, video in enumerate(videos):
            if stop.wait(0.1):
                return
            one = event(users[number % USERS], video)
            # What is not accepted is sent again, as clients do: under its own id it counts once.
            while not stop.is_set():
                said = told_of(shortlist, one)
                if said in ("accepted", "duplicate"):
                    accepted[one["user_id"]].append(video)
                    break
                refused.append(said)
                time.sleep(0.5)

    (pod,) = shortlist.ready("redis")
    logged = shortlist.logged()
    lost = sum(metric_of_all(shortlist, "shortlist_log_lost_total"))
    reporting = threading.Thread(target=report)
    with load(shortlist.address, RATE) as told:
        reporting.start()
        time.sleep(4)
        shortlist.cluster.kubectl("delete", "pod", pod, "--wait=true", seconds=180)
        wait_for("Redis is ready", lambda: shortlist.ready("redis") == [pod], 180)
        shortlist.whole(1)
        whole_at = time.time()
        time.sleep(5)
    stop.set()
    reporting.join()
    reported = sum(map(len, accepted.values()))
    seen(
        f"Redis restarted: {told.summary()}, {reported} events accepted, "
        f"{len(refused)} refused before"
    )
    assert told.lost == []
    why = {cause for one in told.degraded for cause in one.page["degraded_by"]}
    assert why <= {"store_down", "store_slow"}
    assert told.since(whole_at + 1).degraded == []
    assert reported >= 10
    for user, clicked in accepted.items():
        assert {one["video_id"] for one in shortlist.history(user)} == set(clicked)
    assert taken_down not in ids(shortlist.page(2, page_size=50))
    shortlist.ask("DELETE", f"/v1/videos/{taken_down}/takedown")
    assert sum(metric_of_all(shortlist, "shortlist_log_lost_total")) == lost
    entries = logged + len(told.asked) + reported
    wait_for("pages that waited are logged", lambda: shortlist.logged() >= entries, 30)


def told_of(shortlist, one: dict) -> str:
    """What became of an event."""
    try:
        answer = shortlist.ask("POST", "/v1/events", {"events": [one]})
    except httpx.HTTPError as error:
        return repr(error)
    if answer.status_code != 200:
        return answer.text
    said: str = answer.json()["events"][0]["status"]
    return said


def metric_of_all(shortlist, series: str) -> list[float]:
    """A series of every transformer."""
    return [shortlist.metric(pod, series) for pod in shortlist.ready("transformer")]
