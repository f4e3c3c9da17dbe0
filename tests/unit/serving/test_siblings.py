"""A worker ranks from a bundle only when all workers of its server that live hold it."""

import multiprocessing
import os
from pathlib import Path

import pytest

from shortlist.serving.siblings import Siblings

A, B, C = "a" * 32, "b" * 32, "c" * 32


def other(directory: str, tells, done) -> None:
    """A worker in a process of its own: it tells what it is told to tell."""
    siblings = Siblings(Path(directory))
    while (ids := tells.get()) is not None:
        siblings.tell(ids)
        done.set()


class Other:
    """A second worker."""

    def __init__(self, directory: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._tells, self._done = context.Queue(), context.Event()
        self.process = context.Process(
            target=other, args=(str(directory), self._tells, self._done), daemon=True
        )
        self.process.start()

    def tell(self, *ids: str) -> None:
        self._done.clear()
        self._tells.put(ids)
        assert self._done.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@pytest.fixture
def second(tmp_path):
    started = Other(tmp_path)
    yield started
    started.kill()


def test_alone_it_has_what_it_holds_once_it_has_told_so(tmp_path) -> None:
    siblings = Siblings(tmp_path)
    assert not siblings.all_hold(A)
    siblings.tell(())
    assert list(tmp_path.iterdir()) == []
    siblings.tell((A,))
    assert (siblings.all_hold(A), siblings.all_hold(B)) == (True, False)
    siblings.tell((B,))
    assert (siblings.all_hold(A), siblings.all_hold(B)) == (False, True)


def test_a_bundle_waits_for_the_slowest_and_for_no_dead_one(tmp_path, second) -> None:
    siblings = Siblings(tmp_path)
    siblings.tell((A,))
    second.tell(A)
    assert siblings.all_hold(A)
    siblings.tell((B, A))
    assert not siblings.all_hold(B)
    second.tell(C, A)
    assert not siblings.all_hold(B)
    second.tell(C, B, A)
    assert siblings.all_hold(B)
    siblings.tell((C, B, A))
    second.tell(B)
    assert siblings.all_hold(B), "what all held once is not asked again"
    assert not siblings.all_hold(C)
    second.kill()
    assert siblings.all_hold(C)
    assert [path.name for path in tmp_path.iterdir()] == [f"{os.getpid()}.holds"]
