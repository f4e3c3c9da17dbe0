"""A store whose Redis answers a page's first question and not its second."""

import asyncio
from typing import Any

import numpy as np
import pytest

from shortlist.online.blocklist import Blocklist
from shortlist.online.client import Client
from shortlist.online.keys import Keys
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings


class Pipeline:
    """Answers at once, but for what concerns the blocklist's members."""

    def __init__(self, version: bytes | None) -> None:
        self.version, self.names = version, []

    def execute_command(self, name: str, *_: Any) -> None:
        self.names.append(name)

    async def execute(self, *, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        if {"SMEMBERS", "SADD"} & set(self.names):
            await asyncio.sleep(3_600)
        answers = {"MGET": [None] * 3, "HMGET": [None] * 2, "GET": self.version}
        return [answers[name] for name in self.names]


class Driver:
    def __init__(self, version: bytes | None) -> None:
        self.version = version

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self.version)


@pytest.mark.parametrize("version", [b"newer", None], ids=["a takedown", "an empty Redis"])
def test_a_blocklist_that_does_not_come_costs_no_more_than_the_page_has(version) -> None:
    settings = OnlineSettings(timeout_ms=5_000, slow_timeout_ms=600_000)
    client = Client(settings, Driver(version))  # type: ignore[arg-type]
    known = Blocklist(np.array([7]), b"older")
    store = OnlineStore(settings, client, Keys("sl"), known)

    async def ask() -> Blocklist:
        return (await asyncio.wait_for(store.fetch(1, most_ms=50), 30)).blocked

    assert asyncio.run(ask()).video.tolist() == [7]
    # The next page looks again.
    assert store.blocked.version == b"older"
