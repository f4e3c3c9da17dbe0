"""Training gets what recall finds, keeps its checkpoints over a kill, and its vectors an index."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from shortlist.datasets.interactions import Ints, TrainingView
from shortlist.evaluation.stages import Stages
from shortlist.ranker.artefacts import ITEM_VECTORS
from shortlist.ranker.scoring import Scorer
from shortlist.recall.blend import load_blend
from shortlist.recall.tables import Tables
from shortlist.settings import Settings
from shortlist.settings.ranker import RankerSettings
from shortlist.steps import index as step
from shortlist.steps.index import user_vectors
from shortlist.steps.line import Line
from shortlist.steps.recalled import recalled_by_tables


@pytest.fixture
def line(settings: Settings) -> Line:
    ranker = settings.ranker.model_copy(update={"list_recalled": 20})
    recall = settings.recall.model_copy(update={"candidates": 70})
    settings = settings.model_copy(update={"ranker": ranker, "recall": recall})
    return Line(settings, Stages(say=lambda line: None))


class Trainer:
    """Stands in for hours of work: two epochs, the second of which may be killed."""

    def __init__(self, write: Callable[[TrainingView, Path], None]) -> None:
        self.write = write
        self.epochs: list[int] = []
        self.killed = False
        self.company: Ints | None = None

    def __call__(
        self,
        view: TrainingView,
        recalled: Ints,
        settings: RankerSettings,
        into: Path,
        scratch: Path,
    ) -> None:
        self.company = recalled
        for epoch in range(2):
            if (scratch / f"{epoch}").exists():
                continue
            self.epochs.append(epoch)
            if self.killed and epoch == 1:
                raise KeyboardInterrupt
            (scratch / f"{epoch}").touch()
        into.rmdir()
        self.write(view, into)


@pytest.fixture
def trainer(
    monkeypatch: pytest.MonkeyPatch, ranker_of: Callable[[TrainingView, Path], None]
) -> Trainer:
    stand_in = Trainer(ranker_of)
    # In place of the module, which would load torch.
    module = SimpleNamespace(train_ranker=stand_in)
    monkeypatch.setitem(sys.modules, "shortlist.ranker.fit", module)
    return stand_in


def test_a_killed_training_goes_on_and_a_finished_one_is_found(
    settings: Settings, line: Line, trainer: Trainer
):
    trainer.killed = True
    with pytest.raises(KeyboardInterrupt):
        _ = line.ranker
    trainer.killed = False
    resumed = line.ranker
    assert trainer.epochs == [0, 1, 1]
    again = Line(line.settings, Stages(say=lambda line: None)).ranker
    assert (again.reused, again.digest) == (True, resumed.digest)
    assert trainer.epochs == [0, 1, 1]


def test_the_company_of_training_is_what_recall_finds(line: Line, trainer: Trainer):
    view, tables = line.view, line.recalled.path
    settings = line.settings.recall
    company = recalled_by_tables(view, tables, settings, 20)
    assert company.shape == (40, 20)
    live = np.array(Tables.load(tables).live)
    assert live[company].all()
    for user in range(40):
        seen = view.log.video[view.log.user == user]
        assert not set(company[user]) & set(seen)
        assert len(set(company[user])) == 20
    assert recalled_by_tables(view, tables, settings, 0).shape == (40, 0)
    # Nobody can be shown more than is left to see.
    assert 20 < recalled_by_tables(view, tables, settings, 1_000).shape[1] < live.sum()
    _ = line.ranker
    assert trainer.company is not None
    np.testing.assert_array_equal(trainer.company, company)


def test_recall_as_it_serves_holds_the_tables_and_the_rankers_vectors(line: Line, trainer: Trainer):
    indexed = line.indexed
    blend = load_blend(indexed.path)
    assert [source.name for source in blend.sources] == [
        "popularity",
        "tags",
        "collaborative",
        "vector",
    ]
    for table in line.recalled.path.glob("*.npy"):
        assert (indexed.path / table.name).read_bytes() == table.read_bytes()
    assert blend.settings == line.settings.recall
    assert indexed.said.startswith("flat-fp16 of ")
    assert indexed.said.endswith(f"for {len(np.unique(line.view.log.user))} users")


def test_an_index_is_measured_on_vectors_of_users_who_did_something(
    line: Line, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
):
    asked: list[np.ndarray] = []
    build = step.build_index

    def building(vectors, live, settings, into, queries):
        asked.append(queries)
        return build(vectors, live, settings, into, queries)

    monkeypatch.setattr(step, "build_index", building)
    scorer, view = Scorer.load(line.ranker.path), line.view
    _ = line.indexed
    np.testing.assert_array_equal(asked[0], user_vectors(scorer, view, 100))
    active = np.unique(view.log.user)
    assert asked[0].shape == (len(active), np.load(line.ranker.path / ITEM_VECTORS).shape[1])
    few = user_vectors(scorer, view, 5)
    assert few.shape[0] == 5
    assert all((asked[0] == vector).all(axis=1).any() for vector in few)
