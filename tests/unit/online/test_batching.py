"""Requests that wait at the same time share a system call, and nothing else."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from shortlist.online.batching import Batches


class Redis:
    """Answers each number with its double, after some turns of the loop."""

    def __init__(self, turns: int = 3, broken: bool = False) -> None:
        self.batches: list[list[int]] = []
        self._turns = turns
        self._broken = broken

    async def send(self, commands: Sequence[int]) -> list[int]:
        self.batches.append(list(commands))
        for _ in range(self._turns):
            await asyncio.sleep(0)
        if self._broken:
            raise ConnectionResetError("gone")
        return [2 * command for command in commands]


def test_everyone_gets_his_own_answers_from_a_shared_batch() -> None:
    redis = Redis()

    async def work() -> list[list[int]]:
        batches = Batches(redis.send, 5.0)
        return list(await asyncio.gather(*(batches.ask([n, 100 + n]) for n in range(30))))

    answers = asyncio.run(work())
    assert answers == [[2 * n, 200 + 2 * n] for n in range(30)]
    assert len(redis.batches) <= 2
    assert sorted(itertools.chain(*redis.batches)) == sorted([*range(30), *range(100, 130)])


def test_what_arrives_while_two_are_under_way_leaves_together() -> None:
    redis = Redis(turns=20)

    async def work() -> None:
        batches = Batches(redis.send, 5.0)
        tasks = []
        for n in range(12):
            tasks.append(asyncio.create_task(batches.ask([n])))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    asyncio.run(work())
    assert [len(batch) for batch in redis.batches[:2]] == [1, 1]
    assert len(redis.batches) <= 5


def test_a_lone_request_waits_for_nobody_and_an_empty_one_is_answered() -> None:
    redis = Redis()

    async def work() -> None:
        batches = Batches(redis.send, 5.0)
        for n in range(4):
            assert await batches.ask([n]) == [2 * n]
        assert await batches.ask([]) == []

    asyncio.run(work())
    assert redis.batches[:4] == [[0], [1], [2], [3]]


def test_the_patient_leave_with_whoever_comes_or_after_a_while_alone() -> None:
    redis = Redis()

    async def work() -> None:
        batches = Batches(redis.send, 5.0)
        patient = asyncio.create_task(batches.ask([1], patient=True))
        await asyncio.sleep(0)
        assert redis.batches == []
        assert await batches.ask([2]) == [4]
        assert await patient == [2]
        assert redis.batches == [[1, 2]]
        assert await batches.ask([3], patient=True) == [6]
        assert await batches.ask([4], patient=True) == [8]

    asyncio.run(work())
    assert redis.batches == [[1, 2], [3], [4]]


def test_who_is_patient_while_two_are_under_way_does_not_hurry_after_them() -> None:
    redis = Redis(turns=20)

    async def work() -> None:
        batches = Batches(redis.send, 5.0)
        tasks = [asyncio.create_task(batches.ask([1]))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(batches.ask([2], patient=True)))
        await tasks[0]
        assert redis.batches == [[1]]
        assert await tasks[1] == [4]

    asyncio.run(work())
    assert redis.batches == [[1], [2]]


def test_patience_that_ends_when_all_have_left_does_not_keep_later_ones_waiting() -> None:
    release = asyncio.Event()

    async def held(commands: Sequence[int]) -> list[int]:
        await release.wait()
        return [2 * command for command in commands]

    async def work() -> None:
        batches = Batches(held, 5.0)
        first = asyncio.create_task(batches.ask([1]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(batches.ask([2]))
        patient = asyncio.create_task(batches.ask([3], patient=True))
        await asyncio.sleep(0.02)
        release.set()
        assert await asyncio.gather(first, second, patient) == [[2], [4], [6]]
        for number in (4, 5):
            async with asyncio.timeout(1):
                assert await batches.ask([number], patient=True) == [2 * number]

    asyncio.run(work())


def test_who_gives_up_spoils_nothing_for_the_others() -> None:
    redis = Redis(turns=50)

    async def work() -> list[int]:
        batches = Batches(redis.send, 5.0)
        first, second = (asyncio.create_task(batches.ask([n])) for n in (1, 2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(work()) == [4]


def test_all_of_a_batch_hear_of_its_failure_and_the_next_goes_on() -> None:
    redis = Redis(broken=True)

    async def work() -> None:
        batches = Batches(redis.send, 5.0)
        found = await asyncio.gather(*(batches.ask([n]) for n in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [ConnectionResetError] * 3
        redis._broken = False
        assert await batches.ask([4]) == [8]

    asyncio.run(work())


def test_a_batch_that_takes_too_long_is_given_up() -> None:
    async def never(_commands: Sequence[int]) -> list[int]:
        await asyncio.sleep(60)
        return []

    async def work() -> None:
        batches = Batches(never, 0.02)
        with pytest.raises(TimeoutError):
            await batches.ask([1])
        assert batches.sent == 1

    asyncio.run(work())
