"""How long a round trip may take, and what is said of one that took longer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shortlist.errors import UnavailableError
from shortlist.online.client import Client, Command
from shortlist.settings.online import OnlineSettings

TIMEOUT_MS = 400.0


def test_who_waits_for_a_batch_under_way_has_its_own_time_yet() -> None:
    async def work() -> None:
        client = Client.of(OnlineSettings(timeout_ms=TIMEOUT_MS))

        async def slow(commands: Sequence[Command]) -> list[Any]:
            await asyncio.sleep(0.7 * TIMEOUT_MS / 1e3)
            return ["answer"] * len(commands)

        client.batches.send = slow
        asked = []
        for _ in range(3):  # Two leave at once, the third when one of them is back.
            asked.append(asyncio.create_task(client.run([("PING",)])))
            await asyncio.sleep(0.01)
        assert await asyncio.gather(*asked) == [["answer"]] * 3
        assert client.batches.sent == 3
        await client.close()

    asyncio.run(work())


def test_one_that_takes_too_long_names_the_time_of_one_answer() -> None:
    async def work() -> None:
        client = Client.of(OnlineSettings(timeout_ms=30.0))

        async def never(_commands: Sequence[Command]) -> list[Any]:
            await asyncio.sleep(60)
            return []

        client.batches.send = never
        with pytest.raises(UnavailableError, match=r"within 30 ms; .* raise online\.timeout_ms"):
            await client.run([("PING",)])
        with pytest.raises(UnavailableError, match="within 5 ms"):
            await client.run([("PING",)], most_ms=5.0)
        await client.close()

    asyncio.run(work())
