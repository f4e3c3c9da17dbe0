"""The vector index: its type, its exactness, its bytes, and what is refused."""

import json

import faiss
import numpy as np
import pytest

from shortlist.datasets.events import Events
from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.recall.index import build_index, exact_search, load_index
from shortlist.recall.query import Query
from shortlist.recall.vector import Vector
from shortlist.settings.recall import RecallSettings

FLAT = RecallSettings(candidates=20, index_queries=10)
LISTS = FLAT.model_copy(update={"flat_up_to": 100})


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(12, 16))
    return (centres[rng.integers(0, 12, 800)] + rng.normal(size=(800, 16))).astype(np.float32)


@pytest.fixture(scope="module")
def live() -> np.ndarray:
    return np.arange(800) % 8 != 0


def test_a_small_index_is_searched_whole_and_is_all_but_exact(items, live, tmp_path):
    quality = build_index(items, live, FLAT, tmp_path / "index")
    assert (quality.kind, quality.vectors, quality.lists, quality.probes) == (
        "flat-fp16",
        700,
        0,
        0,
    )
    assert quality.recall > 0.99
    assert (quality.k, quality.queries, quality.width) == (20, 10, 16)
    assert json.loads((tmp_path / "index/quality.json").read_text())["recall"] == quality.recall


def test_a_large_one_is_sorted_into_lists_and_says_what_that_costs(items, live, tmp_path):
    quality = build_index(items, live, LISTS, tmp_path / "quarter")
    assert (quality.kind, quality.lists, quality.probes) == ("ivf-sq8", 32, 8)
    assert 0.5 < quality.recall < 1.0
    all_lists = LISTS.model_copy(update={"probe_share": 1.0})
    assert build_index(items, live, all_lists, tmp_path / "all").recall > max(quality.recall, 0.9)


@pytest.mark.parametrize("settings", [FLAT, LISTS])
def test_an_index_in_memory_answers_as_the_one_on_disk(items, live, tmp_path, settings):
    build_index(items, live, settings, tmp_path / "index")
    stored, held = Vector.load(tmp_path / "index"), Vector.over(items, live, settings)
    assert (held.quality.kind, held.quality.probes) == (stored.quality.kind, stored.quality.probes)
    nothing = np.zeros(0, np.int64)
    for user in items[:3]:
        query = Query(Events.none(), nothing, user, nothing, 0.0)
        answers = [source.recall(query, 20) for source in (stored, held)]
        np.testing.assert_array_equal(answers[0].video, answers[1].video)
        np.testing.assert_array_equal(answers[0].score, answers[1].score)


def test_the_measured_recall_is_that_of_the_loaded_index(items, live, tmp_path):
    queries = np.random.default_rng(8).normal(size=(6, 16)).astype(np.float32)
    quality = build_index(items, live, LISTS, tmp_path / "index", queries)
    source = Vector.load(tmp_path / "index")
    rows = np.flatnonzero(live)
    nothing = np.zeros(0, np.int64)
    shares = [
        np.isin(
            rows[exact_search(items[live], query[None], 20)[0]],
            source.recall(Query(Events.none(), nothing, query, nothing, 0.0), 20).video,
        ).mean()
        for query in queries
    ]
    assert quality.queries == 6
    assert quality.recall == pytest.approx(np.mean(shares))


@pytest.mark.parametrize("settings", [FLAT, LISTS], ids=["flat", "lists"])
def test_the_same_vectors_give_the_same_bytes(items, live, tmp_path, settings):
    threads = faiss.omp_get_max_threads()
    build_index(items, live, settings, tmp_path / "a")
    build_index(items.copy(), live, settings, tmp_path / "b")
    assert faiss.omp_get_max_threads() == threads
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["index.faiss", "quality.json", "rows.npy"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_exact_search_finds_the_largest_products(items):
    queries = items[:20] + 0.1
    found = exact_search(items, queries, 5)
    expected = np.argsort(-(queries @ items.T), axis=1)[:, :5]
    assert (np.sort(found, axis=1) == np.sort(expected, axis=1)).all()
    assert exact_search(items[:3], queries, 3).shape == (20, 3)


def test_no_live_video_gives_an_empty_index(items, kit, tmp_path):
    quality = build_index(items, np.zeros(800, np.bool_), FLAT, tmp_path / "index")
    assert (quality.vectors, quality.recall) == (0, 1.0)
    source = Vector.load(tmp_path / "index")
    query = kit.query(0, user_vector=np.ones(16, np.float32))
    assert len(source.recall(query, 5)) == 0


def test_a_vector_that_is_not_finite_is_named(items, live, tmp_path):
    broken = items.copy()
    broken[9, 2] = np.inf
    broken[8, 0] = np.nan  # Not live.
    sentence = f"those of 1 of {live.sum()} live videos are not finite, the first in row 9"
    with pytest.raises(InputError, match=sentence) as caught:
        build_index(broken, live, FLAT, tmp_path / "index")
    assert "lower ranker.learning_rate" in str(caught.value)
    assert not (tmp_path / "index").exists()


def test_a_user_vector_of_another_width_is_refused(kit):
    source = kit.blend.sources[-1]
    with pytest.raises(InputError, match=r"shape \(3,\), the index wants \(8,\)"):
        source.recall(kit.query(0, user_vector=np.ones(3, np.float32)), 5)


def test_a_missing_torn_or_foreign_index_is_refused(items, live, tmp_path):
    with pytest.raises(NotFoundError, match="no vector index"):
        load_index(tmp_path / "nowhere")
    build_index(items, live, FLAT, tmp_path / "a")
    build_index(items[:, :8], live, FLAT, tmp_path / "b")
    whole = (tmp_path / "a/index.faiss").read_bytes()
    (tmp_path / "a/index.faiss").write_bytes((tmp_path / "b/index.faiss").read_bytes())
    with pytest.raises(CorruptError, match="different indexes"):
        load_index(tmp_path / "a")
    (tmp_path / "a/index.faiss").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match="cannot be read"):
        load_index(tmp_path / "a")
