"""A store that comes back empty while the service runs is filled, and nothing waits for that."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from running import wait_for

from model_handlers.local.filling import Refilling, filled
from model_handlers.local.plan import Plan
from shortlist.datasets.store import Dataset
from shortlist.errors import CorruptError
from shortlist.online.embedded import embedded, free_port
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings


@dataclass
class Kept:
    """A store that is kept filled.

    Attributes:
        settings: of the store.
        plan: what runs.
        dataset: with which it is filled; None where there is none.
        said: by whoever fills it.
    """

    settings: OnlineSettings
    plan: Plan
    dataset: Dataset | None
    said: list[str] = field(default_factory=list)

    def refilling(self) -> Refilling:
        return Refilling(self.plan, lambda: self.dataset, self.said.append, look_seconds=0.05)

    def run(self, *commands: tuple[str | bytes | int, ...]) -> list[object]:
        async def run() -> list[object]:
            store = OnlineStore.connect(self.settings)
            try:
                return await store.client.run(commands, slow=True)
            finally:
                await store.close()

        return asyncio.run(run())

    def events(self, user: int) -> int:
        """How many are kept of a user."""

        async def run() -> int:
            store = OnlineStore.connect(self.settings)
            try:
                return len(await store.history(user))
            finally:
                await store.close()

        return asyncio.run(run())


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def kept(trained, redis_server, port, tmp_path: Path) -> Kept:
    online = trained.settings.online.model_copy(
        update={"url": f"redis://127.0.0.1:{port}/0", "slow_timeout_ms": 5_000.0}
    )
    paths = trained.settings.paths.model_copy(update={"work": tmp_path / "work"})
    settings = trained.settings.model_copy(update={"online": online, "paths": paths})
    return Kept(online, Plan(settings, True, True, None), trained.dataset)


@pytest.fixture
def redis(port, tmp_path: Path) -> Callable[[str], object]:
    """Starts a Redis whose data lies in a directory of a name."""
    return lambda name: embedded(tmp_path / name, port=port)


def clicking(trained) -> int:
    """A user of whom the log knows something."""
    return int(trained.dataset.impressions(["user_id"]).column("user_id")[0].as_py())


def test_what_comes_back_empty_is_filled_again(kept, redis, trained) -> None:
    user = clicking(trained)
    with kept.refilling() as refilling:
        with redis("first"):
            asyncio.run(filled(kept.plan, trained.dataset, kept.said.append))
            (line,) = kept.said
            assert line.startswith("60 users of small are loaded (")
            before = kept.events(user)
            assert before > 0
            refilling.start()
            kept.run(("FLUSHALL",))
            wait_for(lambda: len(kept.said) > 1)
            assert kept.events(user) == before
        with redis("second"):
            wait_for(lambda: len(kept.said) > 2)
            assert kept.events(user) == before
    assert all(
        line.startswith("redis came back with nothing; 60 users of small are loaded again (")
        for line in kept.said[1:]
    )


def test_an_unfinished_load_goes_on_and_another_one_is_left_alone(kept, redis, trained) -> None:
    with redis("data"), kept.refilling() as refilling:
        asyncio.run(filled(kept.plan, trained.dataset, kept.said.append))
        loaded = OnlineStore.connect(kept.settings).keys.loaded
        (note,) = kept.run(("GET", loaded))
        source, _, users = bytes(note).split(b":")
        kept.run(("SET", loaded, b"%d:1:9" % (int(source) + 1)))
        refilling.start()
        threading.Event().wait(0.5)
        assert len(kept.said) == 1
        kept.run(("SET", loaded, b"%b:1:%b" % (source, users)))
        wait_for(lambda: len(kept.said) > 1)
        assert kept.said[1].startswith("redis came back with some users; 60 users")
        assert kept.run(("GET", loaded)) == [note]


def test_a_fault_is_said_once_and_ends_nothing(kept) -> None:
    asked = threading.Semaphore(0)

    def torn() -> Dataset | None:
        asked.release()
        raise CorruptError("the dataset is torn")

    with Refilling(kept.plan, torn, kept.said.append, look_seconds=0.01) as refilling:
        refilling.start()
        for _ in range(3):
            assert asked.acquire(timeout=30)
    assert kept.said == ["redis cannot be kept loaded: the dataset is torn"]


def test_asked_to_end_it_ends_in_the_middle_of_a_load(kept, redis, monkeypatch) -> None:
    begun = threading.Event()

    async def endless(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("model_handlers.local.filling.refill", endless)
    with redis("data"), kept.refilling() as refilling:
        refilling.start()
        assert begun.wait(30)
    assert kept.said == []


@pytest.mark.parametrize("known", [True, False])
def test_without_a_redis_or_a_dataset_nothing_is_said(kept, known) -> None:
    if not known:
        kept.dataset = None
    asked = threading.Semaphore(0)

    def find() -> Dataset | None:
        asked.release()
        return kept.dataset

    with Refilling(kept.plan, find, kept.said.append, look_seconds=0.01) as refilling:
        refilling.start()
        for _ in range(3):
            assert asked.acquire(timeout=30)
    assert kept.said == []


def test_what_was_never_started_ends_at_once(kept) -> None:
    with kept.refilling():
        pass
