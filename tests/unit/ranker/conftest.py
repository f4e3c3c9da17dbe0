"""A micro world of two crowds, and a cascade that was trained on its log and exported."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.ranker.cascade import Cascade
from shortlist.ranker.features import ItemFeatures, item_features
from shortlist.ranker.fit import Fitted, fit, write
from shortlist.ranker.windows import Batch, Rows, Windows, batch_of, cut, rows_of
from shortlist.settings.ranker import RankerSettings

FIRST_DAY = dt.date(2026, 1, 5)
DAYS = 6
USERS, VIDEOS, UNBORN, WIDTH = 24, 40, 4, 12
SESSIONS, LENGTH = 5, 6
SETTINGS = RankerSettings(
    history=6,
    width=16,
    content_components=5,
    encoder_layers=1,
    list_layers=1,
    list_size=8,
    alpha=1.0,
    beta=0.02,
    temperature=0.5,
    tower_weight=0.5,
    watch_weight=0.1,
    dropout=0.1,
    weight_decay=0.01,
    gradient_clip=1.0,
    averaging=0.3,
    video_prior=1.0,
    creator_prior=1.0,
    list_nearest=6,
    list_recalled=4,
    list_share=0.5,
    refit_users=0,
    epochs=3,
    patience=3,
    batch_windows=6,
    window=12,
    validation_users=0.4,
    validation_tail=0.2,
    learning_rate=0.02,
    threads=1,
)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def make_users() -> Users:
    columns = {name: [None] * USERS for name in schema.USERS.names}
    columns["user_id"] = [100 + 3 * i for i in range(USERS)]
    columns["interests"] = [[("cats", "dogs")[i % 2]] if i % 3 else None for i in range(USERS)]
    columns["language"] = [("en", "de", None)[i % 3] for i in range(USERS)]
    return Users.from_table(pa.table(columns, schema=schema.USERS))


def make_catalogue() -> Catalogue:
    """Even videos are of cats, odd ones of dogs; the last four appear after the log ends."""
    columns = {name: [None] * VIDEOS for name in schema.VIDEOS.names}
    columns["video_id"] = [10 + 2 * j for j in range(VIDEOS)]
    columns["tags"] = [[("cats", "dogs")[j % 2], f"mood-{j % 3}"] for j in range(VIDEOS)]
    columns["creator_id"] = [j % 7 if j % 10 else None for j in range(VIDEOS)]
    columns["language"] = [("en", "de")[j % 2] for j in range(VIDEOS)]
    columns["duration_seconds"] = [None if j == 5 else 5.0 + j for j in range(VIDEOS)]
    born = [-(j % 9) if j < VIDEOS - UNBORN else DAYS for j in range(VIDEOS)]
    columns["uploaded_at"] = [
        dt.datetime.combine(FIRST_DAY + dt.timedelta(days=day), dt.time(), dt.UTC) for day in born
    ]
    return Catalogue.from_table(pa.table(columns, schema=schema.VIDEOS))


def make_log(seed: int = 0) -> Interactions:
    """Users like videos of their own parity; the last user was never shown anything."""
    rng = np.random.default_rng(seed)
    live, each = VIDEOS - UNBORN, SESSIONS * LENGTH
    count = (USERS - 1) * each
    user = np.repeat(np.arange(USERS - 1), each)
    video = np.concatenate([rng.permutation(live)[:each] for _ in range(USERS - 1)])
    position = np.tile(np.arange(LENGTH), count // LENGTH)
    session = np.repeat(np.arange(count // LENGTH), LENGTH)
    day = np.tile(np.repeat(np.arange(SESSIONS), LENGTH), USERS - 1)
    click = rng.random(count) < np.where(user % 2 == video % 2, 0.85, 0.15)
    order = np.argsort(day, kind="stable")
    first = (FIRST_DAY - dt.date(1970, 1, 1)).days
    outcome = click.astype(np.float32)
    outcome[rng.random(count) < 0.05] = np.nan
    seconds = np.where(click, rng.exponential(8.0, count), 1.0).astype(np.float32)
    return Interactions(
        user=user[order],
        video=video[order],
        day=first + day[order],
        session=session[order],
        position=position[order],
        click=outcome[order],
        long_view=(click & (seconds > 8))[order].astype(np.float32),
        like=np.full(count, np.nan, np.float32),
        skip=(~click & (rng.random(count) < 0.5))[order].astype(np.float32),
        watch_seconds=seconds[order],
        propensity=np.full(count, np.nan),
        random_exposure=(rng.random(count) < 0.1)[order],
        context=rng.normal(size=(count, schema.CONTEXT_WIDTH)).astype(np.float32),
    )


def make_content() -> np.ndarray:
    """Cats lie apart from dogs in the first direction; rows of unit length."""
    rng = np.random.default_rng(3)
    content = 0.4 * rng.normal(size=(VIDEOS, WIDTH))
    content[:, 0] += np.where(np.arange(VIDEOS) % 2, 1.0, -1.0)
    return (content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float32)


def make_view(seed: int = 7) -> TrainingView:
    return TrainingView(
        users=make_users(),
        catalogue=make_catalogue(),
        log=make_log(),
        content=make_content(),
        as_of=FIRST_DAY + dt.timedelta(days=DAYS),
        target="click",
        context=np.zeros(schema.CONTEXT_WIDTH, np.float32),
        seed=seed,
    )


def make_recalled() -> np.ndarray:
    """What tables would find: some live videos for each user, int64 [n_users, 4]."""
    rng = np.random.default_rng(4)
    return np.stack([rng.permutation(VIDEOS - UNBORN)[:4] for _ in range(USERS)])


@dataclass(frozen=True)
class Micro:
    """The world, as training sees it."""

    view: TrainingView
    recalled: np.ndarray
    settings: RankerSettings
    features: ItemFeatures
    rows: Rows
    windows: Windows

    @property
    def profile_width(self) -> int:
        return self.rows.profile.shape[1] + self.rows.tally.shape[1]

    @property
    def live(self) -> np.ndarray:
        return np.flatnonzero(self.view.catalogue.uploaded_before(self.view.as_of))

    def batch(self, *chosen: int) -> Batch:
        return batch_of(self.windows, np.array(chosen))

    def cascade(self, **changes: Any) -> Cascade:
        """A cascade no part of which is silent, as fresh heads are."""
        torch.manual_seed(1)
        settings = self.settings.model_copy(update=changes)
        cascade = Cascade(self.features, self.profile_width, settings)
        with torch.no_grad():
            for weight in cascade.parameters():
                weight.add_(0.2 * torch.randn_like(weight))
        return cascade.eval()


@pytest.fixture(scope="session")
def micro() -> Micro:
    view, settings = make_view(), SETTINGS
    features = item_features(view, settings.content_components)
    rows = rows_of(view, features.tags)
    windows = cut(rows.borders[:-1], rows.borders[1:], settings.history, settings.window)
    return Micro(view, make_recalled(), settings, features, rows, windows)


@dataclass(frozen=True)
class Trained:
    """A cascade that `fit` trained, its scratch directory, and the directory of its artefacts."""

    fitted: Fitted
    scratch: Path
    directory: Path


@pytest.fixture(scope="session")
def fitted(micro: Micro, tmp_path_factory: pytest.TempPathFactory) -> tuple[Fitted, Path]:
    scratch = tmp_path_factory.mktemp("ranker") / "scratch"
    fitted = fit(micro.view, micro.recalled, micro.settings, scratch)
    assert fitted is not None
    return fitted, scratch


@pytest.fixture(scope="session")
def trained(
    fitted: tuple[Fitted, Path], micro: Micro, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """The artefacts of the trained cascade."""
    directory = tmp_path_factory.mktemp("ranker") / "artefacts"
    write(fitted[0], micro.settings, directory)
    return Trained(*fitted, directory)
