import asyncio
import time

import pytest

from shortlist.online.waiting import within


def test_an_answer_that_came_while_this_process_was_busy_came_in_time() -> None:
    async def look() -> str:
        ready = asyncio.get_running_loop().create_future()

        async def answer() -> str:
            return await ready

        task = asyncio.create_task(within(0.05, answer()))
        await asyncio.sleep(0)
        # Somebody else's work holds the loop beyond the deadline, and the answer lies there.
        asyncio.get_running_loop().call_soon(time.sleep, 0.1)
        asyncio.get_running_loop().call_soon(ready.set_result, "here")
        return await task

    assert asyncio.run(look()) == "here"


def test_a_loop_that_stays_busy_makes_nobody_slow() -> None:
    async def look() -> str:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def hold(left: int) -> None:
            time.sleep(0.03)
            if left:
                loop.call_later(0, hold, left - 1)
            else:
                ready.set_result("here")

        # Ten turns of 0.03 s each, after one of which the deadline has passed.
        task = asyncio.create_task(within(0.02, ready))
        loop.call_soon(hold, 9)
        return await task

    assert asyncio.run(look()) == "here"


def test_what_does_not_answer_is_given_up_and_cancelled() -> None:
    async def look() -> bool:
        never = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await within(0.01, never)
        return never.cancelled()

    assert asyncio.run(look())


def test_what_fails_fails_as_it_did() -> None:
    async def fail() -> None:
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        asyncio.run(within(1, fail()))
