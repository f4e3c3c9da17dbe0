"""A worker's readiness is that of all; one that comes later answers nobody before it is ready."""

import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shortlist.serving.company import Company, answers

Other = Callable[[int, str], None]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    """Another worker that lives, and what it tells."""
    files = {}

    def tells(pid: int, told: str) -> None:
        if pid not in files:
            files[pid] = (tmp_path / f"{pid}.holds").open("w")
            fcntl.flock(files[pid], fcntl.LOCK_EX)
        files[pid].truncate(0)
        files[pid].seek(0)
        files[pid].write(told)
        files[pid].flush()

    yield tells
    for file in files.values():
        file.close()


def test_alone_it_answers_at_once_and_is_ready_when_it_is(tmp_path: Path) -> None:
    company = Company(tmp_path)
    assert company.may_answer(ready=False)
    assert not company.all_ready()
    company.tell_ready()
    assert company.all_ready()


def test_at_the_start_all_answer_and_none_is_ready_before_all_are(tmp_path, other) -> None:
    company = Company(tmp_path)
    other(1, "answers")
    assert company.may_answer(ready=False)
    company.tell_ready()
    assert not company.all_ready()
    other(1, "answers ready")
    assert company.all_ready()
    other(1, "answers")
    assert company.all_ready(), "once they were, it is not asked again"


def test_one_that_comes_later_waits_until_it_is_ready(tmp_path, other) -> None:
    company = Company(tmp_path)
    other(1, "answers ready")
    assert not company.may_answer(ready=False)
    assert company.may_answer(ready=True)
    assert company.all_ready()


def test_it_stops_waiting_where_nobody_is_ready_any_more(tmp_path) -> None:
    company = Company(tmp_path)
    with (tmp_path / "1.holds").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("answers ready")
        file.flush()
        assert not company.may_answer(ready=False)
    assert company.may_answer(ready=False)


def test_one_that_waits_makes_nobody_unready(tmp_path, other) -> None:
    company = Company(tmp_path)
    other(1, "waits")
    assert company.may_answer(ready=True)
    assert company.all_ready()


def test_who_answers_is_known_from_outside(tmp_path, other) -> None:
    for pid, told in ((1, "answers"), (2, "waits"), (3, "answers ready")):
        other(pid, told)
    assert [answers(tmp_path, pid) for pid in (1, 2, 3, 4)] == [True, False, True, False]
