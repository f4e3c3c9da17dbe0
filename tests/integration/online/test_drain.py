"""The event log comes back as a dataset, every event once, whatever is killed when."""

import asyncio
import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shortlist.bundle.durable import exclusive
from shortlist.datasets.store import Dataset
from shortlist.errors import StorageError, UnavailableError
from shortlist.online.archive import Archive
from shortlist.online.drain import drain
from shortlist.online.entries import Action, Event, ServedPage, kind_of
from shortlist.online.keys import SHARDS
from shortlist.online.making import Made
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

from .conftest import ask

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC).timestamp()
LATER = NOON + 7_200
BUNDLE = "0123456789abcdef" * 2


def event(name: str, action: Action, user: int, video: int, at: float, request: str = "") -> Event:
    watched = 20.0 if action is Action.WATCH else None
    return Event(
        name, user, video, action, at, kind_of(action, watched), watched, request_id=request
    )


async def busy(store: OnlineStore, users: int = 12) -> None:
    """Every user is served a page of two videos, is shown both, and watches the first."""
    for user in range(1, users + 1):
        request, at = f"r{user}", NOON + user
        page = ServedPage(
            request,
            user,
            at,
            np.array([100, 101]),
            np.array([0, 1], np.int16),
            np.array([0.98, 0.02]),
            np.array([False, True]),
            BUNDLE,
            f"s{user}",
            "",
            np.full(32, 0.5, np.float32),
        )
        await store.served(page)
        shown = [
            event(f"{user}-{video}", Action.IMPRESSION, user, video, at + 1, request)
            for video in (100, 101)
        ]
        watch = event(f"{user}-w", Action.WATCH, user, 100, at + 30, request)
        await store.append([*shown, watch], now=NOON + 3_600)
        await store.append([watch], now=NOON + 3_600)


def drained(
    settings: OnlineSettings, base: Dataset, home: Path, now: float = LATER
) -> tuple[int, Made]:
    # Events were received just now, by Redis's clock: long after they happened.
    patient = settings.model_copy(update={"event_id_days": 3_650.0})
    return ask(
        patient,
        lambda store: drain(store, base, Archive(home / "archive"), home / "log", now=now),
    )


def table(home: Path) -> pa.Table:
    return Dataset.open(home / "log").impressions()


def waiting(settings: OnlineSettings) -> int:
    async def work(store: OnlineStore) -> int:
        logs = [("XLEN", store.keys.log(shard)) for shard in range(SHARDS)]
        return sum(await store.client.run(logs))

    return ask(settings, work)


def test_the_log_becomes_a_dataset_with_propensities(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    ask(settings, busy)
    taken, made = drained(settings, base, tmp_path)
    assert (taken, made.duplicates, made.waiting, made.late) == (48, 0, 0, 0)
    assert waiting(settings) == 0
    found = table(tmp_path).to_pylist()
    assert len(found) == 24
    first = next(row for row in found if (row["user_id"], row["video_id"]) == (3, 100))
    assert first["propensity"] == 0.98
    assert first["random_exposure"] is False
    assert first["context"] == [0.5] * 32
    assert (first["position"], first["watch_seconds"], first["long_view"]) == (0, 20.0, True)
    assert first["shown_at"].timestamp() == NOON + 4
    second = next(row for row in found if (row["user_id"], row["video_id"]) == (3, 101))
    assert (second["propensity"], second["watch_seconds"]) == (0.02, None)
    assert second["session_id"] == first["session_id"]
    Dataset.open(tmp_path / "log").verify()


def test_draining_again_changes_nothing_and_what_comes_later_is_added(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    ask(settings, busy)
    drained(settings, base, tmp_path)
    before = table(tmp_path)
    assert drained(settings, base, tmp_path)[0] == 0
    assert table(tmp_path).equals(before)
    late = event("late", Action.LIKE, 3, 101, NOON + 90, "r3")
    ask(settings, lambda store: store.append([late], now=LATER))
    drained(settings, base, tmp_path, LATER + 60)
    after = table(tmp_path)
    assert after.num_rows == before.num_rows
    liked = after.filter(after["like"])
    assert liked.select(["user_id", "video_id"]).to_pylist() == [{"user_id": 3, "video_id": 101}]
    assert after["impression_id"].equals(before["impression_id"])


def test_an_event_that_redis_no_longer_knows_still_counts_once(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    ask(settings, busy)
    drained(settings, base, tmp_path)
    before = table(tmp_path)
    ask(settings, lambda store: store.client.run([("FLUSHALL",)]))
    ask(settings, busy)
    taken, made = drained(settings, base, tmp_path, LATER + 60)
    assert (taken, made.duplicates) == (48, 48)
    assert table(tmp_path).equals(before)


def test_whoever_is_forgotten_is_dropped_from_what_was_drained_and_what_was_not(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    ask(settings, busy)
    drained(settings, base, tmp_path)
    ask(
        settings,
        lambda store: store.append([event("x", Action.CLICK, 4, 105, NOON + 50)], now=LATER),
    )
    ask(settings, lambda store: store.forget(3))
    ask(settings, lambda store: store.forget(4))
    taken, made = drained(settings, base, tmp_path, LATER + 60)
    assert (taken, made.purged) == (2, 8)
    assert set(table(tmp_path)["user_id"].to_pylist()) == {*range(1, 13)} - {3, 4}
    users = Dataset.open(tmp_path / "log").users()["user_id"].to_pylist()
    assert users == [user for user in range(1, 41) if user not in (3, 4)]
    raw = b"".join(path.read_bytes() for path in (tmp_path / "archive").glob("*.parquet"))
    assert b"r3" not in raw
    assert set(Archive(tmp_path / "archive").notes().forgotten) == {3, 4}


def test_a_log_that_dropped_tombstones_and_takedowns_leaves_nobody_in_the_archive(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    async def trim(store: OnlineStore) -> None:
        await store.forget(3)
        await store.take_down(107)
        for shard in range(SHARDS):
            await store.client.run([("XTRIM", store.keys.log(shard), "MAXLEN", 0)])

    ask(settings, busy)
    drained(settings, base, tmp_path)
    ask(settings, trim)
    assert drained(settings, base, tmp_path, LATER + 60)[1].purged == 4
    assert set(table(tmp_path)["user_id"].to_pylist()) == {*range(1, 13)} - {3}
    archive = Archive(tmp_path / "archive")
    notes, segments = archive.notes(), archive.segments()
    assert (set(notes.forgotten), notes.blocked) == ({3}, (107,))
    # Who comes back is a newcomer, and what is noted once is noted.
    again = event("back", Action.IMPRESSION, 3, 105, NOON + 50)
    ask(settings, lambda store: store.append([again], now=LATER))
    drained(settings, base, tmp_path, LATER + 120)
    assert len(archive.segments()) == len(segments) + 1
    found = table(tmp_path).to_pylist()
    assert [row["video_id"] for row in found if row["user_id"] == 3] == [105]


def test_an_entry_that_cannot_be_read_stops_nothing(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    async def spoil(store: OnlineStore) -> None:
        await store.client.run([("XADD", store.keys.log(9), "*", "e", b"\x07nonsense")])
        await store.client.run([("XADD", store.keys.log(9), "*", "other", b"field")])

    ask(settings, spoil)
    ask(settings, busy)
    taken, made = drained(settings, base, tmp_path)
    assert (taken, made.unreadable) == (50, 2)
    assert table(tmp_path).num_rows == 24


def test_two_drains_at_once_are_refused(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "archive").mkdir()
    with (
        exclusive(tmp_path / "archive"),
        pytest.raises(StorageError, match="another process"),
    ):
        drained(settings, base, tmp_path)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from shortlist.datasets.store import Dataset
from shortlist.online.archive import Archive
from shortlist.online.drain import drain
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

url, base, home, stage, count, now = sys.argv[1:]
left = int(count)

def reached(at):
    global left
    left -= at == stage
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

settings = OnlineSettings(url=url, event_id_days=365, slow_timeout_ms=5000, drain_entries=100)
settings = settings.model_copy(update={"event_id_days": 3650.0})
store = OnlineStore.connect(settings)
home = Path(home)
asyncio.run(drain(store, Dataset.open(Path(base)), Archive(home / "archive"), home / "log",
                  now=float(now), reached=reached))
"""

STAGES = [
    ("read", 1),
    ("written", 1),
    ("deleting", 1),
    ("deleting", 5),
    ("deleted", 1),
    ("purged", 1),
    ("day", 1),
    ("day", 3),
    ("finished", 1),
    ("noted", 1),
]


@pytest.mark.parametrize(("stage", "count"), STAGES)
def test_a_drain_killed_at_any_stage_is_done_again_and_loses_and_doubles_nothing(
    settings: OnlineSettings, base: Dataset, tmp_path: Path, stage: str, count: int
) -> None:
    ask(settings, busy)
    drained(settings, base, tmp_path)
    after = [
        event("like", Action.LIKE, 1, 100, NOON + 40, "r1"),
        event("new", Action.IMPRESSION, 7, 107, NOON + 50),
        event("old", Action.IMPRESSION, 8, 107, NOON - 86_400),
    ]
    ask(settings, lambda store: store.append(after, now=LATER))
    ask(settings, lambda store: store.forget(2))
    command = [sys.executable, "-c", KILLED, settings.url, str(base.path), str(tmp_path)]
    ended = subprocess.run(
        [*command, stage, str(count), str(LATER)], check=False, timeout=120, capture_output=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    # The dataset can be read at every moment.
    Dataset.open(tmp_path / "log").verify()
    more = event("more", Action.IMPRESSION, 9, 108, NOON + 60)
    ask(settings, lambda store: store.append([more], now=LATER))
    drained(settings, base, tmp_path, LATER + 60)
    assert waiting(settings) == 0
    found = table(tmp_path)
    pairs = sorted(zip(found["user_id"].to_pylist(), found["video_id"].to_pylist(), strict=True))
    served = [(user, video) for user in range(1, 13) if user != 2 for video in (100, 101)]
    assert pairs == sorted([*served, (7, 107), (8, 107), (9, 108)])
    liked = found.filter(found["like"]).select(["user_id", "video_id"]).to_pylist()
    assert liked == [{"user_id": 1, "video_id": 100}]
    Dataset.open(tmp_path / "log").verify()
    left = [path.name for path in (tmp_path / "log").iterdir() if path.name.startswith("data-")]
    assert left == [Dataset.open(tmp_path / "log").record.data]


def test_a_redis_that_goes_away_leaves_the_archive_whole(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    ask(settings, busy)
    away = settings.model_copy(update={"url": "redis://127.0.0.1:1"})
    with pytest.raises(UnavailableError):
        ask(away, lambda store: drain(store, base, Archive(tmp_path / "archive"), tmp_path / "log"))
    assert drained(settings, base, tmp_path)[0] == 48


def test_a_large_log_is_taken_in_several_segments(
    settings: OnlineSettings, base: Dataset, tmp_path: Path
) -> None:
    async def many(store: OnlineStore) -> None:
        for low in range(0, 600, 200):
            await store.append(
                [
                    event(f"e{n}", Action.CLICK, 5, 100 + n % 20, NOON + n)
                    for n in range(low, low + 200)
                ],
                now=LATER,
            )

    ask(settings, many)
    small = settings.model_copy(update={"drain_entries": 100})
    taken, made = drained(small, base, tmp_path, LATER + 3_600)
    assert taken == 600
    assert len(Archive(tmp_path / "archive").segments()) == 6
    assert made.dataset is not None
    assert made.dataset.record.impressions == 20
    assert asyncio.iscoroutinefunction(drain)
