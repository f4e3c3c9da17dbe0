"""Pages on their way to a store that fails, is slow, or is never there."""

import asyncio

import numpy as np
import pytest

from shortlist.errors import InputError, UnavailableError
from shortlist.online.entries import ServedPage
from shortlist.serving.recording import Record, Recorder
from shortlist.telemetry.current import bound, current
from shortlist.telemetry.traces import continued


def record(number: int, session: str = "s", user: int = 1) -> Record:
    return Record(
        ServedPage(
            request_id=f"{number:032x}",
            user=user,
            at=0.0,
            video=np.array([10 * number, 10 * number + 1]),
            position=np.arange(2, dtype=np.int16),
            propensity=np.ones(2),
            random=np.zeros(2, np.bool_),
            session_id=session,
        )
    )


class Keeper:
    def __init__(self, faults: int = 0) -> None:
        self.faults, self.kept, self.most, self.now = faults, [], 0, 0

    async def served(self, page, *, ranked=None, vector=None) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        if self.faults:
            self.faults -= 1
            raise UnavailableError("away")
        self.kept.append((page.user, page.session_id, int(page.request_id, 16)))


def recorded(keeper: Keeper, records: list[Record], most: int = 100, seconds: float = 5.0) -> int:
    """Hand over records, close, and count the lost."""
    lost: list[int] = []

    async def go() -> None:
        recorder = Recorder(keeper, most, lost=lost.append, pause_seconds=0.005)
        for one in records:
            recorder.add(one)
        await recorder.close(seconds)

    asyncio.run(go())
    return sum(lost)


def test_pages_of_a_session_are_written_in_their_order_and_sessions_at_a_time() -> None:
    keeper = Keeper()
    records = [record(n, f"s{n % 3}", n % 2) for n in range(30)]
    assert recorded(keeper, records) == 0
    assert keeper.most > 1
    for key in {one[:2] for one in keeper.kept}:
        numbers = [number for *of, number in keeper.kept if tuple(of) == key]
        assert numbers == sorted(numbers)
    assert len(keeper.kept) == 30


def test_after_an_outage_nobody_looks_again_and_again_for_what_was_lost_meanwhile() -> None:
    class Away(Keeper):
        async def served(self, page, **made) -> None:
            if not back.is_set():
                raise UnavailableError("away")
            await super().served(page, **made)

    async def go() -> None:
        recorder = Recorder(keeper, 10, pause_seconds=0.005)
        looks, look = [], recorder._next
        for number in range(5_000):
            recorder.add(record(number, f"s{number % 50}"))
            if number % 500 == 0:
                await asyncio.sleep(0.01)
        recorder._next = lambda: looks.append(1) or look()
        back.set()
        await recorder.close(5.0)
        assert 1 <= len(keeper.kept) <= 10
        assert len(looks) < 100

    back, keeper = asyncio.Event(), Away()
    asyncio.run(go())


def test_who_writes_works_for_no_request() -> None:
    """Writers outlive the request that they begin with; its ids would stay on their lines."""

    class Asking(Keeper):
        async def served(self, page, **made) -> None:
            working_for.append(current())

    async def go() -> None:
        recorder = Recorder(Asking(), 10)
        with bound("r-1", continued(None)):
            recorder.add(record(1))
        await recorder.close(5.0)

    working_for: list[object] = []
    asyncio.run(go())
    assert working_for == [None]


def test_what_fails_is_written_later_and_in_order() -> None:
    keeper = Keeper(faults=9)
    assert recorded(keeper, [record(n) for n in range(6)]) == 0
    assert [number for *_, number in keeper.kept] == list(range(6))


def test_what_cannot_be_written_is_counted() -> None:
    keeper = Keeper(faults=10**9)
    assert recorded(keeper, [record(n) for n in range(6)], seconds=0.05) == 6


def test_of_more_than_may_wait_the_oldest_are_lost_and_counted() -> None:
    keeper = Keeper()
    assert recorded(keeper, [record(n) for n in range(10)], most=4) == 6
    assert [number for *_, number in keeper.kept] == [6, 7, 8, 9]


def test_what_the_store_refuses_for_good_is_counted_and_not_tried_again() -> None:
    class Refusing(Keeper):
        async def served(self, page, *, ranked=None, vector=None) -> None:
            self.now += 1
            raise InputError("too long")

    keeper = Refusing()
    assert recorded(keeper, [record(1)]) == 1
    assert keeper.now == 1


def test_what_nobody_foresaw_costs_one_page_and_is_told() -> None:
    class Surprising(Keeper):
        async def served(self, page, *, ranked=None, vector=None) -> None:
            if page.user == 1:
                raise ZeroDivisionError
            await super().served(page)

    async def go() -> None:
        recorder = Recorder(
            keeper, 100, writers=1, lost=lost.append, failed=failed.append, pause_seconds=0
        )
        for n, user in enumerate([1, 2, 1, 3]):
            recorder.add(record(n, user=user))
        await recorder.close(5)

    keeper, lost, failed = Surprising(), list[int](), list[str]()
    asyncio.run(go())
    assert [user for user, *_ in keeper.kept] == [2, 3]
    assert (lost, failed) == ([1, 1], ["recorder"] * 2)


def test_what_waits_of_a_user_can_be_dropped() -> None:
    async def go() -> list:
        keeper = Keeper()
        recorder = Recorder(keeper, 100)
        recorder.add(record(1, user=1))
        recorder.add(record(2, user=2))
        recorder.drop(1)
        await recorder.close(5)
        return keeper.kept

    assert asyncio.run(go()) == [(2, "s", 2)]


def test_what_is_being_written_of_a_dropped_user_is_not_tried_again() -> None:
    async def go() -> list:
        keeper = Keeper(faults=1)
        recorder = Recorder(keeper, 100, pause_seconds=0.001)
        recorder.add(record(1, user=1))
        while not keeper.now:
            await asyncio.sleep(0)
        recorder.drop(1)
        assert len(recorder) == 0
        recorder.add(record(2, user=2))
        await recorder.close(5)
        return keeper.kept

    assert asyncio.run(go()) == [(2, "s", 2)]


@pytest.mark.parametrize("wait", [0.0, 0.1])
def test_closing_takes_no_longer_than_it_may(wait) -> None:
    async def go() -> None:
        recorder = Recorder(Keeper(faults=10**9), 100, pause_seconds=5)
        recorder.add(record(1))
        await asyncio.wait_for(recorder.close(wait), 5)

    asyncio.run(go())
