"""What the soak makes of an hour, where nothing runs: pages, second tries, memory, who was seen."""

import argparse
import asyncio
import importlib
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

ROOT = Path(__file__).parents[3]
MIB = 2**20


@pytest.fixture(autouse=True, scope="module")
def _benchmarks_can_be_imported():
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture
def parts():
    names = ("service", "faults", "hour", "report")
    return SimpleNamespace(
        **{name: importlib.import_module(f"benchmarks.serving.soak.{name}") for name in names}
    )


@pytest.fixture
def soak(parts):
    given = argparse.Namespace(minutes=60.0, rate=100.0, budget_ms=100.0, grace_ms=50.0)
    return parts.service.Soak(
        given=given,
        store=None,
        bundles=("a", "b"),
        users=[1, 2],
        videos=[3],
        ports={},
        process=None,
        draw=random.Random(1),
        began=time.monotonic(),
    )


def answering(soak, *answers):
    """The service gives these answers, one after the other; errors are raised."""
    left = list(answers)

    async def send(*_):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    soak.send = send


PAGE = (200, {"predictions": [{"degraded_by": [], "videos": []}]})


def test_a_page_that_is_cut_off_is_asked_for_once_more(soak):
    answering(soak, aiohttp.ServerDisconnectedError(), PAGE, PAGE)
    asyncio.run(soak.page(1, "s"))
    asyncio.run(soak.page(1, "s"))
    assert [(one.status, one.cut) for one in soak.asked] == [(200, True), (200, False)]


def test_a_second_cut_is_no_answer(soak):
    answering(soak, aiohttp.ServerDisconnectedError(), aiohttp.ServerDisconnectedError(), PAGE)
    asyncio.run(soak.page(1, "s"))
    assert [(one.status, one.cut) for one in soak.asked] == [(0, True)]


def test_what_took_too_long_is_not_asked_for_again(soak):
    answering(soak, TimeoutError(), PAGE)
    asyncio.run(soak.page(1, "s"))
    assert [(one.status, one.cut) for one in soak.asked] == [(0, False)]


def test_connections_may_be_cut_off_where_the_transformer_is_killed_and_nowhere_else(soak, parts):
    asked, done = parts.service.Asked, parts.service.Done
    soak.faults = [done("transformer killed", 10.0, 15.0)]
    soak.asked = [asked(10.0, 0.05, 200, (), True)]
    soak.due = 1
    assert parts.report.costs(soak)[1] == []
    soak.asked = [asked(40.0, 0.05, 200, (), True)]
    assert parts.report.costs(soak)[1] == ["1 connections were cut off, where none may be"]


def test_pages_that_fail_in_the_soak_itself_are_problems(soak, parts):
    answering(soak, PAGE, (200, {"predictions": []}))
    soak.given.rate = 20.0
    asyncio.run(parts.hour.load(soak, 0.1))
    assert parts.report.costs(soak)[1] == [
        "1 x IndexError: list index out of range",
        "2 pages were due, 1 have a result",
    ]


def looked_at(soak, parts, role, *, grows=0.0, log=0.0, every=5.0):
    """A process in the second half, growing by so many MiB and logging so many meanwhile."""
    for at in range(1_800, 3_600, int(every)):
        share = (at - 1_800) / 1_800
        soak.samples.append(
            parts.service.Sample(
                *(float(at), role, 7, 300.0, int((100 + (grows + log) * share) * MIB), 10, 5),
                int(log * share * MIB),
            )
        )


ROLES = ("supervisor", "redis", "java", "worker", "transformer", "transformer's parent")


def test_redis_is_judged_by_its_memory_but_for_the_event_log(soak, parts):
    for role in ROLES[2:] + ROLES[:1]:
        looked_at(soak, parts, role)
    looked_at(soak, parts, "redis", log=40.0)
    _, problems, told = parts.report.growth(soak)
    assert problems == []
    assert told["redis log"]["grown"] == pytest.approx(40 * MIB, rel=1e-3)
    soak.samples = [one for one in soak.samples if one.role != "redis"]
    looked_at(soak, parts, "redis", grows=20.0, log=40.0)
    assert parts.report.growth(soak)[1] == ["redis grew by 20.0 MiB"]


def test_an_hour_fails_where_a_role_was_hardly_seen(soak, parts):
    for role in ROLES[1:]:
        looked_at(soak, parts, role)
    looked_at(soak, parts, "supervisor", every=20.0)
    assert parts.report.growth(soak)[1] == [
        "supervisor was warm and looked at 90 times, too few to judge it"
    ]
    soak.samples = [one for one in soak.samples if one.role != "java"]
    assert len(parts.report.growth(soak)[1]) == 2


def test_a_short_run_does_not_judge_whom_it_hardly_saw(soak, parts):
    soak.given.minutes = 2.0
    assert parts.report.growth(soak)[1] == []
