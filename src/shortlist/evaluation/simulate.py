"""The world's users as clients of the live service: they watch, skip and tire as the truth says.

Sessions are those of a day of the world. Each asks for a page, goes through it from top to bottom,
reports what it did, and asks for the next one until it is over. Sessions begin at a fixed rate
whether or not the service keeps up, so a slow service is not spared.
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
import numpy as np

from shortlist.errors import RefusedError, UnavailableError
from shortlist.evaluation.crowd import Crowd, Viewer, Visitor
from shortlist.evaluation.metrics.intervals import mean_ratio
from shortlist.evaluation.scorecard import Estimate
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.recommend import V1_PATH
from shortlist.world.truth import Truth

Progress = Callable[[int, int], None]

_ASK_SECONDS: Final = 10.0
_CONNECTIONS: Final = 64


@dataclass(frozen=True)
class Traffic:
    """How much is asked, of whom, and by which arms.

    Attributes:
        address: base address of the service.
        key: bearer key for events; none where None.
        rate: sessions that begin each second.
        sessions: that begin in all, at most.
        seconds: during which sessions begin, at most.
        arms: experiment keys between which users are divided; one without a key where empty.
        seed: of who comes when, and of what they do.
    """

    address: str
    key: str | None
    rate: float
    sessions: int
    seconds: float
    arms: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class ArmFigures:
    """What an arm reached, per video seen; intervals are over users.

    Attributes:
        users, sessions, videos, pages, degraded, failed: counts.
        value: true probability of a click.
        click: share that was clicked.
        skip: share that was skipped.
        watched: seconds.
    """

    users: int
    sessions: int
    videos: int
    pages: int
    degraded: int
    failed: int
    value: Estimate
    click: Estimate
    skip: Estimate
    watched: Estimate


async def simulate(
    truth: Truth,
    date: dt.date,
    traffic: Traffic,
    progress: Progress = lambda _done, _sessions: None,
) -> list[Viewer]:
    """Send the world's users to a service; what each session did.

    Args:
        truth: of the world.
        date: whose sessions they are.
        traffic: how much, and where.
        progress: told how many sessions are over, of how many.

    Raises:
        RefusedError: the service shows videos that the world does not have, or takes no events.
        UnavailableError: no session got a page.
    """
    count = min(traffic.sessions, max(1, int(traffic.rate * traffic.seconds)))
    crowd = Crowd(truth, date, count, traffic.arms or ("",), traffic.seed)
    run = uuid.uuid4().hex[:12]
    headers = {"authorization": f"Bearer {traffic.key}"} if traffic.key else {}
    visitors = [crowd.visitor(int(session)) for session in crowd.chosen]
    over = 0

    async def visit(place: int, visitor: Visitor) -> None:
        nonlocal over
        await asyncio.sleep(place / traffic.rate)
        await _visit(client, traffic.address, visitor, run)
        over += 1
        progress(over, len(visitors))

    limit = aiohttp.TCPConnector(limit=_CONNECTIONS)
    patience = aiohttp.ClientTimeout(total=_ASK_SECONDS)
    client = aiohttp.ClientSession(headers=headers, connector=limit, timeout=patience)
    try:
        async with client, asyncio.TaskGroup() as group:
            for place, visitor in enumerate(visitors):
                group.create_task(visit(place, visitor))
    except* RefusedError as refusals:
        raise refusals.exceptions[0] from None
    did = [visitor.did for visitor in visitors]
    if not any(one.pages for one in did):
        raise UnavailableError(f"no page came from {traffic.address}; is `shortlist up` running?")
    return did


async def _visit(client: aiohttp.ClientSession, address: str, visitor: Visitor, run: str) -> None:
    number = 0
    while visitor.left > 0:
        try:
            body = {"instances": [visitor.asks(number, run)]}
            async with client.post(f"{address}{V1_PATH}", json=body) as answer:
                answer.raise_for_status()
                (page,) = (await answer.json())["predictions"]
            events = visitor.goes_through(page, run)
            if events:
                async with client.post(f"{address}{EVENTS_PATH}", json={"events": events}) as told:
                    if told.status == 401:
                        raise RefusedError("the service takes events with a key alone; give --key")
                    told.raise_for_status()
        except (aiohttp.ClientError, TimeoutError):
            visitor.did.failed += 1
            return
        if page["next_page"] is None or not page["videos"]:
            return
        number = page["next_page"]


def by_arm(did: Sequence[Viewer], resamples: int = 1_000, seed: int = 0) -> dict[str, ArmFigures]:
    """What each arm reached.

    Raises:
        RefusedError: an arm has fewer than two users who saw something.
    """
    return {
        arm: _figures([one for one in did if one.arm == arm], resamples, seed)
        for arm in sorted({one.arm for one in did})
    }


def _figures(did: Sequence[Viewer], resamples: int, seed: int) -> ArmFigures:
    users = sorted({one.user for one in did if one.seen})
    row = {user: place for place, user in enumerate(users)}
    names = ("value", "clicks", "skips", "watched", "seen")
    sums = {name: np.zeros(len(users)) for name in names}
    for one in did:
        for name in names if one.seen else ():
            sums[name][row[one.user]] += getattr(one, name)
    if len(users) < 2:
        raise RefusedError(f"only {len(users)} users saw something; an interval needs two")
    each = {name: mean_ratio(sums[name], sums["seen"], resamples, seed) for name in names[:4]}

    def total(name: str) -> int:
        return sum(int(getattr(one, name)) for one in did)

    return ArmFigures(
        users=len(users),
        sessions=len(did),
        videos=total("seen"),
        pages=total("pages"),
        degraded=total("degraded"),
        failed=total("failed"),
        value=each["value"],
        click=each["clicks"],
        skip=each["skips"],
        watched=each["watched"],
    )
