"""Lists against what is relevant: worked examples, laws, and agreement with ranx."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shortlist.evaluation.metrics import ranking

LOG2_3 = math.log2(3)


def ids(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_equal_scores_are_listed_by_row():
    scores = np.array([[1, 2, 2, 2, 0]], np.float32)
    assert ranking.top_k(scores, 2).tolist() == [[1, 2]]
    assert ranking.top_k(np.zeros((2, 50), np.float32), 3).tolist() == [[0, 1, 2]] * 2


def test_what_is_excluded_or_minus_infinite_is_never_listed():
    scores = np.array([[9, 8, -np.inf, 6], [9, 8, 7, 6]], np.float32)
    lists = ranking.top_k(scores, 4, exclude=[ids(1), ids(0, 1, 2, 3)])
    assert lists.tolist() == [[0, 3, -1, -1], [-1, -1, -1, -1]]


def test_scores_stay_as_they_were_when_videos_are_excluded():
    scores = np.array([[9, 8]], np.float32)
    ranking.top_k(scores, 1, exclude=[ids(0)])
    assert scores.tolist() == [[9, 8]]


def test_a_list_longer_than_the_catalogue_is_padded():
    assert ranking.top_k(np.array([[1, 2]], np.float32), 4).tolist() == [[1, 0, -1, -1]]


def test_nan_scores_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        ranking.top_k(np.array([[1, np.nan]], np.float32), 1)


@given(
    scores=hnp.arrays(np.float32, (3, 12), elements=st.sampled_from([0.0, -0.0, 1.0, 2.5, -1.0])),
    k=st.integers(1, 15),
    barred=st.lists(st.integers(0, 11), unique=True),
    seed=st.integers(0, 5),
)
def test_top_k_is_a_stable_sort_of_what_may_be_listed(scores, k, barred, seed):
    lists = ranking.top_k(scores, k, exclude=[ids(*barred)] * 3)
    for row, shown in zip(scores, lists, strict=True):
        allowed = [video for video in range(12) if video not in barred]
        best = sorted(allowed, key=lambda video: (-row[video], video))[:k]
        assert shown.tolist() == best + [-1] * (k - len(best))


def test_chunks_do_not_change_the_lists(monkeypatch):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, (9, 40)).astype(np.float32)
    exclude = [rng.choice(40, n, replace=False) for n in range(9)]
    whole = ranking.top_k(scores, 7, exclude)
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", 90)
    np.testing.assert_array_equal(ranking.top_k(scores, 7, exclude), whole)


def test_ndcg_discounts_by_the_logarithm_of_the_rank():
    lists = np.array([[5, 1, 7], [5, 1, 7]])
    found = ranking.ndcg(lists, [ids(5, 7), ids(1, 2, 3)], 3)
    two, three = 1 + 1 / LOG2_3, 1 + 1 / LOG2_3 + 1 / 2
    np.testing.assert_allclose(found, [(1 + 1 / 2) / two, (1 / LOG2_3) / three])


def test_ndcg_takes_graded_gains_as_they_are():
    found = ranking.ndcg(np.array([[5, 1, 7]]), [ids(7, 5)], 3, [np.array([3.0, 1.0])])
    np.testing.assert_allclose(found, (1 + 3 / 2) / (3 + 1 / LOG2_3))


def test_ideal_list_is_no_longer_than_k():
    assert ranking.ndcg(np.array([[5, 1]]), [ids(5, 1, 2, 3)], 2).tolist() == [1.0]
    gains = [np.array([2.0, 2.0, 2.0, 2.0])]
    assert ranking.ndcg(np.array([[5, 1]]), [ids(5, 1, 2, 3)], 2, gains).tolist() == [1.0]


def test_recall_counts_hits_among_what_is_relevant():
    lists, relevant = np.array([[5, 1, 7, 9]]), [ids(1, 9, 20)]
    assert ranking.recall(lists, relevant, 4).tolist() == [2 / 3]
    assert ranking.recall(lists, relevant, 2).tolist() == [1 / 3]


def test_missing_places_are_misses():
    padded, short = np.array([[5, -1, -1, -1]]), np.array([[5]])
    for lists in (padded, short):
        assert ranking.recall(lists, [ids(5, 6)], 4).tolist() == [1 / 2]
        assert ranking.ndcg(lists, [ids(5, 6)], 4).tolist() == [1 / (1 + 1 / LOG2_3)]


def test_mrr_looks_at_the_first_hit_only():
    lists = np.array([[5, 1, 7], [5, 1, 7]])
    assert ranking.mrr(lists, [ids(7, 1), ids(7)], 2).tolist() == [1 / 2, 0.0]


@pytest.mark.parametrize("metric", ["ndcg", "hit_rate", "recall", "mrr"])
def test_a_user_without_anything_relevant_has_no_figure(metric):
    found = getattr(ranking, metric)(np.array([[0, 1], [0, 1]]), [ids(), ids(0)], 2)
    assert np.isnan(found).tolist() == [True, False]
    assert found.dtype == np.float64


def test_nobody_having_anything_relevant_is_no_crash():
    assert np.isnan(ranking.recall(np.array([[0, 1]]), [ids()], 2)).all()


@pytest.mark.parametrize(
    ("lists", "relevant", "complaint"),
    [
        ([[3, 3]], [[1]], "a list names a video twice"),
        ([[3, 4]], [[1, 1]], "a relevant set names a video twice"),
        ([[3, 4]], [[1], [2]], "2 relevant sets for 1 lists"),
    ],
)
def test_impossible_lists_are_refused(lists, relevant, complaint):
    with pytest.raises(ValueError, match=complaint):
        ranking.ndcg(np.array(lists), [ids(*part) for part in relevant], 2)


@given(st.permutations(range(8)), st.sets(st.integers(0, 7), min_size=1))
@settings(max_examples=50)
def test_swapping_a_hit_upwards_never_lowers_ndcg(order, relevant):
    lists = np.array([order])
    hits = [place for place, video in enumerate(order) if video in relevant and place > 0]
    if not hits:
        return
    better = lists.copy()
    at = hits[-1]
    better[0, [at - 1, at]] = better[0, [at, at - 1]]
    wanted = [ids(*sorted(relevant))]
    assert ranking.ndcg(better, wanted, 8)[0] >= ranking.ndcg(lists, wanted, 8)[0] - 1e-12


# ranx compiles for a minute with numba unless its compiler is off, which must be said before the
# first import: hence another interpreter.
RANX = """
import json, sys
from ranx import Qrels, Run, evaluate
asked = json.load(sys.stdin)
qrels, run = Qrels(asked["qrels"]), Run(asked["run"])
found = {m: evaluate(qrels, run, m, return_mean=False).tolist() for m in asked["metrics"]}
print(json.dumps(found))
"""


def test_figures_agree_with_ranx():
    rng = np.random.default_rng(3)
    users, videos, k = 40, 30, 6
    lists = np.stack([rng.permutation(videos)[:10] for _ in range(users)])
    relevant = [rng.choice(videos, rng.integers(1, 12), replace=False) for _ in range(users)]
    gains = [rng.integers(1, 4, len(part)).astype(float) for part in relevant]
    asked = {
        "qrels": {
            f"u{user:02}": {
                f"v{v}": int(g) for v, g in zip(relevant[user], gains[user], strict=True)
            }
            for user in range(users)
        },
        "run": {
            f"u{user:02}": {f"v{v}": 10.0 - rank for rank, v in enumerate(lists[user])}
            for user in range(users)
        },
        "metrics": [f"{m}@{k}" for m in ("ndcg", "hit_rate", "recall", "mrr")],
    }
    done = subprocess.run(
        [sys.executable, "-c", RANX],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "MPLBACKEND": "agg"},
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = {
        "ndcg": ranking.ndcg(lists, relevant, k, gains),
        "hit_rate": ranking.hit_rate(lists, relevant, k),
        "recall": ranking.recall(lists, relevant, k),
        "mrr": ranking.mrr(lists, relevant, k),
    }
    for name, figures in ours.items():
        np.testing.assert_allclose(figures, theirs[f"{name}@{k}"], err_msg=name)
