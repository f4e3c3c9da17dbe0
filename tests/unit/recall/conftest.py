"""A catalogue with two kinds of videos and two crowds, and the four sources fitted to its log."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.events import Events, Histories, Kind
from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.recall.blend import Blend, load_blend
from shortlist.recall.fitting import fit_recall
from shortlist.recall.index import build_index
from shortlist.recall.query import Query
from shortlist.settings.recall import RecallSettings

FIRST_DAY = dt.date(2026, 1, 5)
DAYS = 6
USERS, VIDEOS, UNBORN, WIDTH = 40, 60, 6, 8
SETTINGS = RecallSettings(
    candidates=20, als_factors=4, als_iterations=4, als_l2=1.0, prior_impressions=5, index_queries=5
)


def make_users() -> Users:
    columns = {name: [None] * USERS for name in schema.USERS.names}
    return Users.from_table(pa.table({**columns, "user_id": range(USERS)}, schema=schema.USERS))


def make_catalogue() -> Catalogue:
    """Even videos are of cats, odd ones of dogs; the last six appear after the log ends."""
    columns = {name: [None] * VIDEOS for name in schema.VIDEOS.names}
    columns["video_id"] = list(range(VIDEOS))
    columns["tags"] = [[("cats", "dogs")[j % 2], f"mood-{j % 3}"] for j in range(VIDEOS)]
    born = [-9 if j < VIDEOS - UNBORN else DAYS for j in range(VIDEOS)]
    columns["uploaded_at"] = [
        dt.datetime.combine(FIRST_DAY + dt.timedelta(days=day), dt.time(12), dt.UTC) for day in born
    ]
    return Catalogue.from_table(pa.table(columns, schema=schema.VIDEOS))


def make_log(seed: int = 0) -> Interactions:
    """Users like videos of their own parity; nothing is known of the last user."""
    rng = np.random.default_rng(seed)
    live = VIDEOS - UNBORN
    user = np.repeat(np.arange(USERS - 1), 15)
    video = np.concatenate([rng.permutation(live)[:15] for _ in range(USERS - 1)])
    click = rng.random(len(user)) < np.where(user % 2 == video % 2, 0.8, 0.1)
    order = rng.permutation(len(user))
    unknown = np.full(len(user), np.nan, np.float32)
    first = (FIRST_DAY - dt.date(1970, 1, 1)).days
    return Interactions(
        user=user[order],
        video=video[order],
        day=first + np.arange(len(user)) * DAYS // len(user),
        session=np.full(len(user), -1),
        position=np.full(len(user), -1),
        click=click[order].astype(np.float32),
        long_view=(click & (rng.random(len(user)) < 0.5))[order].astype(np.float32),
        like=unknown,
        skip=(~click & (rng.random(len(user)) < 0.5))[order].astype(np.float32),
        watch_seconds=unknown,
        propensity=unknown.astype(np.float64),
        random_exposure=np.zeros(len(user), np.bool_),
        context=np.zeros((len(user), schema.CONTEXT_WIDTH), np.float32),
    )


def make_view() -> TrainingView:
    catalogue = make_catalogue()
    return TrainingView(
        users=make_users(),
        catalogue=catalogue,
        log=make_log(),
        content=np.zeros((VIDEOS, 1), np.float32),
        as_of=FIRST_DAY + dt.timedelta(days=DAYS),
        target="click",
        context=np.zeros(schema.CONTEXT_WIDTH, np.float32),
    )


@dataclass(frozen=True)
class Kit:
    """Everything that a test of recall wants: the view, item vectors, tables and a blend."""

    view: TrainingView
    vectors: np.ndarray
    directory: Path
    blend: Blend

    @property
    def live(self) -> np.ndarray:
        return self.view.catalogue.uploaded_before(self.view.as_of)

    def query(self, user: int = 0, **changes: object) -> Query:
        """The request of a user after the log, everything they met excluded."""
        history = Histories.from_log(self.view.log, USERS).of(user)
        vector = np.random.default_rng(user).normal(size=WIDTH).astype(np.float32)
        asked = Query(
            history=history,
            excluded=np.unique(history.video),
            user_vector=vector,
            interests=np.zeros(0, np.int64),
            day=float(self.view.as_of_day),
        )
        return replace(asked, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    directory = tmp_path_factory.mktemp("recall") / "tables"
    view = make_view()
    vectors = np.random.default_rng(5).normal(size=(VIDEOS, WIDTH)).astype(np.float32)
    fit_recall(view, SETTINGS, directory)
    live = view.catalogue.uploaded_before(view.as_of)
    build_index(vectors, live, SETTINGS, directory / "vector")
    return Kit(view, vectors, directory, load_blend(directory))


@pytest.fixture(scope="session")
def events_of() -> Callable[..., Events]:
    """Build events from (video, kind, day)."""

    def build(*rows: tuple[int, Kind, float]) -> Events:
        video, kind, day = zip(*rows, strict=True)
        return Events(np.array(video), np.array(kind, np.int8), np.array(day, np.float64))

    return build
