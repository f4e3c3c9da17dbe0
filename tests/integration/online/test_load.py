"""A load fills the store, goes on where it was killed, and never hides what users did since."""

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shortlist.datasets.events import Kind
from shortlist.datasets.going_on import go_on
from shortlist.datasets.store import Dataset
from shortlist.errors import UnavailableError
from shortlist.online.archive import Archive
from shortlist.online.drain import drain
from shortlist.online.entries import Action, Event
from shortlist.online.health import health
from shortlist.online.load import Loaded, load
from shortlist.online.making import Made
from shortlist.online.packing import Declared
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

from .conftest import ask

NOON = dt.datetime(2026, 1, 7, 12, tzinfo=dt.UTC).timestamp()


def loaded(settings: OnlineSettings, base: Dataset, **given: object) -> Loaded:
    return ask(settings, lambda store: load(base, store, **given))  # type: ignore[arg-type]


def event(name: str, user: int, video: int, at: float) -> Event:
    return Event(name, user, video, Action.CLICK, at, Kind.CLICK)


def test_a_load_enters_what_the_log_says_of_every_user(
    settings: OnlineSettings, base: Dataset
) -> None:
    done = loaded(settings, base)
    assert (done.users, done.entered, done.unchanged, done.resumed_from) == (40, 40, 0, 0)

    async def work(store: OnlineStore) -> None:
        state = await store.fetch(5)
        assert state.declared == Declared(("tea", "cats"), "de", None, "18-24")
        history = state.history
        # Videos 100, 102, 104 on the first day, then 101 and 103; 100 and 104 were clicked.
        assert history.video.tolist() == [100, 102, 104, 101, 103]
        assert history.kind.tolist() == [2, 0, 2, 0, 0]
        assert (history.shown, history.clicked) == (5, 2)
        nine = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC).timestamp()
        assert history.at.tolist()[1] == nine + 2 * 60
        assert len((await store.fetch(40)).history) == 20

    ask(settings, work)
    assert ask(settings, health).loaded == (40, 40)


def test_loading_again_changes_nothing(settings: OnlineSettings, base: Dataset) -> None:
    loaded(settings, base)
    before = ask(settings, lambda store: store.history(9))
    again = loaded(settings, base)
    assert (again.entered, again.unchanged, again.resumed_from) == (0, 40, 0)
    assert ask(settings, lambda store: store.history(9)).version == before.version


def test_what_users_did_since_stays_on_top(settings: OnlineSettings, base: Dataset) -> None:
    ask(settings, lambda store: store.append([event("a", 5, 119, NOON)], now=NOON))
    before = ask(settings, lambda store: store.history(5))
    loaded(settings, base)
    after = ask(settings, lambda store: store.history(5))
    assert after.video.tolist() == [100, 102, 104, 101, 103, 119]
    assert (after.shown, after.clicked) == (6, 3)
    assert after.version > before.version


def test_a_longer_log_replaces_a_shorter_one_without_counting_twice(
    settings: OnlineSettings, base: Dataset
) -> None:
    loaded(settings, base, last=dt.date(2026, 1, 5))
    ask(settings, lambda store: store.append([event("a", 5, 119, NOON)], now=NOON))
    assert ask(settings, lambda store: store.history(5)).video.tolist() == [100, 102, 104, 119]
    assert loaded(settings, base).entered == 40
    after = ask(settings, lambda store: store.history(5))
    assert after.video.tolist() == [100, 102, 104, 101, 103, 119]
    assert (after.shown, after.clicked) == (6, 3)


# Redis dates entries by its own clock, and those after a drain's `now` wait for the next one.
LATER = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp()


@pytest.mark.parametrize("emptied", [False, True])
def test_live_traffic_that_continues_the_log_counts_once_and_keeps_its_time(
    settings: OnlineSettings, base: Dataset, tmp_path: Path, emptied: bool
) -> None:
    loaded(settings, base)
    ask(settings, lambda store: store.append([event("a", 5, 119, LATER)], now=LATER))
    archive = Archive(tmp_path / "archive")

    async def drained(store: OnlineStore) -> Made:
        now = LATER + 86_400
        return (await drain(store, base, archive, tmp_path / "online", now=now))[1]

    live = ask(settings, drained).dataset
    assert live is not None
    joined, _ = go_on(base, live, tmp_path / "joined", follow=True)
    assert joined.record.last_day == dt.date(2026, 1, 7)
    ask(settings, lambda store: store.append([event("b", 5, 118, LATER + 60)], now=LATER + 60))
    if emptied:
        ask(settings, lambda store: store.client.run([("FLUSHALL",)]))
    loaded(settings, joined)
    history = ask(settings, lambda store: store.history(5))
    since = [] if emptied else [118]
    assert history.video.tolist() == [100, 102, 104, 101, 103, 119, *since]
    assert history.at[5] == LATER


def test_histories_are_cut_to_their_bound_and_tallies_are_of_all(
    settings: OnlineSettings, base: Dataset
) -> None:
    small = settings.model_copy(update={"history_events": 3})
    loaded(small, base)
    history = ask(small, lambda store: store.history(5))
    assert (history.video.tolist(), history.shown) == ([104, 101, 103], 5)


def test_whoever_was_forgotten_stays_so(settings: OnlineSettings, base: Dataset) -> None:
    ask(settings, lambda store: store.forget(5))
    done = loaded(settings, base, forgotten={6: NOON}, blocked=(101,))
    assert (done.entered, done.forgotten, done.blocked) == (38, 2, 1)
    for user in (5, 6):
        state = ask(settings, lambda store, user=user: store.fetch(user))
        assert not state.known
        assert 101 in state.blocked


def test_a_redis_that_came_back_empty_is_filled_again(
    settings: OnlineSettings, base: Dataset
) -> None:
    loaded(settings, base)
    ask(settings, lambda store: store.client.run([("FLUSHALL",)]))
    assert ask(settings, health).loaded is None
    assert loaded(settings, base).entered == 40


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from shortlist.datasets.store import Dataset
from shortlist.online.load import load
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

def progress(done, users):
    if done >= 20:
        os.kill(os.getpid(), signal.SIGKILL)

settings = OnlineSettings(url=sys.argv[1], load_users=5, slow_timeout_ms=5000)
store = OnlineStore.connect(settings)
asyncio.run(load(Dataset.open(Path(sys.argv[2])), store, progress=progress))
"""


def test_a_killed_load_goes_on(settings: OnlineSettings, base: Dataset) -> None:
    command = [sys.executable, "-c", KILLED, settings.url, str(base.path)]
    ended = subprocess.run(command, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert ask(settings, health).loaded == (20, 40)
    assert "not finished" in ask(settings, health).faults()[-1]
    told: list[tuple[int, int]] = []
    done = loaded(settings, base, progress=lambda *at: told.append(at))
    assert (done.resumed_from, done.entered) == (20, 20)
    assert told == [(20, 40), (40, 40)]
    for user in (1, 20, 21, 40):
        history = ask(settings, lambda store, user=user: store.history(user))
        assert len(history) == min(user, 20)


def test_a_redis_that_goes_away_is_waited_for_a_while_and_then_named(
    settings: OnlineSettings, base: Dataset
) -> None:
    async def work(store: OnlineStore) -> None:
        process = (await store.client.redis.info())["process_id"]
        os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(UnavailableError, match="within 50 ms"):
                await load(base, store)
        finally:
            os.kill(process, signal.SIGCONT)
        assert time.monotonic() - began < 5
        await asyncio.sleep(0)

    ask(settings.model_copy(update={"slow_timeout_ms": 50.0}), work)
