import itertools

from hypothesis import given
from hypothesis import strategies as st

from shortlist.serving.breaker import Breaker, State


def made(failures: int = 2) -> tuple[Breaker, list[float], list[State]]:
    now, told = [0.0], []
    return Breaker(failures, 1.0, lambda: now[0], told.append), now, told


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    breaker, _, told = made()
    breaker.failed(breaker.now)
    breaker.succeeded()
    breaker.failed(breaker.now)
    assert breaker.allows()
    breaker.failed(breaker.now)
    assert not breaker.allows()
    assert told == [State.OPEN]


def test_after_a_pause_one_tries_and_the_others_wait_for_what_becomes_of_it() -> None:
    breaker, now, told = made()
    breaker.failed(breaker.now), breaker.failed(breaker.now)
    now[0] = 1.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.failed(breaker.now)
    now[0] = 1.9
    assert not breaker.allows()
    now[0] = 2.0
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True] * 3
    assert told == [State.OPEN, State.TRYING, State.OPEN, State.TRYING, State.CLOSED]


def test_whoever_tries_and_never_says_what_became_of_it_is_not_waited_for_for_ever() -> None:
    breaker, now, _ = made()
    breaker.failed(breaker.now), breaker.failed(breaker.now)
    now[0] = 1.0
    assert breaker.allows()
    now[0] = 2.0
    assert breaker.allows()


def test_all_that_fail_in_one_stall_are_one_failure() -> None:
    breaker, now, _ = made()
    now[0] = 0.5
    for _ in range(20):
        breaker.failed(asked=0.1)
    assert breaker.allows()
    now[0] = 0.9
    breaker.failed(asked=0.6)
    assert not breaker.allows()


@given(st.lists(st.tuples(st.floats(0, 0.7), st.booleans()), max_size=80))
def test_a_dead_part_is_asked_at_most_once_a_pause_and_a_whole_one_within_one(steps) -> None:
    breaker, now, _ = made()
    asked: list[float] = []
    for pause, _ in steps:
        now[0] += pause
        if breaker.allows():
            asked.append(now[0])
            breaker.failed(breaker.now)
    assert all(b - a >= 1.0 for a, b in itertools.pairwise(asked[1:]))
    now[0] += 1.0
    assert breaker.allows()
