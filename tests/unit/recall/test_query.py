"""What a query leaves out, and what the best of scores are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets.events import Events, Kind
from shortlist.recall.query import Query, best, first_allowed


def query(**changes):
    parts = {
        "history": Events.none(),
        "excluded": np.zeros(0, np.int64),
        "user_vector": None,
        "interests": np.zeros(0, np.int64),
        "day": 10.0,
    }
    return Query(**(parts | changes))


def test_unusable_events_are_left_out_and_counted(events_of):
    history = events_of(
        (3, Kind.CLICK, 1.0),
        (9, Kind.CLICK, 1.0),  # no such video
        (-1, Kind.CLICK, 1.0),  # nor this
        (2, 7, 1.0),  # no such kind
        (2, Kind.LIKE, np.nan),  # no time
        (3, Kind.CLICK, 1.0),  # a repeat
        (3, Kind.LIKE, 1.0),
        (3, Kind.CLICK, 2.0),
    )
    cleaned, ignored = query(history=history).cleaned(videos=9, tags=2)
    assert ignored == 5
    assert cleaned.history.video.tolist() == [3, 3, 3]
    assert cleaned.history.kind.tolist() == [Kind.CLICK, Kind.LIKE, Kind.CLICK]
    assert cleaned.history.day.tolist() == [1.0, 1.0, 2.0]


def test_rows_become_known_ascending_and_distinct():
    asked = query(excluded=np.array([4, 1, 4, 9, -2]), interests=np.array([1, 2, 1, 0]))
    cleaned, ignored = asked.cleaned(videos=9, tags=2)
    assert cleaned.excluded.tolist() == [1, 4]
    assert cleaned.interests.tolist() == [0, 1]
    assert ignored == 3 + 2


def test_a_vector_that_is_not_finite_counts_as_none():
    cleaned, ignored = query(user_vector=np.array([0.0, np.nan], np.float32)).cleaned(1, 1)
    assert cleaned.user_vector is None
    assert ignored == 1


def test_a_usable_query_stays_as_it_is(events_of):
    history = events_of((0, Kind.SKIP, 1.0), (1, Kind.LIKE, 2.0))
    vector = np.ones(2, np.float32)
    cleaned, ignored = query(history=history, user_vector=vector).cleaned(2, 1)
    assert ignored == 0
    assert cleaned.history is history
    assert cleaned.user_vector is vector


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(0, 40))
def test_the_best_are_those_of_a_stable_sort(values, count):
    scores = np.array(values, np.float32)
    scores[scores == -3] = -np.inf
    order = [row for row in np.argsort(-scores, kind="stable") if scores[row] > -np.inf]
    got = best(scores, count)
    assert got.video.tolist() == order[:count]
    assert got.score.tolist() == scores[order[:count]].tolist()


@given(st.permutations(range(12)), st.sets(st.integers(0, 14)), st.integers(0, 15))
def test_the_first_allowed_are_those_of_a_plain_loop(rows, excluded, count):
    order, banned = np.array(rows), np.array(sorted(excluded), np.int64)
    got = order[first_allowed(order, banned, count)]
    assert got.tolist() == [row for row in rows if row not in excluded][:count]


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 400), levels=st.integers(1, 5_000))
def test_the_best_of_many_are_those_of_a_stable_sort_too(seed, count, levels):
    drawn = np.random.default_rng(seed)
    scores = drawn.integers(0, levels, 4_000).astype(np.float32)
    scores[drawn.random(4_000) < 0.2] = -np.inf

    got = best(scores, count)

    order = np.argsort(-scores, kind="stable")[:count]
    assert got.video.tolist() == order.tolist()
    assert got.score.tolist() == scores[order].tolist()


def test_the_best_are_found_where_a_sample_promises_too_much():
    scores = np.zeros(4_000, np.float32)
    scores[::16] = 2
    scores[5::16] = 1

    assert best(scores, 400).video.tolist() == [*range(0, 4_000, 16), *range(5, 2_400, 16)]


def test_the_best_of_many_skip_what_may_never_come_back():
    scores = np.full(4_000, -np.inf, np.float32)
    scores[[7, 3_001]] = [1, 2]

    assert best(scores, 300).video.tolist() == [3_001, 7]
