"""A small log whose right answers are known, for every suite over recommenders."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.encoders.hashing import HashingEncoder
from shortlist.encoders.text import video_texts
from shortlist.settings.world import WorldSettings
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth
from shortlist.world.world import make_world

FIRST_DAY = dt.date(2026, 1, 5)


@dataclass(frozen=True)
class Blocks:
    """Two crowds and two kinds of videos: each crowd likes its own kind, some videos more so.

    ``truth`` [n_users, n_videos] is the probability of a click by which the log was drawn.
    Exposure is uniform, so that it tells nothing of what is liked.
    """

    view: TrainingView
    truth: np.ndarray


def make_users(number: int) -> Users:
    columns = {name: [None] * number for name in schema.USERS.names}
    columns["user_id"] = list(range(100, 100 + number))
    return Users.from_table(pa.table(columns, schema=schema.USERS))


def make_catalogue(number: int) -> Catalogue:
    columns = {name: [None] * number for name in schema.VIDEOS.names}
    columns["video_id"] = list(range(1_000, 1_000 + number))
    columns["tags"] = [[f"kind-{j % 2}"] for j in range(number)]
    columns["duration_seconds"] = [float(10 + j) for j in range(number)]
    columns["uploaded_at"] = [
        dt.datetime.combine(FIRST_DAY - dt.timedelta(days=j % 9 + 1), dt.time(), dt.UTC)
        for j in range(number)
    ]
    return Catalogue.from_table(pa.table(columns, schema=schema.VIDEOS))


def make_log(user: np.ndarray, video: np.ndarray, outcome: np.ndarray, days: int) -> Interactions:
    """A log in which rows come in the order of time, spread evenly over ``days``."""
    rows = len(user)
    first = (FIRST_DAY - dt.date(1970, 1, 1)).days
    nothing = np.full(rows, np.nan, np.float32)
    return Interactions(
        user=user.astype(np.int64),
        video=video.astype(np.int64),
        day=first + np.arange(rows) * days // max(rows, 1),
        session=np.full(rows, -1),
        position=np.full(rows, -1),
        click=outcome.astype(np.float32),
        long_view=nothing,
        like=nothing,
        skip=nothing,
        watch_seconds=nothing,
        propensity=nothing.astype(np.float64),
        random_exposure=np.zeros(rows, np.bool_),
        context=np.zeros((rows, schema.CONTEXT_WIDTH), np.float32),
    )


def make_view(log: Interactions, users: Users, catalogue: Catalogue, seed: int = 0) -> TrainingView:
    kind = np.arange(len(catalogue))[:, None] % 2 == np.array([0, 1, 0])
    content = kind + 0.3 * np.random.default_rng(9).normal(size=kind.shape).astype(np.float32)
    days = int(np.ptp(log.day)) + 1 if len(log) else 1
    return TrainingView(
        users=users,
        catalogue=catalogue,
        log=log,
        content=(content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float32),
        as_of=FIRST_DAY + dt.timedelta(days=days),
        target="click",
        context=np.zeros(schema.CONTEXT_WIDTH, np.float32),
        seed=seed,
    )


def make_blocks(
    users: int = 80, videos: int = 40, shown: int = 24, days: int = 6, seed: int = 0
) -> Blocks:
    """Show ``shown`` distinct videos to every user; nothing is known of the last user."""
    rng = np.random.default_rng(seed)
    own = np.arange(users)[:, None] % 2 == np.arange(videos) % 2
    quality = rng.permutation(np.repeat([0.35, 0.95], -(-videos // 2))[:videos])
    truth = np.where(own, quality, quality / 8)
    video = np.concatenate([rng.permutation(videos)[:shown] for _ in range(users - 1)])
    user = np.repeat(np.arange(users - 1), shown)
    order = rng.permutation(len(user))
    user, video = user[order], video[order]
    outcome = rng.random(len(user)) < truth[user, video]
    log = make_log(user, video, outcome, days)
    return Blocks(make_view(log, make_users(users), make_catalogue(videos), seed), truth)


@dataclass(frozen=True)
class TinyWorld:
    """A synthetic world in memory: the view of its history, its last days and its truth."""

    view: TrainingView
    test: Interactions
    truth: Truth


@pytest.fixture(scope="session")
def tiny_world() -> TinyWorld:
    settings = WorldSettings(users=150, videos=300, creators=40, days=9, impressions=12_000)
    world = make_world(settings, 8)
    users = Users.from_table(world.users_table())
    table = world.videos_table()
    catalogue = Catalogue.from_table(table)
    days = [
        Interactions.from_table(world.impressions_table(day), users, catalogue)
        for day in range(settings.days)
    ]
    history, test = (join(part) for part in (days[:7], days[7:]))
    view = TrainingView(
        users=users,
        catalogue=catalogue,
        log=history,
        content=HashingEncoder(48).encode(video_texts(table)),
        as_of=settings.first_day + dt.timedelta(days=7),
        target="click",
        context=standard_context(),
    )
    return TinyWorld(view, test, Truth(world, key="tiny"))


def join(parts: list[Interactions]) -> Interactions:
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Interactions)
    }
    return Interactions(**columns)


@pytest.fixture(scope="session")
def blocks() -> Blocks:
    return make_blocks()


@pytest.fixture(scope="session")
def blocks_of() -> Callable[..., Blocks]:
    return make_blocks


@pytest.fixture(scope="session")
def view_of() -> Callable[..., TrainingView]:
    """Build a view from users, videos and outcomes given row by row."""

    def build(
        user: list[int], video: list[int], outcome: list[float], users: int, videos: int
    ) -> TrainingView:
        log = make_log(np.array(user), np.array(video), np.array(outcome), days=1)
        return make_view(log, make_users(users), make_catalogue(videos))

    return build
