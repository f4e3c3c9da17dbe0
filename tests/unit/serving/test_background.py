"""A task in the background outlives what nobody foresaw."""

import asyncio
import logging

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from shortlist.online.blocklist import Blocklist
from shortlist.serving.background import for_ever
from shortlist.serving.service import Service
from shortlist.settings import Settings
from shortlist.telemetry.metrics import ServingMetrics


def test_a_turn_that_fails_is_logged_and_told_and_the_next_one_comes(caplog) -> None:
    turns, failed = 0, list[str]()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns < 3:
            raise ZeroDivisionError("unforeseen")
        await asyncio.Event().wait()

    async def go() -> None:
        task = asyncio.create_task(for_ever("encoder", turn, failed.append, pause_seconds=0))
        while turns < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.ERROR):
        asyncio.run(asyncio.wait_for(go(), 30))
    assert failed == ["encoder"] * 2
    assert caplog.text.count("ZeroDivisionError: unforeseen") == 2


def test_a_service_asks_its_predictor_again_after_what_nobody_foresaw(
    tmp_path, monkeypatch
) -> None:
    settings = Settings(paths={"bundles": tmp_path})
    figures = ServingMetrics(CollectorRegistry())

    async def go() -> None:
        service = Service.of(settings, figures)
        asked = asyncio.Event()

        async def refresh_blocklist() -> None:
            if figures.registry.get_sample_value(
                "shortlist_task_failures_total", {"task": "waking"}
            ):
                asked.set()
            raise ZeroDivisionError

        monkeypatch.setattr(service.store, "refresh_blocklist", refresh_blocklist)
        await service.start()
        await asked.wait()
        await service.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_a_service_tells_how_many_videos_are_down(tmp_path, monkeypatch) -> None:
    settings = Settings(paths={"bundles": tmp_path})
    figures = ServingMetrics(CollectorRegistry())

    async def go() -> None:
        service = Service.of(settings, figures)

        async def refresh_blocklist() -> None:
            service.store.blocked = Blocklist(np.array([7, 9]))

        monkeypatch.setattr(service.store, "refresh_blocklist", refresh_blocklist)
        await service.start()
        while not figures.registry.get_sample_value("shortlist_blocked_videos"):
            await asyncio.sleep(0.01)
        await service.close()

    asyncio.run(asyncio.wait_for(go(), 30))
    assert figures.registry.get_sample_value("shortlist_blocked_videos") == 2
