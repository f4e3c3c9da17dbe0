"""What is exported says what was trained, on the same half-precision inputs, in every shape."""

import json

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from shortlist.datasets.events import Events, Histories
from shortlist.ranker.artefacts import CURVES, GRAPHS, ITEM_VECTORS, ITEMS, PRECISION, TAGS, Note
from shortlist.ranker.company import item_table
from shortlist.ranker.curves import load_curves
from shortlist.ranker.features import video_age
from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph
from shortlist.ranker.profile import tallies
from shortlist.ranker.scoring import Scorer

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def cascade(trained):
    return trained.fitted.cascade.eval()


@pytest.fixture(scope="module")
def sessions(trained) -> dict[str, ort.InferenceSession]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return {
        name: ort.InferenceSession(trained.directory / file, options)
        for name, file in GRAPHS.items()
    }


def asked(micro, users: int, events: int, candidates: int, seed: int = 0):
    """Inputs of the graphs: users with from none to all of their events."""
    rng = np.random.default_rng(seed)
    width = micro.settings.width + 1
    lengths = np.linspace(0 if users > 1 else events, events, users).astype(int)
    history = {
        "rows": rng.normal(size=(users, events, width)).astype(np.float16),
        "kinds": rng.integers(0, 5, (users, events)),
        "ages": rng.exponential(5.0, (users, events)).astype(np.float32),
        "filled": np.arange(events) < lengths[:, None],
        "profile": rng.normal(size=(users, micro.profile_width)).astype(np.float32),
    }
    judged = {
        "rows": rng.normal(size=(users, candidates, width)).astype(np.float16),
        "context": rng.normal(size=(users, 32)).astype(np.float32),
        "moment": rng.random((users, candidates, 3)).astype(np.float32),
    }
    listed = {
        "prerank": rng.normal(size=(users, candidates)).astype(np.float32),
        "listed": np.arange(candidates) < np.maximum(1, candidates - np.arange(users))[:, None],
    }
    return history, judged, listed


def tensors(inputs: dict[str, np.ndarray]) -> list[torch.Tensor]:
    return [torch.from_numpy(value) for value in inputs.values()]


@pytest.mark.parametrize(
    ("users", "events", "candidates"),
    [(1, 1, 1), (1, 6, 40), (2, 5, 7), (3, 2, 1), (5, 6, 13), (1, 6, 100)],
)
@torch.no_grad()
def test_the_graphs_equal_the_trained_modules(micro, cascade, sessions, users, events, candidates):
    history, judged, listed = asked(micro, users, events, candidates)
    user, tokens = sessions["history"].run(["user", "tokens"], history)
    wanted_user, wanted_tokens = HistoryGraph(cascade)(*tensors(history))
    np.testing.assert_allclose(user, wanted_user, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(tokens, wanted_tokens, rtol=0, atol=TOLERANCE)
    seen = {"user": user, "tokens": tokens, "ages": history["ages"], "filled": history["filled"]}
    seen |= judged
    (logit,) = sessions["prerank"].run(["logit"], seen)
    wanted = PrerankGraph(cascade)(*tensors(seen))
    np.testing.assert_allclose(logit, wanted, rtol=0, atol=TOLERANCE)
    assert logit.dtype == np.float32
    click, diversity = sessions["listwise"].run(["click", "diversity"], seen | listed)
    clicks, diversities = ListGraph(cascade)(*tensors(seen | listed))
    # What stands at empty places means nothing.
    there = listed["listed"]
    np.testing.assert_allclose(click[there], clicks.numpy()[there], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(diversity[there], diversities.numpy()[there], rtol=0, atol=TOLERANCE)


@torch.no_grad()
def test_somebody_without_any_event_is_judged_too(micro, cascade, sessions):
    history, judged, _ = asked(micro, 2, 4, 3)
    history["filled"][:] = False
    user, tokens = sessions["history"].run(None, history)
    wanted, _ = HistoryGraph(cascade)(*tensors(history))
    np.testing.assert_allclose(user, wanted, rtol=0, atol=TOLERANCE)
    assert np.isfinite(user).all()
    seen = {"user": user, "tokens": tokens, "ages": history["ages"], "filled": history["filled"]}
    (logit,) = sessions["prerank"].run(None, seen | judged)
    assert np.isfinite(logit).all()


def test_the_scorer_runs_the_graphs_on_the_stored_table(micro, cascade, trained):
    scorer = Scorer.load(trained.directory)
    histories = Histories.from_log(micro.view.log, len(micro.view.users))
    events = [histories.of(0), Events.none()]
    profiles = np.concatenate([micro.rows.profile[[0, 23]].numpy(), tallies(events)], axis=1)
    day = float(micro.view.as_of_day)
    encoded = scorer.encode(events, day, profiles)
    videos = np.array([[1, 2, 3], [4, 5, 6]])
    context, moment = np.zeros((2, 32), np.float32), np.zeros((2, 3, 3), np.float32)
    prerank = scorer.prerank(encoded, videos, context, moment)
    click, diversity = scorer.rank(
        encoded, videos, context, moment, prerank, np.ones((2, 3), np.bool_)
    )
    assert encoded.user.shape == (2, 128)
    with torch.no_grad():
        table = item_table(cascade).half()
        held = encoded.histories
        inputs = [torch.from_numpy(part) for part in (held.kind, held.age, held.filled, profiles)]
        user, tokens = HistoryGraph(cascade)(table[held.video], *inputs)
        seen = (user, tokens, *inputs[1:3], table[videos])
        moments = torch.from_numpy(context), torch.from_numpy(moment)
        wanted = PrerankGraph(cascade)(*seen, *moments)
        listed = torch.ones(2, 3, dtype=torch.bool)
        clicks, diversities = ListGraph(cascade)(*seen, *moments, wanted, listed)
    np.testing.assert_allclose(encoded.user, user, atol=TOLERANCE)
    np.testing.assert_allclose(prerank, wanted, atol=TOLERANCE)
    np.testing.assert_allclose(click, clicks, atol=TOLERANCE)
    np.testing.assert_allclose(diversity, diversities, atol=TOLERANCE)
    alone = encoded.take(np.array([1]))
    np.testing.assert_allclose(
        scorer.prerank(alone, videos[1:], context[1:], moment[1:]), prerank[1:], atol=TOLERANCE
    )


def test_the_table_is_the_towers_in_half_precision(micro, cascade, trained):
    items = np.load(trained.directory / ITEMS, allow_pickle=False)
    assert items.dtype == np.float16
    assert items.shape == (40, micro.settings.width + 1)
    with torch.no_grad():
        np.testing.assert_array_equal(items, item_table(cascade).half().numpy())
    np.testing.assert_array_equal(
        np.load(trained.directory / TAGS, allow_pickle=False), micro.features.tags
    )


def test_vectors_rank_as_the_towers_do_on_the_day_the_history_ends(micro, cascade, trained):
    vectors = np.load(trained.directory / ITEM_VECTORS, allow_pickle=False)
    items = np.load(trained.directory / ITEMS).astype(np.float32)
    assert (vectors.shape, vectors.dtype) == ((40, 128), np.float32)
    age = video_age(micro.view.catalogue.upload_day, float(micro.view.as_of_day))
    moment = np.zeros((1, 40, 3), np.float32)
    moment[0, :, 0] = age
    user = torch.randn(1, 1, 128, generator=torch.Generator().manual_seed(0))
    user[..., -1] = 1.0
    with torch.no_grad():
        base = cascade.prerank.base(
            user, torch.from_numpy(items)[None], torch.zeros(1, 1, 32), torch.from_numpy(moment)
        )[0].numpy()
    found = vectors @ user[0, 0].numpy()
    # They differ by what all candidates of a request have in common.
    np.testing.assert_allclose(found - found[0], base - base[0], atol=1e-4)


def test_nothing_is_pickled(trained):
    for path in trained.directory.iterdir():
        match path.suffix:
            case ".onnx":
                onnx.checker.check_model(path)
            case ".npy" | ".npz":
                np.load(path, allow_pickle=False)
            case ".json":
                json.loads(path.read_text())
            case _:
                pytest.fail(f"{path.name} is of no plain kind")


def test_graphs_use_no_operator_of_a_private_kind(trained):
    for file in GRAPHS.values():
        model = onnx.load(trained.directory / file)
        assert {one.domain for one in model.opset_import} <= {"", "ai.onnx"}
        assert not model.functions


def test_graphs_tell_nothing_of_the_machine(trained):
    for path in trained.directory.iterdir():
        data = path.read_bytes()
        for word in (b".py", b"site-packages", b"/home", b"/work", b"/tmp", b"shortlist.ranker"):
            assert word not in data, (path.name, word)


def test_the_exporter_is_quiet(trained, recwarn, capfd):
    """The fixture has exported; here a graph of one layer, which takes a moment."""
    from shortlist.ranker.tracing import write_graph

    layer = torch.nn.Linear(3, 2).eval()
    path = trained.directory.parent / "one.onnx"
    write_graph(layer, {"rows": torch.zeros(2, 3)}, {"rows": {0: "batch"}}, ["out"], path)
    assert [str(warning.message) for warning in recwarn] == []
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    (out,) = ort.InferenceSession(path).run(None, {"rows": np.ones((5, 3), np.float32)})
    np.testing.assert_allclose(out, layer(torch.ones(5, 3)).detach(), atol=1e-6)


def test_the_exporters_errors_are_not_hidden(tmp_path):
    from shortlist.ranker.tracing import write_graph

    class Untraceable(torch.nn.Module):
        def forward(self, rows):
            return rows if rows.sum().item() > 0 else -rows

    with pytest.raises(torch.onnx.errors.OnnxExporterError):
        write_graph(
            Untraceable().eval(),
            {"rows": torch.ones(2, 3)},
            {"rows": {}},
            ["out"],
            tmp_path / "x.onnx",
        )
    assert not (tmp_path / "x.onnx").exists()


def test_the_note_and_the_curves_lie_beside(micro, trained):
    note = Note.load(trained.directory)
    assert (note.target, note.history, note.list_size) == ("click", 6, 8)
    assert note.profile_width == micro.profile_width
    assert note.policy_lift == pytest.approx(float(trained.fitted.cascade.policy_lift))
    curves = load_curves(trained.directory / CURVES)
    assert [epoch for epoch, _ in curves["validation/outcome"]] == [0, 1, 2]
    assert list(curves) == sorted(curves)


def test_what_half_precision_costs_is_told(trained):
    told = json.loads((trained.directory / PRECISION).read_text())
    assert told["rows"] > 20
    assert told["lists"] > 2
    for figure in ("auc", "ndcg"):
        assert 0.5 < told[figure]["float32"] <= 1.0
        assert told[figure]["cost"] == pytest.approx(
            told[figure]["float32"] - told[figure]["float16"]
        )
        assert abs(told[figure]["cost"]) < 0.02
