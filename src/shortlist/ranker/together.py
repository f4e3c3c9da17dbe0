"""Several processes that train as one: who they are, and what the first tells the others.

They are started by torchrun (on one machine, or on many as Kubeflow's trainer does it) and speak by
gloo. The first process does the step and writes; the others wait until it trains, and take their
share of that.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from shortlist.errors import RefusedError, SettingsError

_PATIENCE: Final = timedelta(days=1)
"""For how long the others wait: the first may have to make a whole log before it trains."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together, as torchrun numbers them.

    Attributes:
        rank: of this one, from 0.
        ranks: how many there are.
        local: how many of them run on this machine.
    """

    rank: int = 0
    ranks: int = 1
    local: int = 1

    @classmethod
    def found(cls) -> Self:
        """As torchrun says; one alone where nobody says anything."""
        named = ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
        rank, ranks, local = (os.environ.get(name) for name in named)
        return cls(int(rank or 0), int(ranks or 1), int(local or 1))

    def expect(self, wanted: int) -> None:
        """Hold that as many processes run as the results are to be made by.

        Raises:
            SettingsError: there are more, or fewer.
        """
        if self.ranks != wanted:
            raise SettingsError(
                f"ranker.processes is {wanted} and {self.ranks} train: start this by `torchrun "
                f"--nproc-per-node {wanted} -m shortlist.cli.main train`, or set ranker.processes "
                f"to {self.ranks}"
            )


@contextmanager
def together(processes: Processes) -> Iterator[None]:
    """Let the processes find one another; nothing where there is one alone."""
    if processes.ranks == 1:
        yield
        return
    from torch import distributed  # noqa: PLC0415  whoever trains nothing needs no torch

    distributed.init_process_group("gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def announce(what: str | None) -> None:
    """The first process tells all others, who `hear`, what to train; None where nothing is left.

    Raises:
        RefusedError: there are others, and they do not listen.
    """
    if Processes.found().ranks > 1:
        _passed_on(what)


def hear() -> str | None:
    """What the first process announces."""
    return _passed_on(None)


def _passed_on(what: str | None) -> str | None:
    from torch import distributed  # noqa: PLC0415

    if not distributed.is_initialized():
        raise RefusedError(
            "only `train` is run by several processes: start that by torchrun, and everything "
            "else without it; what was trained will be found"
        )
    told = [what]
    distributed.broadcast_object_list(told, src=0)
    return told[0]
