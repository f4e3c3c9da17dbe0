"""Windows predict every row once, from what came before, in an order of seed and epoch."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shortlist.ranker.windows import Windows, batch_of, batches, cut, rows_of


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 9), st.integers(1, 9))
def test_every_row_is_predicted_exactly_once(lengths, history, rows):
    borders = np.concatenate([[0], np.cumsum(lengths)])
    windows = cut(borders[:-1], borders[1:], history, rows)
    predicted = [row for a, b in zip(windows.low, windows.high, strict=True) for row in range(a, b)]
    assert predicted == list(range(borders[-1]))
    assert ((windows.high - windows.low) <= rows).all()
    # A window sees as much as there is of the user's past, up to the length of a history.
    first = borders[windows.user]
    np.testing.assert_array_equal(windows.start, np.maximum(first, windows.low - history))


def test_held_out_rows_are_predicted_from_learned_ones():
    low, high, first = np.array([4, 9]), np.array([6, 9]), np.array([0, 6])
    windows = cut(low, high, history=3, rows=10, first=first)
    got = [column.tolist() for column in (windows.user, windows.start, windows.low, windows.high)]
    assert got == [[0], [1], [4], [6]]


def test_nothing_to_predict_gives_no_window():
    assert len(cut(np.array([2]), np.array([2]), 3, 3)) == 0


def some_windows(count: int = 23) -> Windows:
    rng = np.random.default_rng(0)
    low = np.cumsum(rng.integers(1, 40, count))
    return Windows(np.arange(count), low, low, low + rng.integers(1, 40, count))


def test_an_epochs_batches_hold_every_window_once():
    parts = batches(some_windows(), 5, seed=1, epoch=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(23))
    assert sorted(map(len, parts)) == [3, 5, 5, 5, 5]


def test_batches_follow_from_seed_and_epoch():
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(batches(some_windows(), 5, seed, epoch)).tolist()

    assert order(1, 4) == order(1, 4)
    assert order(1, 4) != order(1, 5)
    assert order(1, 4) != order(2, 4)


def test_windows_alike_in_length_meet():
    windows = some_windows(200)
    spread = [np.ptp(windows.length[part]) for part in batches(windows, 10, seed=0, epoch=0)]
    assert np.mean(spread) < 0.5 * np.ptp(windows.length)


def test_a_batch_is_padded_with_places_that_count_for_nothing():
    windows = Windows(*(np.array(c) for c in ([0, 3], [10, 50], [12, 50], [13, 54])))
    batch = batch_of(windows, np.array([1, 0]))
    assert batch.at.tolist() == [[50, 51, 52, 53], [10, 11, 12, 0]]
    assert batch.filled.tolist() == [[True] * 4, [True, True, True, False]]
    assert batch.predicted.tolist() == [[True] * 4, [False, False, True, False]]
    assert batch.user.tolist() == [3, 0]


def test_rows_are_by_user_in_the_order_of_time(micro):
    rows, log = micro.rows, micro.view.log
    assert len(rows) == len(log)
    for user in (0, 11, 22):
        mine = slice(rows.borders[user], rows.borders[user + 1])
        np.testing.assert_array_equal(rows.video[mine], log.video[log.user == user])
        np.testing.assert_array_equal(rows.target[mine], log.click[log.user == user])
    assert rows.borders[23] == rows.borders[24] == len(rows)
    assert int(rows.day.min()) == 0


def test_seconds_are_known_where_the_target_came_about(micro):
    rows, log = micro.rows, micro.view.log
    order = np.argsort(log.user, kind="stable")
    clicked = log.click[order] == 1
    np.testing.assert_array_equal(~rows.watch.isnan().numpy(), clicked)
    seconds = np.log(np.maximum(log.watch_seconds[order][clicked], 0.3))
    np.testing.assert_allclose(rows.watch[clicked], seconds, rtol=1e-6)


def test_sessions_are_numbered_and_unknown_ones_stand_alone(micro):
    log = micro.view.log.take(np.arange(6))
    log = replace(
        log,
        user=np.array([0, 0, 0, 0, 1, 1]),
        session=np.array([9, 9, -1, -1, 9, 9]),
        day=np.full(6, log.day[0]),
    )
    rows = rows_of(replace(micro.view, log=log), micro.features.tags)
    assert rows.session.tolist() == [1, 1, 2, 3, 4, 4]
