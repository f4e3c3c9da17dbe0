"""At the size that serves, two threads learn the same twice, and graphs say what was trained."""

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
import pytest
import torch

from shortlist.datasets.interactions import TrainingView
from shortlist.datasets.split import split
from shortlist.encoders.hashing import HashingEncoder
from shortlist.encoders.text import video_texts
from shortlist.ranker.artefacts import GRAPHS
from shortlist.ranker.fit import Fitted, fit, write
from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.ranker import RankerSettings
from shortlist.settings.world import WorldSettings
from shortlist.steps.view import learned_view
from shortlist.world.generate import generate

TOLERANCE = 1e-5
EVENTS, LISTED = 50, 100
# Width, layers, windows of a step and threads are those of every preset but `tiny`.
SETTINGS = RankerSettings(epochs=1)
WORLD = WorldSettings(
    users=40, videos=400, creators=40, days=4, impressions=5_400, name="full-size"
)
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> TrainingView:
    work = tmp_path_factory.mktemp("full-size")
    dataset, _ = generate(WORLD, 5, work / "datasets", work / "truth")
    cut = split(dataset, DatasetsSettings(test_days=1, validation_days=1))
    content = HashingEncoder(256).encode(video_texts(dataset.videos()))
    return learned_view(dataset, cut, content, wanted="click", seed=5)


@pytest.fixture(scope="module")
def runs(view: TrainingView, tmp_path_factory: pytest.TempPathFactory) -> list[Fitted]:
    """Two trainings alike, each on two threads."""
    rng = np.random.default_rng(4)
    live = np.flatnonzero(view.catalogue.uploaded_before(view.as_of))
    recalled = np.stack([rng.permutation(live)[:LISTED] for _ in range(WORLD.users)])
    fitted = []
    try:
        for run in ("one", "other"):
            fitted.append(fit(view, recalled, SETTINGS, tmp_path_factory.mktemp(run)))
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    return [one for one in fitted if one is not None]


def test_two_runs_on_two_threads_agree_to_the_last_digit(runs: list[Fitted]):
    one, other = runs
    assert len(one.rows) > 2 * SETTINGS.batch_windows * SETTINGS.window
    weights, others = one.cascade.state_dict(), other.cascade.state_dict()
    assert weights.keys() == others.keys()
    for name, weight in weights.items():
        assert torch.equal(weight, others[name]), name
    assert one.curves.points == other.curves.points


@dataclass(frozen=True)
class Exported:
    """The exported graphs, and the modules that they are of."""

    sessions: dict[str, ort.InferenceSession]
    modules: dict[str, torch.nn.Module]

    def run(self, name: str, inputs: Arrays) -> list[np.ndarray]:
        return self.sessions[name].run(None, inputs)

    @torch.no_grad()
    def told(self, name: str, inputs: Arrays) -> list[np.ndarray]:
        told = self.modules[name](*map(torch.from_numpy, inputs.values()))
        return [one.numpy() for one in (told if isinstance(told, tuple) else (told,))]


@pytest.fixture(scope="module")
def exported(runs: list[Fitted], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Of a cascade no part of which is silent, as heads are that learned for a moment only."""
    cascade = runs[0].cascade.eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in cascade.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    directory = tmp_path_factory.mktemp("artefacts") / "ranker"
    write(runs[0], SETTINGS, directory)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        name: ort.InferenceSession(directory / file, options) for name, file in GRAPHS.items()
    }
    modules = {
        "history": HistoryGraph(cascade),
        "prerank": PrerankGraph(cascade),
        "listwise": ListGraph(cascade),
    }
    return Exported(sessions, modules)


@pytest.fixture(scope="module")
def history(runs: list[Fitted]) -> Arrays:
    """Of two users: one with every event that is encoded, one with a third of them."""
    rng = np.random.default_rng(0)
    filled = np.arange(EVENTS) < np.array([[EVENTS], [EVENTS // 3]])
    return {
        "rows": rng.normal(size=(2, EVENTS, SETTINGS.width + 1)).astype(np.float16),
        "kinds": rng.integers(0, 5, (2, EVENTS)),
        "ages": -np.sort(-rng.exponential(5.0, (2, EVENTS)), axis=1).astype(np.float32),
        "filled": filled,
        "profile": rng.normal(size=(2, runs[0].note.profile_width)).astype(np.float32),
    }


def judged(exported: Exported, history: Arrays, candidates: int) -> Arrays:
    """What the pre-rank is asked."""
    rng = np.random.default_rng(candidates)
    user, tokens = exported.run("history", history)
    return {
        "user": user,
        "tokens": tokens,
        "ages": history["ages"],
        "filled": history["filled"],
        "rows": rng.normal(size=(2, candidates, SETTINGS.width + 1)).astype(np.float16),
        "context": rng.normal(size=(2, 32)).astype(np.float32),
        "moment": rng.random((2, candidates, 3)).astype(np.float32),
    }


def listed(exported: Exported, history: Arrays) -> Arrays:
    """What the list ranker is asked."""
    asked = judged(exported, history, LISTED)
    (prerank,) = exported.run("prerank", asked)
    return asked | {"prerank": prerank, "listed": np.ones((2, LISTED), np.bool_)}


def close(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert other.std() > 0.01
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)


def in_order(inputs: Arrays, order: np.ndarray) -> Arrays:
    """The candidates in another order, or some of them."""
    of_each = {"rows", "moment", "prerank", "listed"} & inputs.keys()
    return inputs | {name: inputs[name][:, order] for name in of_each}


def test_the_graphs_equal_the_trained_modules(exported: Exported, history: Arrays):
    close(exported.run("history", history), exported.told("history", history))
    for candidates in (LISTED, 1_000):
        asked = judged(exported, history, candidates)
        close(exported.run("prerank", asked), exported.told("prerank", asked))
    asked = listed(exported, history)
    close(exported.run("listwise", asked), exported.told("listwise", asked))


def test_scores_follow_their_candidates_into_another_order(exported: Exported, history: Arrays):
    for name, asked in (
        ("prerank", judged(exported, history, 1_000)),
        ("listwise", listed(exported, history)),
    ):
        order = np.random.default_rng(1).permutation(asked["rows"].shape[1])
        found = exported.run(name, in_order(asked, order))
        close(found, [scores[:, order] for scores in exported.run(name, asked)])


def test_empty_places_of_a_list_change_nothing(exported: Exported, history: Arrays):
    asked, most = listed(exported, history), np.arange(LISTED - 20)
    asked["listed"][:, most.size :] = False
    padded = [scores[:, most] for scores in exported.run("listwise", asked)]
    close(padded, exported.run("listwise", in_order(asked, most)))


def test_neither_the_batch_nor_empty_places_of_a_history_change_a_score(
    exported: Exported, history: Arrays
):
    some = EVENTS // 3
    of_events = {"rows", "kinds", "ages", "filled"}
    short = {
        name: part[1:, :some] if name in of_events else part[1:] for name, part in history.items()
    }
    user, tokens = exported.run("history", history)
    close(exported.run("history", short), [user[1:], tokens[1:, : some + 1]])
    for name, asked in (
        ("prerank", judged(exported, history, 1_000)),
        ("listwise", listed(exported, history)),
    ):
        alone = {part: value[1:] for part, value in asked.items()}
        alone |= {part: alone[part][:, :some] for part in ("ages", "filled")}
        alone["tokens"] = alone["tokens"][:, : some + 1]
        close(exported.run(name, alone), [scores[1:] for scores in exported.run(name, asked)])
