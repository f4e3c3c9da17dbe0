"""Shards on one machine: the parts of a step, each in a process of its own, as many as cores."""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from shortlist.errors import ShortlistError

T = TypeVar("T")

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux.


def fan_out(part: Callable[[int, int], T], shards: int) -> list[T]:
    """Call ``part(shard, shards)`` for every shard; one shard alone is called here.

    A killed run takes its processes with it, so that the next one finds nobody at work.

    Args:
        part: to be pickled: a function of a module, or a partial of one.
        shards: how many parts there are.

    Returns:
        What the parts returned, in their order.

    Raises:
        ShortlistError: as ``part`` raises, or a process was killed.
    """
    if shards == 1:
        return [part(0, 1)]
    before = set(multiprocessing.active_children())
    # A forked process would inherit the locks of threads that it does not have.
    pool = ProcessPoolExecutor(
        min(shards, os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    try:
        running = [pool.submit(part, shard, shards) for shard in range(shards)]
        return [one.result() for one in running]
    except BrokenProcessPool as error:
        raise ShortlistError(
            "the process of a shard was killed, perhaps for want of memory; run this again with "
            "pipeline.shards=1"
        ) from error
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    # Ctrl-C is the parent's to answer, and progress is the parent's to show.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TTY_COMPATIBLE"] = "0"
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
